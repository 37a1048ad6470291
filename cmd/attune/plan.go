package main

import (
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/migrations"
)

// printPlan prints a *migrations.Plan or *migrations.DownPlan.
func printPlan(out *cli.Terminal, name string, plan any) {
	switch p := plan.(type) {
	case *migrations.Plan:
		out.Printf("%s, schema %s: %s\n", cli.Clean(name), cli.Clean(p.Schema), p.State)
		for _, n := range p.Notes {
			out.PrintProse(cli.Plain, "  note", 12, cli.Clean(n))
		}
		if !p.Due() {
			out.Printf("nothing to do\n")
			return
		}
		for _, s := range p.Pending {
			out.Printf("%s  (programs from %s on can use it)\n", stepLine("apply", "adopt", s), s.Requires)
		}
		for _, name := range p.Creates {
			out.Printf("  %-9s %s\n", "create", cli.Clean(name))
		}
		switch p.Guards {
		case migrations.GuardsInPlace, migrations.GuardsOff:
		default:
			out.Printf("  %-9s the guards of metadata in place (%s), which %s\n", "put", p.Guards, guarding(p.Guarding))
		}
		if p.Counts {
			out.Printf("  %-9s changes of runtime_version, so that hosts need not read it to see one\n", "count")
		}
		if p.Unify != nil {
			printDetail(out, p.Unify)
			if n := len(p.Unify.Obstacles); n > 0 {
				out.Printf("nothing was written; `attune migrate up` refuses until %s\n", cleared(n))
				return
			}
		}
		out.Printf("nothing was written; `attune migrate up` does it\n")
	case *migrations.DownPlan:
		out.Printf("%s, schema %s: %s\n", cli.Clean(name), cli.Clean(p.Schema), p.State)
		if p.Guards {
			out.Printf("  %-9s the guards of metadata\n", "drop")
		}
		out.Printf("%s\n", stepLine("undo", "forget", p.Step))
		for _, name := range p.Drops {
			out.Printf("  drop      %s\n", cli.Clean(name+heldBy(p, name)))
		}
		for _, b := range p.Blockers {
			out.Printf("  %s %s\n", out.Paint(cli.Red, "in the way"), cli.Clean(b))
		}
		if p.Unify != nil {
			printDetail(out, p.Unify)
		}
		out.Printf("nothing was written; %s\n", whatUndoes(p))
	}
}

// heldBy returns the number of rows that go with a table, in words.
func heldBy(p *migrations.DownPlan, table string) string {
	if n := p.Rows[table]; n > 0 {
		return " with " + cli.Count(int(n), "row")
	}
	return ""
}

// whatUndoes names the command that carries out the plan, or why it is refused.
func whatUndoes(p *migrations.DownPlan) string {
	obstacles, losses := 0, 0
	if p.Unify != nil {
		obstacles, losses = len(p.Unify.Obstacles), len(p.Unify.Losses)
	}
	const refused = "`attune migrate down` refuses "
	switch {
	case obstacles > 0:
		return refused + "until " + cleared(obstacles)
	case len(p.Packs) > 0:
		return refused + "until the above is removed; " + cli.Unloading(p.Packs)
	case len(p.Blockers) > 0 && !p.Forcible:
		return refused + "until the above is removed"
	case len(p.Blockers) > 0:
		return refused + "that; " + cli.ForcedDown(p.Step.ID, p.Named) +
			" does it, and deletes these rows: keep a backup"
	case losses > 0:
		return refused + "that; " + cli.ForcedDown(p.Step.ID, false) + " does it, and deletes what has no legacy form"
	}
	return "`attune migrate down` does it"
}

func stepLine(do, adopt string, s migrations.Step) string {
	verb := do
	if s.Adopt {
		verb = adopt
	}
	return fmt.Sprintf("  %-9s %s", verb, s.ID)
}

func cleared(obstacles int) string {
	if obstacles == 1 {
		return "the obstacle is cleared"
	}
	return fmt.Sprintf("the %d obstacles are cleared", obstacles)
}

// printDetail prints the details of the unification.
func printDetail(out *cli.Terminal, detail any) {
	if s, ok := detail.(fmt.Stringer); ok {
		text := strings.TrimRight(cli.CleanLines(s.String()), "\n")
		out.Printf("\n%s\n\n", text)
	}
}
