package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// emitPostgres writes the guards for Postgres: a trigger function for each
// document. It calls nothing that is looked up by name outside of pg_catalog.
func emitPostgres(p *Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, guardHead, strings.TrimPrefix(Header, "// "), "Postgres")
	for _, d := range p.guarded() {
		g := postgresGuard{}
		g.document(d)
		g.write(&out, d)
	}
	return signed(out.String())
}

// emitPostgresDrop takes the guards away.
func emitPostgresDrop(p *Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- %s\n", strings.TrimPrefix(Header, "// "))
	for _, d := range p.guarded() {
		for _, c := range d.Guards {
			fmt.Fprintf(&out, "DROP TRIGGER IF EXISTS %s ON {schema}.%s;\n", triggerName(c), c.Table)
		}
		fmt.Fprintf(&out, "DROP FUNCTION IF EXISTS {schema}.attune_guard_%s();\n", snake(d.Name))
	}
	return []byte(out.String())
}

func triggerName(c Column) string { return "attune_guard_" + c.Name }

// postgresGuard writes the body of one function. Values go down from v0, the
// document, and so do the indexes of lists.
type postgresGuard struct {
	body    strings.Builder
	indent  int
	deepest int
}

func (g *postgresGuard) line(format string, args ...any) {
	g.body.WriteString(strings.Repeat("    ", g.indent))
	fmt.Fprintf(&g.body, format, args...)
	g.body.WriteByte('\n')
}

// value gives the variable of a depth.
func (g *postgresGuard) value(depth int) string {
	g.deepest = max(g.deepest, depth)
	return "v" + strconv.Itoa(depth)
}

// place is a JSON pointer in SQL: texts and the variables of indexes.
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

// fault ends the function's judgement; value adds what is there instead.
func (g *postgresGuard) fault(at place, message, value string) {
	g.line("    at := %s;", at.sql())
	if value == "" {
		g.line("    fault := %s;", sqlText(message))
	} else {
		g.line("    fault := %s || ', not ' || pg_catalog.left(%s::text, 60);", sqlText(message), value)
	}
	g.line("    EXIT judge;")
}

// wrong is the fault of a value of another type.
func (g *postgresGuard) wrong(at place, want, value string) {
	g.line("    at := %s;", at.sql())
	g.line("    fault := %s || pg_catalog.jsonb_typeof(%s);", sqlText("must be "+want+", not JSON's "), value)
	g.line("    EXIT judge;")
}

func (g *postgresGuard) document(d *Document) {
	g.indent = 2
	v := g.value(0)
	g.line("IF pg_catalog.octet_length(%s::text) > %d THEN", v, maxDocument)
	g.fault(nil, fmt.Sprintf("the document has more than %d bytes", maxDocument), "")
	g.line("END IF;")
	if d.List != nil {
		g.kind(&Field{Type: d.List.Type, Required: d.List.Required, Format: d.List.Format, Unique: d.List.Unique}, 0, nil)
		return
	}
	g.kind(&Field{Type: Type{Kind: Object, Document: d}, Required: d.mustBe()}, 0, nil)
}

// kind judges the value of a depth, which is null or missing too.
func (g *postgresGuard) kind(f *Field, depth int, at place) {
	v := g.value(depth)
	if f.Type.Kind == Raw {
		if f.Required {
			g.line("IF coalesce(pg_catalog.jsonb_typeof(%s), 'null') = 'null' THEN", v)
			g.fault(at, demandRequired, "")
			g.line("END IF;")
		}
		return
	}
	types := map[Kind]string{Text: "string", Duration: "string", Bool: "boolean", Int: "number", Object: "object", List: "array"}
	g.line("IF coalesce(pg_catalog.jsonb_typeof(%s), 'null') = 'null' THEN", v)
	if f.mustBe() {
		g.fault(at, demandRequired, "")
	} else {
		g.line("    NULL;")
	}
	g.line("ELSIF pg_catalog.jsonb_typeof(%s) <> '%s' THEN", v, types[f.Type.Kind])
	g.wrong(at, f.Type.wanted(), v)
	switch f.Type.Kind {
	case Text:
		g.text(f, v, at, !f.Required)
	case Duration:
		g.line("ELSIF %s #>> '{}' = '' THEN", v)
		g.fault(at, demandDuration(f), "")
	case Int:
		n := fmt.Sprintf("(%s #>> '{}')::numeric", v)
		g.line("ELSIF %s NOT BETWEEN %d AND %d OR pg_catalog.trunc(%[1]s) <> %[1]s THEN", n, f.Min, f.Max)
		g.fault(at, f.demandInt(), v)
	case Object:
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
	case List:
		g.list(f, depth, at)
	}
	g.line("END IF;")
}

