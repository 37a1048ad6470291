package gen

import (
	"fmt"
	"go/token"
	"strconv"
	"strings"
)

// What SQLite can take, as it is usually built: this many queries in a UNION, and
// tables in a join, of which each object and each list is one; and where a query
// is recursive, as those are that follow a pattern, so many tables in all.
const (
	maxQueries = 500
	maxJoin    = 64
	maxTables  = 900
)

// emitSQLite writes the guards for SQLite: a view for each document, whose
// trigger judges what is inserted, and triggers that hand it each column.
func emitSQLite(p *Package) ([]byte, error) {
	var out strings.Builder
	fmt.Fprintf(&out, guardHead, strings.TrimPrefix(Header, "// "), "SQLite")
	var problems Problems
	for _, w := range p.guarded() {
		g := sqliteGuard{of: w, at: w.pos, problems: &problems}
		g.whole(w)
		if g.tables > maxTables && g.patterns {
			problems.add(w.pos, "the guards of SQLite follow patterns in at most %d objects and lists, each counted for each rule about what is in it, and %s has more", maxTables, w.what)
		}
		g.write(&out, w)
	}
	return []byte(out.String()), problems.err()
}

// emitSQLiteDrop takes the guards away.
func emitSQLiteDrop(p *Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- %s\n", strings.TrimPrefix(Header, "// "))
	for _, w := range p.guarded() {
		dropSQLite(&out, w)
	}
	return []byte(out.String())
}

func dropSQLite(out *strings.Builder, w guarded) {
	for _, c := range w.columns {
		for _, event := range []string{"insert", "update"} {
			fmt.Fprintf(out, "DROP TRIGGER IF EXISTS {schema}.%s;\n", sqliteTrigger(c, event))
		}
	}
	fmt.Fprintf(out, "DROP VIEW IF EXISTS {schema}.%s;\n", w.function())
}

func sqliteTrigger(c Column, event string) string {
	return "attune_guard_" + c.Table + "_" + c.Name + "_" + event
}

// sqliteGuard collects rules, and the queries that find the first one that is
// broken: each gives the number of a rule and, where it is about the elements
// of a list, an index.
type sqliteGuard struct {
	rules   []sqliteRule
	queries []string
	aliases int
	// before are the rules and the queries about what can be read at all: they
	// are a statement of their own, which comes first.
	before struct {
		rules   int
		queries []string
	}
	// tables are those of all queries; patterns: some of these follow one.
	tables   int
	patterns bool
	// of is the whole, and at the field that is judged.
	of       guarded
	at       token.Position
	problems *Problems
}

// sqliteRule is a message, in the place of whose * an index stands.
type sqliteRule struct{ pointer, message string }

// rule gives the number of a rule.
func (g *sqliteGuard) rule(pointer, message string) string {
	if strings.Contains(pointer+message, placeholder) {
		g.problems.add(g.at, "the guards of SQLite cannot say %s, for which something else is put into their text: %s", placeholder,
			strings.TrimPrefix(pointer+": "+message, ": "))
	}
	g.rules = append(g.rules, sqliteRule{pointer, message})
	return strconv.Itoa(len(g.rules))
}

func (g *sqliteGuard) query(format string, args ...any) {
	query := fmt.Sprintf(format, args...)
	g.tables += strings.Count(query, " FROM ") + strings.Count(query, ", json_each(") + strings.Count(query, "RECURSIVE")
	g.patterns = g.patterns || strings.Contains(query, "RECURSIVE")
	if g.queries = append(g.queries, query); len(g.queries) == maxQueries+1 {
		g.problems.add(g.of.pos, "the guards of SQLite have at most %d rules that look into objects and lists, and %s needs more", maxQueries, g.of.what)
	}
}

// full reports whether there is no use in going on.
func (g *sqliteGuard) full(r rows) bool {
	if len(r.from) == maxJoin {
		g.problems.add(g.at, "the guards of SQLite look into at most %d objects and lists inside each other, and this is one more", maxJoin)
	}
	return len(r.from) >= maxJoin || len(g.queries) > maxQueries
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
	inside = r
	inside.from = append(append([]string{}, r.from...), fmt.Sprintf("json_each(%s) AS %s", r.source(empty), alias))
	inside.where = ""
	return alias, inside
}

// source is the text of the values of r where they count, and else an empty one.
func (r rows) source(empty string) string {
	if r.where == "" {
		return r.text
	}
	return fmt.Sprintf("CASE WHEN %s THEN %s ELSE '%s' END", r.where, r.text, empty)
}

