package gen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/schema/document"
)

// emitPostgres returns the guards for Postgres: a trigger function for each document. All
// names that they look up are in pg_catalog. hint is the hint of each error.
func emitPostgres(p *model.Package, hint string) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, guardHead, strings.TrimPrefix(Header, "// "), "Postgres")
	for _, w := range guardTargets(p) {
		g := postgresGuard{hint: hint}
		g.whole(w)
		g.write(&out, w)
	}
	return []byte(out.String())
}

// emitPostgresDrop returns the statements that remove the guards.
func emitPostgresDrop(p *model.Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- %s\n", strings.TrimPrefix(Header, "// "))
	for _, w := range guardTargets(p) {
		for _, c := range w.columns {
			fmt.Fprintf(&out, "DROP TRIGGER IF EXISTS %s ON {schema}.%s;\n", triggerName(c), sqlName(c.Table))
		}
		fmt.Fprintf(&out, "DROP FUNCTION IF EXISTS {schema}.%s();\n", w.function())
	}
	return []byte(out.String())
}

func triggerName(c model.Column) string { return "attune_guard_" + c.Name }

// A postgresGuard writes the body of one function. Its variable v0 holds the document, and
// v1 and so on the values nested in it.
type postgresGuard struct {
	hint    string
	body    strings.Builder
	indent  int
	deepest int
	// texts and duplicates are further variables: texts, and the index of the first duplicate
	// element of a list.
	texts, duplicates []string
}

func (g *postgresGuard) line(format string, args ...any) {
	g.body.WriteString(strings.Repeat("    ", g.indent))
	fmt.Fprintf(&g.body, format, args...)
	g.body.WriteByte('\n')
}

// value returns the variable for a depth.
func (g *postgresGuard) value(depth int) string {
	g.deepest = max(g.deepest, depth)
	return "v" + strconv.Itoa(depth)
}

// A place is a JSON pointer in SQL: texts and the variables of indexes.
type place []string

func (p place) key(key string) place {
	out := append(place{}, p...)
	text := sqlText(pointerOf(key))
	if n := len(out); n > 0 && strings.HasPrefix(out[n-1], "'") && strings.HasPrefix(text, "'") {
		out[n-1] = out[n-1][:len(out[n-1])-1] + text[1:]
		return out
	}
	return append(out, text)
}

func (p place) index(variable string) place {
	return append(p.key(""), variable)
}

func (p place) sql() string {
	if len(p) == 0 {
		return "''"
	}
	return strings.Join(p, " || ")
}

// fault ends the function's check with a message. value is SQL for the refused value.
func (g *postgresGuard) fault(at place, message, value string) {
	g.line("    at := %s;", at.sql())
	if value == "" {
		g.line("    fault := %s;", sqlText(message))
	} else {
		g.line("    fault := %s || ', got ' || pg_catalog.left(%s::text, 60);", sqlText(message), value)
	}
	g.line("    EXIT judge;")
}

// wrong reports a value of another type.
func (g *postgresGuard) wrong(at place, want, value string) {
	g.line("    at := %s;", at.sql())
	g.line("    fault := %s || pg_catalog.jsonb_typeof(%s);", sqlText("must be "+want+", got a JSON "), value)
	g.line("    EXIT judge;")
}

func (g *postgresGuard) whole(w guardTarget) {
	g.indent = 2
	if !w.plain {
		g.readable(g.value(0))
	}
	g.kind(w.field, 0, nil)
}

