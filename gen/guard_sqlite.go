package gen

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/schema/document"
)

// SQLite has no regular expressions, and its RAISE takes only literal messages. So its
// guards check the shape of a document, and name every element of a list *.

// maxStatements bounds the statements that check one document. More of them would be slow,
// and too long to review.
const maxStatements = 500

const sqliteHead = `--
-- They judge shape: types, required keys, ranges, values of enums, keys and elements
-- that occur twice. Formats, limits of nesting and of digits, and the syntax of text
-- are judged when a row is read. A * in a message is an element of a list.
`

// emitSQLite returns the guards for SQLite: a view for each document, whose trigger checks
// inserted documents, and triggers that insert each column's values into the view.
func emitSQLite(p *model.Package) ([]byte, error) {
	var out strings.Builder
	fmt.Fprintf(&out, guardHead+sqliteHead, strings.TrimPrefix(Header, "// "), "SQLite")
	var faults Faults
	for _, w := range guardTargets(p) {
		g := sqliteGuard{of: w, at: w.pos, faults: &faults}
		if w.plain {
			g.column()
		} else {
			g.document()
		}
		g.write(&out)
	}
	return []byte(out.String()), faults.err()
}

// emitSQLiteDrop returns the statements that remove the guards.
func emitSQLiteDrop(p *model.Package) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "-- %s\n", strings.TrimPrefix(Header, "// "))
	for _, w := range guardTargets(p) {
		dropSQLite(&out, w)
	}
	return []byte(out.String())
}

func dropSQLite(out *strings.Builder, w guardTarget) {
	for _, c := range w.columns {
		for _, event := range []string{"insert", "update"} {
			fmt.Fprintf(out, "DROP TRIGGER IF EXISTS {schema}.%s;\n", sqliteTrigger(c, event))
		}
	}
	fmt.Fprintf(out, "DROP VIEW IF EXISTS {schema}.%s;\n", w.function())
}

func sqliteTrigger(c model.Column, event string) string {
	return "attune_guard_" + c.Table + "_" + c.Name + "_" + event
}

// A sqliteGuard writes the trigger that checks one document. Its statements abort with the
// first fault, and each of them relies on the ones before it.
type sqliteGuard struct {
	of   guardTarget
	body strings.Builder
	// statements and lists count what has been written so far.
	statements, lists int

	at     token.Position
	faults *Faults
}

// A sqlitePlace is where values of one type are in a document.
type sqlitePlace struct {
	// from has a json_each for each list around the values.
	from []string
	// value and path are the arguments of json_each and json_type that lead to the values.
	value, path string
	pointer     string
	depth       int
	// keyed means that the values are those of a map.
	keyed bool
}

func (p sqlitePlace) key(key string) sqlitePlace {
	p.path += `."` + key + `"`
	p.pointer += pointerOf(key)
	p.depth++
	p.keyed = false
	return p
}

// args returns the arguments of json_each and json_type.
func (p sqlitePlace) args() string {
	if p.path == "$" {
		return p.value
	}
	return p.value + ", " + sqlText(p.path)
}

// elements returns the place of the elements of a list, or of the values of a map, under an alias.
func (p sqlitePlace) elements(alias string, keyed bool) sqlitePlace {
	from := append(slices.Clone(p.from), "json_each("+p.args()+") AS "+alias)
	return sqlitePlace{from: from, value: alias + ".value", path: "$", pointer: p.pointer + "/*", depth: p.depth + 1, keyed: keyed}
}

// abort returns the expression that refuses the row.
func (g *sqliteGuard) abort(pointer, message string) string {
	text := strings.Join(g.of.names(), ", ") + ": "
	if pointer != "" {
		text += pointer + ": "
	}
	if strings.Contains(text+message, placeholder) {
		g.faults.add(g.at, "a guard of SQLite cannot have %s in a message, because it is replaced by the schema's name: %s", placeholder,
			strings.TrimPrefix(pointer+": "+message, ": "))
	}
	return "RAISE(ABORT, '" + strings.ReplaceAll(text+message, "'", "''") + "')"
}

// when returns a case of a CASE expression.
func (g *sqliteGuard) when(condition, pointer, message string) string {
	return "WHEN " + condition + " THEN " + g.abort(pointer, message)
}

// judge writes a statement that reports the first case that holds.
func (g *sqliteGuard) judge(of string, cases, from []string, where string) {
	if len(cases) == 0 {
		return
	}
	g.statement("    SELECT CASE%s\n        %s\n    END%s;\n", of, strings.Join(cases, "\n        "), fromWhere(from, where))
}

