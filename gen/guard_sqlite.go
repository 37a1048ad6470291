package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// maxIndex is the highest index of a list that a message of SQLite names:
// RAISE takes literal messages only, so each place has its own.
const maxIndex = 9

// emitSQLite writes the guards for SQLite: a view for each document, whose
// trigger judges what is inserted, and triggers that hand it each column.
func emitSQLite(p *Package) ([]byte, error) {
	var out strings.Builder
	fmt.Fprintf(&out, guardHead, strings.TrimPrefix(Header, "// "), "SQLite")
	for _, d := range p.guarded() {
		g := sqliteGuard{}
		if err := g.document(d); err != nil {
			return nil, err
		}
		g.write(&out, d)
	}
	return signed(out.String()), nil
}

// emitSQLiteDrop takes the guards away.
func emitSQLiteDrop(p *Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- %s\n", strings.TrimPrefix(Header, "// "))
	for _, d := range p.guarded() {
		dropSQLite(&out, d)
	}
	return []byte(out.String())
}

func dropSQLite(out *strings.Builder, d *Document) {
	for _, c := range d.Guards {
		for _, event := range []string{"insert", "update"} {
			fmt.Fprintf(out, "DROP TRIGGER IF EXISTS {schema}.attune_guard_%s_%s_%s;\n", c.Table, c.Name, event)
		}
	}
	fmt.Fprintf(out, "DROP VIEW IF EXISTS {schema}.attune_guard_%s;\n", snake(d.Name))
}

// sqliteGuard collects rules, and the queries that find the first one that is
// broken: each gives the number of a rule and, where it is about the elements
// of a list, an index.
type sqliteGuard struct {
	rules   []sqliteRule
	queries []string
	aliases int
	err     error
}

// sqliteRule is a message, in the place of whose * an index stands.
type sqliteRule struct{ pointer, message string }

// rule gives the number of a rule.
func (g *sqliteGuard) rule(pointer, message string) string {
	g.rules = append(g.rules, sqliteRule{pointer, message})
	return strconv.Itoa(len(g.rules))
}

func (g *sqliteGuard) query(format string, args ...any) {
	g.queries = append(g.queries, fmt.Sprintf(format, args...))
}

// rows are those of values of one type: a FROM clause, the condition under
// which they count, and the place they are at.
type rows struct {
	from []string
	// where is the condition; empty is none.
	where string
	// text is the JSON of the value, in SQL.
	text string
	// pointer has a * where index stands; index is 0 where there is none.
	pointer, index string
}

func (r rows) sql(extra string) string {
	out := ""
	if len(r.from) > 0 {
		out = " FROM " + strings.Join(r.from, ", ")
	}
	switch {
	case r.where != "" && extra != "":
		return out + " WHERE " + r.where + " AND " + extra
	case r.where+extra != "":
		return out + " WHERE " + r.where + extra
	}
	return out
}

// each are the members or the elements of the values of r, which are of one type
// and else taken as empty: SQLite would stop at what is no JSON.
func (g *sqliteGuard) each(r rows, empty string) (alias string, inside rows) {
	g.aliases++
	alias = "j" + strconv.Itoa(g.aliases)
	source := r.text
	if r.where != "" {
		source = fmt.Sprintf("CASE WHEN %s THEN %s ELSE '%s' END", r.where, r.text, empty)
	}
	inside = r
	inside.from = append(append([]string{}, r.from...), fmt.Sprintf("json_each(%s) AS %s", source, alias))
	inside.where = ""
	return alias, inside
}

func (g *sqliteGuard) document(d *Document) error {
	const doc = "NEW.document"
	g.query("SELECT %s AS rule, 0 AS i WHERE NOT json_valid(%s)", g.rule("", "is no JSON"), doc)
	g.query("SELECT %s, 0 WHERE length(CAST(%s AS BLOB)) > %d", g.rule("", fmt.Sprintf("the document has more than %d bytes", maxDocument)), doc, maxDocument)
	// SQLite reads the first of two keys, Postgres and Go the last or none.
	g.query("SELECT %s, 0 FROM json_tree(%s) AS t GROUP BY t.parent, t.key HAVING count(*) > 1 AND t.key IS NOT NULL", g.rule("", "a key is there twice"), doc)
	root := rows{text: doc, index: "0"}
	f := &Field{Type: Type{Kind: Object, Document: d}}
	if d.List != nil {
		f = &Field{Type: d.List.Type, Format: d.List.Format, Unique: d.List.Unique}
	}
	allowed := []string{sqliteTypes[f.Type.Kind][0]}
	if !d.mustBe() {
		allowed = append(allowed, "null")
	}
	g.query("SELECT %s, 0 WHERE json_type(%s) NOT IN %s", g.rule("", "must be "+f.Type.wanted()), doc, sqlList(allowed...))
	root.where = fmt.Sprintf("json_type(%s) = '%s'", doc, sqliteTypes[f.Type.Kind][0])
	g.value(f, root)
	return g.err
}