func (g *sqliteGuard) whole(w guarded) {
	const doc = "NEW.document"
	if w.field.mustBe() {
		g.query("SELECT %s AS rule, 0 AS i WHERE %s IS NULL", g.rule("", demandRequired), doc)
	}
	if w.plain {
		// Functions of text do not see what is behind NUL.
		g.query("SELECT %s AS rule, 0 AS i WHERE instr(%s, char(0)) > 0", g.rule("", demandNoNUL), doc)
		g.query("SELECT rule, 0 FROM (SELECT CASE %s END AS rule FROM (SELECT typeof(%s) AS type, %[2]s AS atom) AS j) WHERE rule IS NOT NULL",
			g.scalar(w.field, "", "j", ""), doc)
		return
	}
	g.readable(doc)
	g.before.rules, g.before.queries = len(g.rules), g.queries
	g.queries, g.tables, g.patterns = nil, 0, false
	is := sqliteTypes[w.field.Type.Kind][0]
	allowed := []string{is}
	if !w.field.mustBe() {
		allowed = append(allowed, "null")
	}
	g.query("SELECT %s AS rule, 0 AS i WHERE json_type(%s) NOT IN %s", g.rule("", "must be "+w.field.Type.wanted()), doc, sqlList(allowed...))
	if list := w.field.list(); list.Most > 0 {
		g.query("SELECT %s, 0 WHERE json_type(%s) = 'array' AND json_array_length(%[2]s) > %[3]d", g.rule("", list.demandFew()), doc, list.Most)
	}
	g.value(w.field, rows{text: doc, index: "0", where: fmt.Sprintf("json_type(%s) = '%s'", doc, is)})
}

// sqliteTypes are the names that json_each has for the types.
var sqliteTypes = map[Kind][]string{Text: {"text"}, Duration: {"text"}, Bool: {"true", "false"}, Int: {"integer", "real"}, Object: {"object"}, List: {"array"}}

// value judges what is in objects and lists.
func (g *sqliteGuard) value(f *Field, r rows) {
	switch {
	case g.full(r):
	case f.Type.Kind == List:
		g.list(f, r)
	case f.Type.Kind == Object:
		g.object(f.Type.Document, r)
	}
}

func (g *sqliteGuard) object(d *Document, r rows) {
	var cases []string
	member, inside := g.each(r, "{}")
	for _, f := range d.Fields {
		g.at = f.Pos
		at := r.pointer + pointerOf(f.Key)
		if f.mustBe() {
			g.query("SELECT %s, %s%s", g.rule(at, demandRequired), r.index, r.sql(fmt.Sprintf(
				"NOT EXISTS (SELECT 1 FROM json_each(%s) AS m WHERE m.key = %s AND m.type <> 'null')", r.source("{}"), sqlText(f.Key))))
		}
		if faults := g.scalar(f, r.source("{}"), member, at); faults != "" {
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
		g.at = f.Pos
		inner := inside
		inner.where = fmt.Sprintf("%[1]s.key = %[2]s AND %[1]s.type = '%[3]s'", member, sqlText(f.Key), sqliteTypes[f.Type.Kind][0])
		inner.text = member + ".value"
		inner.pointer = r.pointer + pointerOf(f.Key)
		g.value(f, inner)
	}
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
		g.value(&Field{Type: *f.Type.Elem}, inside)
	} else {
		g.query("SELECT %s, %s%s", say("must be text"), inside.index, inside.sql(elem+".type <> 'text'"))
		if enum := f.Type.Elem.Enum; enum != nil {
			g.query("SELECT %s, %s%s", say(demandEnum(enum)), inside.index, inside.sql(fmt.Sprintf("%s.atom NOT IN %s", elem, sqlList(enumValues(enum)...))))
		}
		if f.length() > 0 {
			g.query("SELECT %s, %s%s", say(f.demandShort()), inside.index, inside.sql(elem+".type = 'text' AND "+f.tooLong(elem+".atom")))
		}
		if condition := g.format(f.Format, elem+".atom"); condition != "" {
			g.query("SELECT %s, %s%s", say(f.Format.demand()), inside.index, inside.sql(elem+".type = 'text' AND "+condition))
		}
	}
	if f.Unique {
		g.query("SELECT %s, %s%s", g.rule(r.pointer, demandOnce), r.index, r.sql(fmt.Sprintf(
			"(SELECT count(*) > count(DISTINCT u.atom) FROM json_each(%s) AS u)", r.source("[]"))))
	}
}