// text goes on with the cases of a text.
func (g *postgresGuard) text(f *Field, v string, at place, empty bool) {
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
	if format == nil || format.Pattern == nil {
		return
	}
	g.line("ELSIF pg_catalog.char_length(%s) > %d THEN", text, maxPatterned)
	g.fault(at, demandShort, "")
	g.line("ELSIF %s COLLATE pg_catalog.\"C\" !~ %s THEN", text, sqlText(format.Pattern.Postgres(empty)))
	g.fault(at, format.demand(), v)
	if format.Except != nil {
		g.line("ELSIF %s COLLATE pg_catalog.\"C\" ~ %s THEN", text, sqlText(format.Except.Postgres(false)))
		g.fault(at, format.demand(), v)
	}
}

func (g *postgresGuard) list(f *Field, depth int, at place) {
	f = f.list()
	v, elem := g.value(depth), g.value(depth+1)
	if f.Required {
		g.line("ELSIF pg_catalog.jsonb_array_length(%s) = 0 THEN", v)
		g.fault(at, demandRequired, "")
	}
	i := "i" + strconv.Itoa(depth)
	g.line("ELSE")
	g.indent++
	g.line("FOR %s IN 0 .. pg_catalog.jsonb_array_length(%s) - 1 LOOP", i, v)
	g.indent++
	g.line("%s := %s -> %s;", elem, v, i)
	inside := at.index(i)
	if f.Type.Elem.Kind == Object {
		g.line("IF pg_catalog.jsonb_typeof(%s) = 'null' THEN", elem)
		g.wrong(inside, "an object", elem)
		g.line("END IF;")
		g.kind(&Field{Type: *f.Type.Elem}, depth+1, inside)
	} else {
		g.line("IF pg_catalog.jsonb_typeof(%s) <> 'string' THEN", elem)
		g.wrong(inside, "text", elem)
		g.text(f, elem, inside, false)
		g.line("END IF;")
	}
	if f.Unique {
		g.line("IF EXISTS (SELECT FROM pg_catalog.generate_series(0, %s - 1) AS n WHERE %s ->> n = %s #>> '{}') THEN", i, v, elem)
		g.fault(inside, "is there twice", "")
		g.line("END IF;")
	}
	g.indent--
	g.line("END LOOP;")
	g.indent--
}

// write writes the function around the body, and the triggers.
func (g *postgresGuard) write(out *strings.Builder, d *Document) {
	name := "attune_guard_" + snake(d.Name)
	var head strings.Builder
	head.WriteString("\nDECLARE\n    at text;\n    fault text;\n")
	for i := range g.deepest + 1 {
		fmt.Fprintf(&head, "    v%d jsonb;\n", i)
	}
	head.WriteString("BEGIN\n")
	for i, c := range d.columns() {
		word := "IF"
		if i > 0 {
			word = "ELSIF"
		}
		fmt.Fprintf(&head, "    %s TG_ARGV[0] = '%s' THEN\n", word, c)
		// What is not changed is not judged: an old row may be wrong.
		fmt.Fprintf(&head, "        IF TG_OP = 'UPDATE' THEN\n            IF NEW.%[1]s IS NOT DISTINCT FROM OLD.%[1]s THEN\n                RETURN NEW;\n            END IF;\n        END IF;\n", c)
		fmt.Fprintf(&head, "        v0 := NEW.%s;\n", c)
	}
	head.WriteString("    END IF;\n    <<judge>>\n    BEGIN\n")
	text := head.String() + g.body.String() + `        RETURN NEW;
    END judge;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = TG_TABLE_NAME || '.' || TG_ARGV[0] || ': ' || CASE at WHEN '' THEN '' ELSE at || ': ' END || fault,
        HINT = 'Only the first fault is told here; attune packs validate tells every fault of a definition.',
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[0], CONSTRAINT = TG_NAME;
END
`
	tag := "$attune$"
	for i := 1; strings.Contains(text, tag); i++ {
		tag = "$attune" + strconv.Itoa(i) + "$"
	}
	fmt.Fprintf(out, "\nCREATE OR REPLACE FUNCTION {schema}.%[1]s() RETURNS trigger\n    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS %[2]s%[3]s%[2]s;\n", name, tag, text)
	fmt.Fprintf(out, "\nCOMMENT ON FUNCTION {schema}.%s() IS 'attune {digest}';\n", name)
	for _, c := range d.Guards {
		fmt.Fprintf(out, "\nDROP TRIGGER IF EXISTS %[1]s ON {schema}.%[2]s;\nCREATE TRIGGER %[1]s BEFORE INSERT OR UPDATE OF %[3]s ON {schema}.%[2]s\n    FOR EACH ROW EXECUTE FUNCTION {schema}.%[4]s('%[3]s');\n",
			triggerName(c), c.Table, c.Name, name)
	}
}