// sqliteTypes are the names that json_each has for the types.
var sqliteTypes = map[Kind][]string{Text: {"text"}, Duration: {"text"}, Bool: {"true", "false"}, Int: {"integer", "real"}, Object: {"object"}, List: {"array"}}

// value judges what is in objects and lists.
func (g *sqliteGuard) value(f *Field, r rows) {
	switch f.Type.Kind {
	case List:
		g.list(f, r)
	case Object:
		g.object(f.Type.Document, r)
	}
}

func (g *sqliteGuard) object(d *Document, r rows) {
	var cases []string
	member, inside := g.each(r, "{}")
	for _, f := range d.Fields {
		at := r.pointer + pointerOf(f.Key)
		if f.mustBe() {
			g.query("SELECT %s, %s%s", g.rule(at, demandRequired), r.index, r.sql(fmt.Sprintf(
				"NOT EXISTS (SELECT 1 FROM json_each(%s) AS m WHERE m.key = %s AND m.type <> 'null')", r.objectText(), sqlText(f.Key))))
		}
		if faults := g.scalar(f, member, at); faults != "" {
			cases = append(cases, fmt.Sprintf("WHEN %s THEN CASE %s END", sqlText(f.Key), faults))
		}
	}
	if len(cases) > 0 {
		g.query("SELECT rule, i FROM (SELECT CASE %s.key %s END AS rule, %s AS i%s) WHERE rule IS NOT NULL",
			member, strings.Join(cases, " "), r.index, inside.sql(""))
	}
	for _, f := range d.Fields {
		if f.Type.Kind != Object && f.Type.Kind != List {
			continue
		}
		inner := inside
		inner.where = fmt.Sprintf("%[1]s.key = %[2]s AND %[1]s.type = '%[3]s'", member, sqlText(f.Key), sqliteTypes[f.Type.Kind][0])
		inner.text = member + ".value"
		inner.pointer = r.pointer + pointerOf(f.Key)
		g.value(f, inner)
	}
}

// objectText is the value where it is an object, and else an empty one.
func (r rows) objectText() string {
	return fmt.Sprintf("CASE WHEN %s THEN %s ELSE '{}' END", r.where, r.text)
}

// scalar are the cases in which a member is wrong: its type, and what is to be
// said of it without looking into it.
func (g *sqliteGuard) scalar(f *Field, member, at string) string {
	if f.Type.Kind == Raw {
		return ""
	}
	var out []string
	when := func(condition, message string) {
		out = append(out, "WHEN "+condition+" THEN "+g.rule(at, message))
	}
	allowed := append(append([]string{}, sqliteTypes[f.Type.Kind]...), "null")
	when(fmt.Sprintf("%s.type NOT IN %s", member, sqlList(allowed...)), "must be "+f.Type.wanted())
	value := member + ".atom"
	switch f.Type.Kind {
	case Int:
		when(fmt.Sprintf("%[1]s.type <> 'null' AND (%[2]s NOT BETWEEN %[3]d AND %[4]d OR %[2]s <> CAST(%[2]s AS INTEGER))", member, value, f.Min, f.Max), f.demandInt())
	case Duration:
		when(value+" = ''", demandDuration(f))
	case Text:
		if f.Required {
			when(value+" = ''", demandRequired)
		}
		if f.Type.Enum != nil {
			when(fmt.Sprintf("%s NOT IN %s", value, sqlList(append(enumValues(f.Type.Enum), "")...)), demandEnum(f.Type.Enum))
		}
		if condition := g.format(f.Format, value); condition != "" {
			when(tooLong(value), demandShort)
			when(value+" <> '' AND "+condition, f.Format.demand())
		}
	case List:
		if f.list().Required {
			when(fmt.Sprintf("%[1]s.type = 'array' AND json_array_length(%[1]s.value) = 0", member), demandRequired)
		}
	}
	return strings.Join(out, " ")
}

// format is the condition that a text is not of a format; empty where nobody
// outside of Go knows.
func (g *sqliteGuard) format(f *Format, value string) string {
	if f == nil || f.Pattern == nil {
		return ""
	}
	condition := "NOT " + g.follow(f.Pattern, value)
	if f.Except != nil {
		condition = "(" + condition + " OR " + g.follow(f.Except, value) + ")"
	}
	return condition
}

