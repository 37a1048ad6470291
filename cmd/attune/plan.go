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
		if !p.Due() {
			out.Printf("nothing to do\n")
			return
		}
		for _, s := range p.Pending {
			printStep(out, "apply", "adopt", s)
		}
		if p.Guards != migrations.GuardsInPlace {
			out.Printf("  %-9s the guards of metadata in place (%s)\n", "put", p.Guards)
		}
		if p.Unify != nil {
			printDetail(out, p.Unify)
			if n := len(p.Unify.Obstacles); n > 0 {
				out.Printf("nothing was written; `attune migrate up` refuses until %s cleared\n", obstacles(n))
				return
			}
		}
		out.Printf("nothing was written; `attune migrate up` does it\n")
	case *migrations.DownPlan:
		out.Printf("%s, schema %s: %s\n", cli.Clean(name), cli.Clean(p.Schema), p.State)
		if p.Guards {
			out.Printf("  %-9s the guards of metadata\n", "drop")
		}
		printStep(out, "undo", "forget", p.Step)
		for _, name := range p.Drops {
			out.Printf("  drop      %s\n", cli.Clean(name))
		}
		for _, b := range p.Blockers {
			out.Printf("  %s %s\n", out.Paint(cli.Red, "in the way"), cli.Clean(b))
		}
		if p.Forcible {
			out.Printf("  --force gives that up\n")
		}
		if p.Unify != nil {
			printDetail(out, p.Unify)
		}
		out.Printf("nothing was written; `attune migrate down` does it\n")
	}
}

func printStep(out *cli.Terminal, do, adopt string, s migrations.Step) {
	verb := do
	if s.Adopt {
		verb = adopt
	}
	out.Printf("  %-9s %s  (programs from %s on can use it)\n", verb, s.ID, s.Requires)
}

func obstacles(n int) string {
	if n == 1 {
		return "the obstacle is"
	}
	return fmt.Sprintf("the %d obstacles are", n)
}

// printDetail prints what the unification says of itself.
func printDetail(out *cli.Terminal, detail any) {
	if s, ok := detail.(fmt.Stringer); ok {
		text := strings.TrimRight(cli.CleanLines(s.String()), "\n")
		out.Printf("\n%s\n\n", text)
	}
}