// readable refuses documents that Go would not read whatever they mean.
//
// A document may exceed Go's limit because of the blanks that Postgres writes, and a long
// run of digits may be part of a text. So texts are removed before both are measured: the
// blanks that remain separate the parts of the document.
func (g *postgresGuard) readable(v string) {
	const run = 250 // Postgres supports repetitions up to 255, and every number that is too long contains such a run
	g.texts = append(g.texts, "whole", "parts")
	g.line("whole := %s::text;", v)
	g.line("IF pg_catalog.octet_length(whole) > %d OR whole ~ '[0-9]{%d}' THEN", document.MaxSize, run)
	g.indent++
	g.line(`parts := pg_catalog.regexp_replace(whole, '"(?:[^"\\]|\\.)*"', '', 'g');`)
	g.line("IF pg_catalog.octet_length(whole) - pg_catalog.length(parts) +"+
		" pg_catalog.length(pg_catalog.replace(parts, ' ', '')) > %d THEN", document.MaxSize)
	g.fault(nil, demandSmall, "")
	g.line("ELSIF EXISTS (SELECT FROM pg_catalog.regexp_split_to_table(parts, '[^0-9.]+') AS n"+
		" WHERE pg_catalog.length(pg_catalog.replace(n, '.', '')) > %d) THEN", document.MaxDigits)
	g.fault(nil, demandDigits, "")
	g.line("END IF;")
	g.indent--
	g.line("END IF;")
	g.line("IF pg_catalog.jsonb_path_exists(%s, 'strict $.**{%d} ? (@.type() == \"object\" || @.type() == \"array\")') THEN",
		v, document.MaxDepth)
	g.fault(nil, demandDepth, "")
	g.line("END IF;")
}

// postgresTypes holds the names that jsonb_typeof has for the types.
var postgresTypes = map[model.Kind]string{
	model.Text: "string", model.Duration: "string", model.Time: "string", model.Bool: "boolean", model.Int: "number", model.Float: "number",
	model.Object: "object", model.Map: "object", model.List: "array",
}

// kind checks the value at a depth. It may be null or missing.
func (g *postgresGuard) kind(f *model.Field, depth int, at place) {
	v := g.value(depth)
	if f.Type.Kind == model.Raw {
		if f.Required {
			g.line("IF coalesce(pg_catalog.jsonb_typeof(%s), 'null') = 'null' THEN", v)
			g.fault(at, demandRequired, "")
			g.line("END IF;")
		}
		return
	}
	g.line("IF coalesce(pg_catalog.jsonb_typeof(%s), 'null') = 'null' THEN", v)
	if f.MustExist() {
		g.fault(at, demandRequired, "")
	} else {
		g.line("    NULL;")
	}
	g.line("ELSIF pg_catalog.jsonb_typeof(%s) <> '%s' THEN", v, postgresTypes[f.Type.Kind])
	g.wrong(at, requirement(&f.Type), v)
	switch f.Type.Kind {
	case model.Text:
		g.text(f, v, at, !f.Required)
	case model.Duration:
		g.line("ELSIF %s #>> '{}' = '' THEN", v)
		g.fault(at, demandDuration(f), "")
	case model.Int:
		n := fmt.Sprintf("(%s #>> '{}')::numeric", v)
		g.line("ELSIF %s NOT BETWEEN %d AND %d OR pg_catalog.trunc(%[1]s) <> %[1]s THEN", n, f.Min, f.Max)
		g.fault(at, demandInt(f), v)
	case model.Float:
		low, high := floatBounds(f)
		g.line("ELSIF (%s #>> '{}')::numeric NOT BETWEEN %s AND %s THEN", v, low, high)
		g.fault(at, demandFloat(f), v)
	case model.Time:
		g.line("ELSIF (%s #>> '{}') COLLATE pg_catalog.\"C\" !~ %s THEN", v, sqlText(model.Times.Postgres(false)))
		g.fault(at, demandTime, v)
	case model.Object:
		g.line("ELSE")
		g.indent++
		for _, inner := range f.Type.Document.Fields {
			g.line("%s := %s -> %s;", g.value(depth+1), v, sqlText(inner.Key))
			g.kind(inner, depth+1, at.key(inner.Key))
		}
		if len(f.Type.Document.Fields) == 0 {
			g.line("NULL;")
		}
		g.indent--
	case model.List:
		g.list(f, depth, at)
	case model.Map:
		g.members(f, depth, at)
	}
	g.line("END IF;")
}

