package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// maxIndex is the highest index of a list that a message of SQLite names:
// RAISE takes literal messages only, so each place has its own.
const maxIndex = 9

// write writes the view, its trigger, and the triggers of the columns.
func (g *sqliteGuard) write(out *strings.Builder, w guarded) {
	out.WriteByte('\n')
	dropSQLite(out, w)
	view := w.function()
	fmt.Fprintf(out, "\nCREATE VIEW {schema}.%s AS SELECT '' AS document WHERE 0;\n", view)
	fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.%[1]s_fault INSTEAD OF INSERT ON %[1]s\nBEGIN\n", view)
	if g.before.queries != nil {
		g.statement(out, w, 0, g.before.rules, g.before.queries)
	}
	g.statement(out, w, g.before.rules, len(g.rules), g.queries)
	out.WriteString("END;\n")
	for _, c := range w.columns {
		for _, t := range []struct{ event, of, when string }{
			{"insert", "INSERT", ""},
			{"update", "UPDATE OF " + sqlName(c.Name), fmt.Sprintf("\n    WHEN NEW.%[1]s IS NOT OLD.%[1]s", sqlName(c.Name))},
		} {
			fmt.Fprintf(out, "\nCREATE TRIGGER {schema}.%[1]s BEFORE %[2]s ON %[3]s%[4]s\nBEGIN\n    INSERT INTO %[5]s (document) VALUES (NEW.%[6]s);\nEND;\n",
				sqliteTrigger(c, t.event), t.of, sqlName(c.Table), t.when, view, sqlName(c.Name))
		}
	}
}

// statement gives up with the message of the first rule that a query finds.
func (g *sqliteGuard) statement(out *strings.Builder, w guarded, from, to int, queries []string) {
	out.WriteString("    SELECT CASE rule\n")
	for i := from; i < to; i++ {
		fmt.Fprintf(out, "        WHEN %d THEN %s\n", i+1, g.rules[i].raise(w))
	}
	fmt.Fprintf(out, "    END FROM (\n        %s\n        LIMIT 1\n    );\n", strings.Join(queries, "\n        UNION ALL "))
}

// raise gives up with the message of a rule.
func (r sqliteRule) raise(w guarded) string {
	literal := func(pointer string) string {
		text := strings.Join(w.names(), ", ") + ": "
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