func tooLong(value string) string { return fmt.Sprintf("length(%s) > %d", value, maxPatterned) }

func (g *sqliteGuard) follow(p *Pattern, value string) string {
	a, err := p.automaton()
	if err != nil && g.err == nil {
		g.err = err
	}
	return a.sqlite(value)
}

func (g *sqliteGuard) list(f *Field, r rows) {
	f = f.list()
	elem, inside := g.each(r, "[]")
	// Only one index fits into a message; a second list is told as a whole.
	at, all := r.pointer+"/*", false
	if r.index == "0" {
		inside.index = elem + ".key"
	} else {
		at, all = r.pointer, true
	}
	say := func(message string) string {
		if all {
			message = "an element " + message
		}
		return g.rule(at, message)
	}
	if f.Type.Elem.Kind == Object {
		inside.pointer = at
		g.query("SELECT %s, %s%s", say("must be an object"), inside.index, inside.sql(elem+".type <> 'object'"))
		inside.where = elem + ".type = 'object'"
		inside.text = elem + ".value"
		g.object(f.Type.Elem.Document, inside)
	} else {
		g.query("SELECT %s, %s%s", say("must be text"), inside.index, inside.sql(elem+".type <> 'text'"))
		if enum := f.Type.Elem.Enum; enum != nil {
			g.query("SELECT %s, %s%s", say(demandEnum(enum)), inside.index, inside.sql(fmt.Sprintf("%s.atom NOT IN %s", elem, sqlList(enumValues(enum)...))))
		}
		if condition := g.format(f.Format, elem+".atom"); condition != "" {
			g.query("SELECT %s, %s%s", say(demandShort), inside.index, inside.sql(elem+".type = 'text' AND "+tooLong(elem+".atom")))
			g.query("SELECT %s, %s%s", say(f.Format.demand()), inside.index, inside.sql(elem+".type = 'text' AND "+condition))
		}
	}
	if f.Unique {
		g.query("SELECT %s, %s%s", g.rule(r.pointer, demandOnce), r.index, r.sql(fmt.Sprintf(
			"(SELECT count(*) > count(DISTINCT u.atom) FROM json_each(CASE WHEN %s THEN %s ELSE '[]' END) AS u)", r.where, r.text)))
	}
}

// write writes the view, its trigger, and the triggers of the columns.
func (g *sqliteGuard) write(out *strings.Builder, d *Document) {
	out.WriteByte('\n')
	dropSQLite(out, d)
	view := "attune_guard_" + snake(d.Name)
	fmt.Fprintf(out, "\nCREATE VIEW {schema}.%s AS SELECT '' AS document, 'attune {digest}' AS digest WHERE 0;\n", view)
	fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.%[1]s_fault INSTEAD OF INSERT ON %[1]s\nBEGIN\n    SELECT CASE rule\n", view)
	for i, r := range g.rules {
		fmt.Fprintf(out, "        WHEN %d THEN %s\n", i+1, r.raise(d))
	}
	out.WriteString("    END FROM (\n        ")
	out.WriteString(strings.Join(g.queries, "\n        UNION ALL "))
	out.WriteString("\n        LIMIT 1\n    );\nEND;\n")
	for _, c := range d.Guards {
		for _, t := range []struct{ event, of, changed string }{
			{"insert", "INSERT", ""},
			{"update", "UPDATE OF " + c.Name, fmt.Sprintf(" AND NEW.%[1]s IS NOT OLD.%[1]s", c.Name)},
		} {
			fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.attune_guard_%[1]s_%[2]s_%[3]s BEFORE %[4]s ON %[1]s\n    WHEN NEW.%[2]s IS NOT NULL%[5]s\nBEGIN\n    INSERT INTO %[6]s (document) VALUES (NEW.%[2]s);\nEND;\n",
				c.Table, c.Name, t.event, t.of, t.changed, view)
		}
	}
}

// raise gives up with the message of a rule.
func (r sqliteRule) raise(d *Document) string {
	literal := func(pointer string) string {
		text := strings.Join(d.columns(), ", ") + ": "
		if pointer != "" {
			text += pointer + ": "
		}
		return "RAISE(ABORT, '" + strings.ReplaceAll(text+r.message, "'", "''") + "')"
	}
	if !strings.Contains(r.pointer, "/*") {
		return literal(r.pointer)
	}
	var out strings.Builder
	out.WriteString("CASE i")
	for i := range maxIndex + 1 {
		fmt.Fprintf(&out, " WHEN %d THEN %s", i, literal(strings.Replace(r.pointer, "/*", "/"+strconv.Itoa(i), 1)))
	}
	fmt.Fprintf(&out, " ELSE %s END", literal(r.pointer))
	return out.String()
}