// text adds the cases for a text.
func (g *postgresGuard) text(f *model.Field, v string, at place, empty bool) {
	text := fmt.Sprintf("(%s #>> '{}')", v)
	format, enum := f.Format, f.Type.Enum
	if f.Type.Elem != nil {
		enum = f.Type.Elem.Enum
	}
	if !empty && f.Type.Elem == nil {
		g.line("ELSIF %s = '' THEN", text)
		g.fault(at, demandRequired, "")
	}
	if enum != nil {
		values := enumValues(enum)
		if empty {
			values = append(values, "")
		}
		g.line("ELSIF %s NOT IN %s THEN", text, sqlList(values...))
		g.fault(at, demandEnum(enum), v)
	}
	if f.MaxLength() > 0 {
		g.line("ELSIF pg_catalog.char_length(%s) > %d THEN", text, f.MaxLength())
		g.fault(at, demandShort(f), "pg_catalog.char_length("+text+")")
	}
	if format == nil || format.Pattern == nil {
		return
	}
	g.line("ELSIF %s COLLATE pg_catalog.\"C\" !~ %s THEN", text, sqlText(format.Pattern.Postgres(empty)))
	g.fault(at, demandFormat(format), v)
	if format.Except != nil {
		g.line("ELSIF %s COLLATE pg_catalog.\"C\" ~ %s THEN", text, sqlText(format.Except.Postgres(false)))
		g.fault(at, demandFormat(format), v)
	}
}

func (g *postgresGuard) list(f *model.Field, depth int, at place) {
	f = f.ElementRules()
	v, elem := g.value(depth), g.value(depth+1)
	if f.Required {
		g.line("ELSIF pg_catalog.jsonb_array_length(%s) = 0 THEN", v)
		g.fault(at, demandRequired, "")
	}
	if f.Most > 0 {
		g.line("ELSIF pg_catalog.jsonb_array_length(%s) > %d THEN", v, f.Most)
		g.fault(at, demandFew(f), "pg_catalog.jsonb_array_length("+v+")")
	}
	i := "i" + strconv.Itoa(depth)
	g.line("ELSE")
	g.indent++
	twice := ""
	if f.Unique {
		twice = "twice" + strconv.Itoa(depth)
		g.duplicates = append(g.duplicates, twice)
		g.line("%s := (SELECT pg_catalog.min(nth) FROM (SELECT nth, pg_catalog.row_number()"+
			" OVER (PARTITION BY elem COLLATE pg_catalog.\"C\" ORDER BY nth) AS time", twice)
		g.line("    FROM pg_catalog.jsonb_array_elements_text(%s) WITH ORDINALITY AS list(elem, nth)) AS seen WHERE time = 2) - 1;", v)
	}
	g.line("FOR %s IN 0 .. pg_catalog.jsonb_array_length(%s) - 1 LOOP", i, v)
	g.indent++
	g.line("%s := %s -> %s;", elem, v, i)
	inside := at.index(i)
	if f.Type.Elem.Kind != model.Text {
		g.line("IF pg_catalog.jsonb_typeof(%s) = 'null' THEN", elem)
		g.wrong(inside, requirement(f.Type.Elem), elem)
		g.line("END IF;")
	}
	g.element(f, depth+1, inside)
	if f.Unique {
		g.line("IF %s = %s THEN", i, twice)
		g.fault(inside, "duplicate element", "")
		g.line("END IF;")
	}
	g.indent--
	g.line("END LOOP;")
	g.indent--
}

// element checks an element of a list or a value of a map.
func (g *postgresGuard) element(f *model.Field, depth int, at place) {
	if f.Type.Elem.Kind != model.Text {
		g.kind(f.Element(), depth, at)
		return
	}
	v := g.value(depth)
	g.line("IF pg_catalog.jsonb_typeof(%s) <> 'string' THEN", v)
	g.wrong(at, "text", v)
	g.text(f, v, at, false)
	g.line("END IF;")
}

