package gen

import (
	"fmt"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// readable collects what Go would not read, whatever is in it. What is costly
// stands behind what is cheap and nearly always says that nothing is wrong.
func (g *sqliteGuard) readable(doc string) {
	fault := func(message, condition string, args ...any) {
		g.query("SELECT %s AS rule, 0 AS i WHERE %s", g.rule("", message), fmt.Sprintf(condition, args...))
	}
	fault(demandText, "typeof(%s) = 'blob'", doc)
	// To SQLite text ends at NUL, to Go it does not.
	fault(demandJSON, "instr(%[1]s, char(0)) > 0 OR NOT json_valid(%[1]s)", doc)
	fault(demandSmall, "CASE WHEN length(CAST(%[1]s AS BLOB)) > %[2]d THEN length(CAST(%[1]s AS BLOB)) > %[3]d OR length(CAST(json(%[1]s) AS BLOB)) > %[2]d END",
		doc, document.MaxSize, document.MaxText)
	// Without the pairs of them, each backslash begins an escape.
	escapes := fmt.Sprintf("replace(%s, '\\\\', '__')", doc)
	fault(demandNoNUL, `CASE WHEN instr(%s, '\u0000') > 0 THEN instr(%s, '\u0000') > 0 END`, doc, escapes)
	fault(demandSurrogate, `CASE WHEN instr(lower(%s), '\ud') > 0 THEN %s END`, doc, sqliteSurrogate("lower("+escapes+")"))
	fault(demandDepth, "CASE WHEN length(%[1]s) - length(replace(replace(%[1]s, '[', ''), '{', '')) > %[2]d THEN %[3]s END",
		doc, document.MaxDepth, sqliteDeep(doc))
	fault(demandDigits, "%s", sqliteLongNumber(doc))
	// SQLite reads the first of two keys, Postgres and Go the last or none.
	g.query("SELECT %s, 0 FROM json_tree(%s) AS t GROUP BY t.parent, t.key HAVING count(*) > 1 AND t.key IS NOT NULL", g.rule("", demandKey), doc)
}

// sqliteSurrogate is the condition that a text in lower case, whose backslashes
// each begin an escape, has half of a surrogate pair: a first one that no second
// one follows, or a second one that follows no first one.
func sqliteSurrogate(text string) string {
	var out []string
	for _, pattern := range []string{
		`\ud[89ab]??[^\]`, `\ud[89ab]??\[^u]`, `\ud[89ab]??\u[^d]`, `\ud[89ab]??\ud[^c-f]`,
		`[^\]?????\ud[c-f]`, `\[^u]????\ud[c-f]`, `\u[^d]???\ud[c-f]`, `\ud[^89ab]??\ud[c-f]`,
	} {
		out = append(out, "it GLOB '*"+pattern+"*'")
	}
	// A second one at the beginning has room for a first one before it.
	return fmt.Sprintf("(SELECT %s FROM (SELECT '      ' || %s AS it))", strings.Join(out, " OR "), text)
}

// sqliteDeep is the condition that a document is nested too deep.
func sqliteDeep(doc string) string {
	return fmt.Sprintf("EXISTS (WITH RECURSIVE inside(depth, value) AS (SELECT 1, %s UNION ALL "+
		"SELECT depth + 1, m.value FROM inside, json_each(inside.value) AS m WHERE m.type IN ('object', 'array') AND depth <= %[2]d) "+
		"SELECT 1 FROM inside WHERE depth > %[2]d)", doc, document.MaxDepth)
}

// sqliteLongNumber is the condition that a number has too many digits. Where no
// such number is a long run of digits, it has an exponent that makes SQLite take
// it for nothing or for infinite: with another value it has two thirds of the
// digits in its text, and one point at most between them. SQLite finds each number
// from the beginning of the document, so where many may be too long it looks
// at the first ones.
func sqliteLongNumber(doc string) string {
	run := strings.Repeat("[0-9]", document.MaxDigits/3)
	digits := "(SELECT max(before + power, 1) + max(behind - power, 0)" +
		" FROM (SELECT instr(digits || '.', '.') - 1 AS before, max(length(digits) - instr(digits || '.', '.'), 0) AS behind, power" +
		" FROM (SELECT ltrim(substr(it, 2, ends - 2), '-') AS digits, CAST(substr(it, ends + 1) AS INTEGER) AS power" +
		" FROM (SELECT it, " + sqliteMantissaEnd("it") + " AS ends FROM (SELECT " + sqliteNumber(doc, "t") + " AS it LIMIT 1 OFFSET 0)))))"
	return fmt.Sprintf("EXISTS (SELECT 1 FROM (SELECT t.fullkey, t.atom FROM"+
		" (SELECT CASE WHEN %[1]s GLOB '*%[2]s*' THEN 'run' WHEN %[1]s GLOB '*[0-9][eE][-+0-9]*' THEN 'power' END AS may LIMIT 1 OFFSET 0),"+
		" json_tree(CASE WHEN may IS NULL THEN '[]' ELSE %[1]s END) AS t"+
		" WHERE typeof(t.atom) = 'real' AND (may = 'run' OR t.atom = 0 OR abs(t.atom) > 1e308) LIMIT 1000) AS t WHERE %[3]s > %[4]d)", doc, run, digits, document.MaxDigits)
}

// sqliteWhole is the condition that a number is what SQLite's rounded value says,
// which is not so small and not so large that the place of the point could be
// another: the digits are the same but for zeros.
func sqliteWhole(source, row string) string {
	it := sqliteNumber(source, row)
	return fmt.Sprintf("trim(replace(substr(%[1]s, 2, %[2]s - 2), '.', ''), '-0') = trim(CAST(round(%[3]s.atom) AS INTEGER), '-0')", it, sqliteMantissaEnd(it), row)
}

// sqliteNumber is the text of a number that is a row of json_each or json_tree,
// with [ before it and a comma behind it. Where values are asked for by two
// paths, SQLite gives them as they were given, in a list. In some of its releases
// no path leads through a key with a quote.
func sqliteNumber(source, row string) string {
	return fmt.Sprintf(`CASE WHEN instr(%[2]s.fullkey, '\"') > 0 THEN '[' || %[2]s.atom || ',' ELSE json_extract(%[1]s, %[2]s.fullkey, '$[#]') END`, source, row)
}

// sqliteMantissaEnd is where the exponent or the comma behind a number stands.
func sqliteMantissaEnd(it string) string { return "instr(replace(lower(" + it + "), ',', 'e'), 'e')" }