func (g *sqliteGuard) statement(format string, args ...any) {
	fmt.Fprintf(&g.body, format, args...)
	if g.statements++; g.statements == maxStatements+1 {
		g.faults.add(g.of.pos, "the guards of SQLite judge a document in at most %d statements, and %s needs more", maxStatements, g.of.what)
	}
}

func fromWhere(from []string, where string) string {
	out := ""
	if len(from) > 0 {
		out = "\n        FROM " + strings.Join(from, ", ")
	}
	if where != "" {
		out += "\n        WHERE " + where
	}
	return out
}

// column checks a column of text.
func (g *sqliteGuard) column() {
	const text = "NEW.document"
	cases := []string{g.when("typeof("+text+") NOT IN ('text', 'null')", "", "must be "+requirement(&g.of.field.Type)),
		g.when("instr("+text+", char(0)) > 0", "", demandNoNUL)}
	if g.of.field.MustExist() {
		cases = append(cases, g.when(text+" IS NULL", "", demandRequired))
	}
	g.judge("", append(cases, g.scalar(g.of.field, text, "")...), nil, "")
}

// document checks a column of JSON.
func (g *sqliteGuard) document() {
	const doc = "NEW.document"
	f := g.of.field
	is, allowed := sqliteTypes[f.Type.Kind][0], sqliteTypes[f.Type.Kind]
	var cases []string
	if f.MustExist() {
		cases = append(cases, g.when(doc+" IS NULL", "", demandRequired))
	} else {
		allowed = append(slices.Clone(allowed), "null")
	}
	cases = append(cases,
		g.when("typeof("+doc+") = 'blob'", "", demandText),
		g.when("instr("+doc+", char(0)) > 0 OR NOT json_valid("+doc+")", "", demandJSON),
		g.when(fmt.Sprintf("length(%s) > %d AND length(CAST(json(%[1]s) AS BLOB)) > %[2]d", doc, document.MaxSize), "", demandSmall),
		g.when(fmt.Sprintf("json_type(%s) NOT IN %s", doc, sqlList(allowed...)), "", "must be "+requirement(&f.Type)))
	if most := f.ElementRules().Most; most > 0 {
		count := "json_array_length(" + doc + ")"
		if f.Type.Kind == model.Map {
			count = "(SELECT count(*) FROM json_each(" + doc + "))"
		}
		tooLong := fmt.Sprintf("json_type(%s) = '%s' AND %s > %d", doc, is, count, most)
		cases = append(cases, g.when(tooLong, "", demandFew(f.ElementRules())))
	}
	g.judge("", cases, nil, "")
	g.statement("    SELECT %s\n        FROM json_tree(%s)\n        WHERE typeof(key) = 'text' GROUP BY parent, key HAVING count(*) > 1;\n",
		g.abort("", demandKey), doc)
	root := sqlitePlace{value: doc, path: "$", depth: 1}
	switch { // for a null document json_each has one row without a key
	case f.Type.Kind == model.List:
		g.judge("", g.elements(f.ElementRules(), doc, "typeof(key) = 'integer' AND ", root.pointer), nil, "")
	case f.Type.Kind == model.Map && f.Type.Elem.Kind != model.List:
		g.judge("", g.elements(f, doc, "typeof(key) = 'text' AND type <> 'null' AND ", root.pointer), nil, "")
	case f.Type.Kind == model.Map:
		g.judge("", g.elements(f, doc, "typeof("+mapAlias+".key) = 'text' AND "+mapAlias+".type <> 'null' AND ", root.pointer), nil, "")
	}
	g.value(f, root)
}

// sqliteTypes holds the names that json_each has for the types.
var sqliteTypes = map[model.Kind][]string{
	model.Text: {"text"}, model.Duration: {"text"}, model.Time: {"text"}, model.Bool: {"true", "false"}, model.Int: {"integer", "real"},
	model.Float: {"integer", "real"}, model.Object: {"object"}, model.Map: {"object"}, model.List: {"array"},
}

// value checks the members of an object or a list. Values that are nested deeper than any
// document may be are checked only when they are read.
func (g *sqliteGuard) value(f *model.Field, p sqlitePlace) {
	switch {
	case p.depth > document.MaxDepth || g.statements > maxStatements:
	case f.Type.Kind == model.Object:
		g.object(f.Type.Document, p)
	case f.Type.Elem != nil && f.Type.Inner() != nil:
		g.lists++
		g.value(f.Element(), p.elements("e"+strconv.Itoa(g.lists), f.Type.Kind == model.Map))
	}
}