// members adds the cases for a map. A null means the same as a missing key.
func (g *postgresGuard) members(f *model.Field, depth int, at place) {
	v, elem := g.value(depth), g.value(depth+1)
	if f.Required {
		g.line("ELSIF NOT EXISTS (SELECT FROM pg_catalog.jsonb_each(%s) AS m WHERE pg_catalog.jsonb_typeof(m.value) <> 'null') THEN", v)
		g.fault(at, demandRequired, "")
	}
	if f.Most > 0 {
		count := "(SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_object_keys(" + v + "))"
		g.line("ELSIF %s > %d THEN", count, f.Most)
		g.fault(at, demandFew(f), count)
	}
	key, part := "k"+strconv.Itoa(depth), "p"+strconv.Itoa(depth)
	if !slices.Contains(g.texts, key) {
		g.texts = append(g.texts, key, part)
	}
	g.line("ELSE")
	g.indent++
	g.line("FOR %s, %s IN SELECT m.key, m.value FROM pg_catalog.jsonb_each(%s) AS m"+
		" WHERE pg_catalog.jsonb_typeof(m.value) <> 'null' LOOP", key, elem, v)
	g.indent++
	// A key may be long, or have characters that a terminal would obey.
	g.line(`%s := pg_catalog.regexp_replace(pg_catalog.left(%s, 60), '[\u0001-\u001f]', '?', 'g');`, part, key)
	g.line("%s := pg_catalog.replace(pg_catalog.replace(%[1]s, '~', '~0'), '/', '~1');", part)
	g.element(f, depth+1, at.index(part))
	g.indent--
	g.line("END LOOP;")
	g.indent--
}

// write writes the function around the body, and the triggers.
func (g *postgresGuard) write(out *strings.Builder, w guardTarget) {
	name, value := w.function(), "NEW.%s"
	if w.plain {
		value = "pg_catalog.to_jsonb(NEW.%s)"
	}
	var head strings.Builder
	head.WriteString("\nDECLARE\n    at text;\n    fault text;\n")
	for _, name := range g.texts {
		fmt.Fprintf(&head, "    %s text;\n", name)
	}
	slices.Sort(g.duplicates)
	for _, name := range slices.Compact(g.duplicates) {
		fmt.Fprintf(&head, "    %s bigint;\n", name)
	}
	for i := range g.deepest + 1 {
		fmt.Fprintf(&head, "    v%d jsonb;\n", i)
	}
	head.WriteString("BEGIN\n")
	for i, c := range w.names() {
		word := "IF"
		if i > 0 {
			word = "ELSIF"
		}
		fmt.Fprintf(&head, "    %s TG_ARGV[0] = '%s' THEN\n", word, c)
		// An old row may be wrong, so only changes are checked.
		fmt.Fprintf(&head, "        IF TG_OP = 'UPDATE' THEN\n            IF NEW.%[1]s IS NOT DISTINCT FROM OLD.%[1]s THEN\n"+
			"                RETURN NEW;\n            END IF;\n        END IF;\n", sqlName(c))
		fmt.Fprintf(&head, "        v0 := "+value+";\n", sqlName(c))
	}
	head.WriteString("    END IF;\n    <<judge>>\n    BEGIN\n")
	text := head.String() + g.body.String() + `        RETURN NEW;
    END judge;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = pg_catalog.regexp_replace(TG_TABLE_NAME || '.' || TG_ARGV[0] || ': ' || CASE at WHEN '' THEN '' ELSE at || ': ' END || fault,
            '[\u007f-\u009f]', '?', 'g'), -- which JSON does not escape, and a terminal would obey
        HINT = ` + sqlText(g.hint) + `,
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[0], CONSTRAINT = TG_NAME;
END
`
	tag := "$attune$"
	for i := 1; strings.Contains(text, tag); i++ {
		tag = "$attune" + strconv.Itoa(i) + "$"
	}
	fmt.Fprintf(out, "\nCREATE OR REPLACE FUNCTION {schema}.%[1]s() RETURNS trigger\n"+
		"    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS %[2]s%[3]s%[2]s;\n",
		name, tag, text)
	for _, c := range w.columns {
		fmt.Fprintf(out, "\nDROP TRIGGER IF EXISTS %[1]s ON {schema}.%[2]s;\n"+
			"CREATE TRIGGER %[1]s BEFORE INSERT OR UPDATE OF %[3]s ON {schema}.%[2]s\n"+
			"    FOR EACH ROW EXECUTE FUNCTION {schema}.%[4]s('%[5]s');\n",
			triggerName(c), sqlName(c.Table), sqlName(c.Name), name, c.Name)
	}
}
