package unify

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
)

// String returns the plan for an operator.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Plan to unify the runtimes of schema %q. Nothing has been changed.\n", p.Schema)
	p.writeRuntimes(&b)
	writeTables(&b, "Rows that are re-pointed", p.Tables)
	writeChanges(&b, p.Changes)
	for i, note := range p.Notes {
		if i == 0 {
			b.WriteString("\nNotes\n")
		}
		fmt.Fprintf(&b, "  %s\n", note)
	}
	writeObstacles(&b, p.Obstacles)
	fmt.Fprintf(&b, "\nPlan: %s become %d, %s re-pointed, %s, %s.\n", plural(int64(p.Sources()), "runtime"), len(p.Runtimes),
		plural(p.Rows(), "row"), plural(int64(p.Conflicts()), "conflict"), plural(int64(len(p.Obstacles)), "obstacle"))
	return printable(b.String())
}

// sign maps actions to their signs.
var sign = map[string]string{"add": "+", "drop": "-", "change": "~"}

func writeChanges(b *strings.Builder, changes []Change) {
	for i, c := range changes {
		if i == 0 {
			b.WriteString("\nChanges of the schema\n")
		}
		fmt.Fprintf(b, "  %s %s\n", sign[c.Action], c.Object)
	}
}

func (p *Plan) writeRuntimes(b *strings.Builder) {
	for i, m := range p.Runtimes {
		if i == 0 {
			b.WriteString("\nRuntimes\n")
		}
		fmt.Fprintf(b, "  %s (row %d)\n", m.Ref, m.ID)
		table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		for _, from := range m.From {
			if from.Ref != m.Ref || len(m.From) > 1 {
				fmt.Fprintf(table, "      <-\t%s\trow %d\n", from.Ref, from.ID)
			}
		}
		for _, key := range m.FromCore {
			fmt.Fprintf(table, "      +\t%s\tfrom the core definition\n", key)
		}
		_ = table.Flush()
		for _, c := range m.Conflicts {
			fmt.Fprintf(b, "      ! %s: %s of %s wins over %s of %s\n", c.Key, short(c.Kept), c.KeptFrom, short(c.Lost), c.LostFrom)
		}
	}
}

func writeTables(b *strings.Builder, title string, tables []Repointed) {
	if len(tables) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, t := range tables {
		fmt.Fprintf(table, "  %s.%s\t%d\n", t.Table, t.Column, t.Rows)
	}
	_ = table.Flush()
}

func writeLosses(b *strings.Builder, title string, losses []Loss) {
	for i, l := range losses {
		if i == 0 {
			fmt.Fprintf(b, "\n%s\n", title)
		}
		fmt.Fprintf(b, "  ! %s: %s\n", l.Object, l.Reason)
	}
}

func writeObstacles(b *strings.Builder, obstacles []Obstacle) {
	for i, o := range obstacles {
		if i == 0 {
			b.WriteString("\nObstacles\n")
		}
		fmt.Fprintf(b, "  %d. %s: %s\n%s\n", i+1, o.Object, o.Reason, indent(o.SQL, "       "))
	}
}

// String returns the plan for an operator.
func (p *DownPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Plan to undo the unification of schema %q. Nothing has been changed.\n", p.Schema)
	for i, r := range p.Runtimes {
		if i == 0 {
			b.WriteString("\nRuntimes\n")
		}
		fmt.Fprintf(&b, "  %s (%s) <- %s%s\n", r.Ref, rowOf(r.ID), r.From, map[bool]string{false: ", added since"}[r.Former])
	}
	writeTables(&b, "Rows that are restored", p.Tables)
	writeChanges(&b, p.Changes)
	writeLosses(&b, "Without a legacy form, refused unless forced", p.Losses)
	writeObstacles(&b, p.Obstacles)
	fmt.Fprintf(&b, "\nPlan: %s, %s, %s.\n", plural(int64(len(p.Runtimes)), "runtime"),
		plural(int64(len(p.Losses)), "loss"), plural(int64(len(p.Obstacles)), "obstacle"))
	return printable(b.String())
}

func rowOf(id int64) string {
	if id == 0 {
		return "a new row"
	}
	return fmt.Sprintf("row %d", id)
}

func plural(n int64, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "s"):
		return fmt.Sprintf("%d %ses", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// short returns a value in the length of a line.
func short(value []byte) string {
	text := []rune(string(value))
	if len(text) > 60 {
		return string(text[:57]) + "..."
	}
	return string(text)
}

// printable escapes characters that could control a terminal, because names and values come from
// others.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "\\u%04x", r)
	}
	return b.String()
}

// String returns the report for an operator.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s became %d, %s re-pointed.\n", plural(r.Before, "runtime"), r.After, plural(r.Rows(), "row"))
	changed := slices.DeleteFunc(slices.Clone(r.Tables), func(t Repointed) bool { return t.Rows == 0 })
	writeTables(&b, "Rows that were re-pointed", changed)
	writeLosses(&b, "Given up", r.Losses)
	return printable(b.String())
}