func (g *sqliteGuard) object(d *model.Document, p sqlitePlace) {
	element, isObject := p.element()
	isElement := "typeof(" + element + ".key) = 'integer'" // for a null list json_each has one row without a key
	if p.keyed {
		isElement = "typeof(" + element + ".key) = 'text' AND " + element + ".type <> 'null'"
	}
	var missing, members []string
	if element != "" {
		missing = append(missing, g.when(element+".type <> 'object'", p.pointer, "must be an object"))
	}
	for _, f := range d.Fields {
		g.at = f.Pos
		at := p.key(f.Key)
		if f.MustExist() {
			kind := "coalesce(json_type(" + at.args() + "), 'null')"
			missing = append(missing, g.when(kind+" = 'null'", at.pointer, demandRequired))
		}
		if f.Type.Kind != model.Raw {
			var quoted []string // two comparisons are faster than IN
			for _, allowed := range append(slices.Clone(sqliteTypes[f.Type.Kind]), "null") {
				quoted = append(quoted, sqlText(allowed))
			}
			wrongType := "m.type <> " + strings.Join(quoted, " AND m.type <> ")
			cases := append([]string{g.when(wrongType, at.pointer, "must be "+requirement(&f.Type))}, g.scalar(f, "m.value", at.pointer)...)
			members = append(members, fmt.Sprintf("WHEN %s THEN CASE\n            %s\n        END",
				sqlText(f.Key), strings.Join(cases, "\n            ")))
		}
		if (f.MustExist() || f.Type.Kind == model.Object || f.Type.Elem != nil) && strings.ContainsAny(f.Key, `"\`) {
			g.faults.add(f.Pos, "the guards of SQLite cannot look for the key %s: it has a quote or a backslash", f.Key)
		}
	}
	if element != "" {
		g.judge("", missing, p.from, isElement)
	} else {
		g.judge("", missing, p.from, "json_type("+p.args()+") = 'object'")
	}
	g.judge(" m.key", members, append(slices.Clone(p.from), "json_each("+p.args()+") AS m"), isObject)
	for _, f := range d.Fields {
		g.at = f.Pos
		g.value(f, p.key(f.Key))
	}
}

// element returns the alias of the list element that p stands for, and the condition under
// which it has members. Both are empty for another place.
func (p sqlitePlace) element() (alias, isObject string) {
	alias, ok := strings.CutSuffix(p.value, ".value")
	if !ok || p.path != "$" {
		return "", ""
	}
	return alias, alias + ".type = 'object'"
}

// scalar returns the cases in which a value of the right type is wrong.
func (g *sqliteGuard) scalar(f *model.Field, value, at string) []string {
	return g.cases(sqliteFaults(f, value, "m.type"), at)
}

// elements returns the cases in which a list of values has a wrong element. only is a condition
// that selects the elements, and ends with AND.
func (g *sqliteGuard) elements(f *model.Field, list, only, at string) []string {
	return g.cases(sqliteElementFaults(f, list, only), at)
}

func (g *sqliteGuard) cases(faults []sqliteFault, at string) []string {
	var out []string
	for _, f := range faults {
		out = append(out, g.when(f.condition, at+f.at, f.message))
	}
	return out
}

// A sqliteFault is a condition on a value of the right type, and what it means.
type sqliteFault struct {
	condition string
	// at is the place below the value.
	at, message string
}

// sqliteFaults returns the faults of a value whose JSON type is right. value and kind are the
// value and its type in SQL. Each fault relies on the ones before it.
func sqliteFaults(f *model.Field, value, kind string) []sqliteFault {
	var out []sqliteFault
	when := func(message, condition string, args ...any) {
		out = append(out, sqliteFault{condition: fmt.Sprintf(condition, args...), message: message})
	}
	switch f.Type.Kind {
	case model.Int:
		// SQLite reads 2550000000000000000000e-19 as a number close to 255.
		when(demandInt(f), "%[1]s NOT BETWEEN %[2]s AND %[3]s OR %[4]s = 'real' AND round(%[1]s, 3) <> round(%[1]s)",
			value, below(f.Min), above(f.Max), kind)
	case model.Float:
		low, high := floatBounds(f)
		when(demandFloat(f), "%s NOT BETWEEN %s AND %s", value, low, high)
	case model.Duration:
		when(demandDuration(f), "%s = ''", value)
	case model.Time:
		when(demandTime, "%s = ''", value)
	case model.Text:
		if f.Required {
			when(demandRequired, "%s = ''", value)
		}
		if f.Type.Enum != nil {
			when(demandEnum(f.Type.Enum), "%s NOT IN %s", value, sqlList(append(enumValues(f.Type.Enum), "")...))
		}
		if f.Length > 0 {
			when(demandShort(f), "length(%s) > %d", value, f.Length)
		}
	case model.List:
		list := f.ElementRules()
		if list.Required {
			when(demandRequired, "json_array_length(%s) = 0", value)
		}
		if list.Most > 0 {
			when(demandFew(list), "json_array_length(%s) > %d", value, list.Most)
		}
		out = append(out, sqliteElementFaults(list, value, "")...)
	case model.Map:
		if f.Required {
			when(demandRequired, "NOT EXISTS (SELECT 1 FROM json_each(%s) WHERE type <> 'null')", value)
		}
		if f.Most > 0 {
			when(demandFew(f), "(SELECT count(*) FROM json_each(%s)) > %d", value, f.Most)
		}
		only := "type <> 'null' AND "
		if f.Type.Elem.Kind == model.List {
			only = mapAlias + "." + only
		}
		out = append(out, sqliteElementFaults(f, value, only)...)
	}
	return out
}

// mapAlias names the values of a map that holds lists.
const mapAlias = "k"

// sqliteElementFaults returns the faults of the elements of a list, or of the values of a map.
// Documents in them have statements of their own.
func sqliteElementFaults(f *model.Field, list, only string) []sqliteFault {
	elem := f.Element()
	if elem.Type.Kind == model.Object {
		return nil
	}
	value, kind, from := "value", "type", "json_each("+list+")"
	if elem.Type.Kind == model.List { // whose own json_each has columns of these names
		value, kind, from = mapAlias+".value", mapAlias+".type", from+" AS "+mapAlias
	}
	var out []sqliteFault
	when := func(at, message, condition string) {
		out = append(out, sqliteFault{"EXISTS (SELECT 1 FROM " + from + " WHERE " + only + condition + ")", "/*" + at, message})
	}
	var wrong []string
	for _, allowed := range sqliteTypes[elem.Type.Kind] {
		wrong = append(wrong, kind+" <> "+sqlText(allowed))
	}
	when("", "must be "+requirement(&elem.Type), strings.Join(wrong, " AND "))
	if enum := elem.Type.Enum; enum != nil {
		when("", demandEnum(enum), "value NOT IN "+sqlList(enumValues(enum)...))
		elem.Type.Enum = nil
	}
	for _, inner := range sqliteFaults(elem, value, kind) {
		if strings.Contains(inner.condition, " OR ") {
			inner.condition = "(" + inner.condition + ")"
		}
		when(inner.at, inner.message, inner.condition)
	}
	if f.Unique {
		twice := "(SELECT count(*) > count(DISTINCT value) FROM json_each(" + list + ") WHERE " + only + "type = 'text')"
		out = append(out, sqliteFault{condition: twice, message: demandOnce})
	}
	return out
}

// below and above return half a unit beyond a bound.
func below(n int64) string {
	if n > 0 {
		return above(n - 1)
	}
	return "-" + strings.TrimPrefix(strconv.FormatInt(n, 10), "-") + ".5"
}

func above(n int64) string {
	if n < 0 {
		return below(n + 1)
	}
	return strconv.FormatInt(n, 10) + ".5"
}

// write writes the view, its trigger, and the triggers of the columns.
func (g *sqliteGuard) write(out *strings.Builder) {
	view := g.of.function()
	out.WriteByte('\n')
	dropSQLite(out, g.of)
	fmt.Fprintf(out, "\nCREATE VIEW {schema}.%s AS SELECT '' AS document WHERE 0;\n", view)
	fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.%[1]s_fault INSTEAD OF INSERT ON %[1]s\nBEGIN\n%[2]sEND;\n", view, g.body.String())
	for _, c := range g.of.columns {
		for _, t := range []struct{ event, of, when string }{
			{"insert", "INSERT", ""},
			{"update", "UPDATE OF " + sqlName(c.Name), fmt.Sprintf("\n    WHEN NEW.%[1]s IS NOT OLD.%[1]s", sqlName(c.Name))},
		} {
			fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.%[1]s BEFORE %[2]s ON %[3]s%[4]s\nBEGIN\n"+
				"    INSERT INTO %[5]s (document) VALUES (NEW.%[6]s);\nEND;\n",
				sqliteTrigger(c, t.event), t.of, sqlName(c.Table), t.when, view, sqlName(c.Name))
		}
	}
}
