package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

type migrateStatusCmd struct {
	cli.Output
	ExitCode bool `help:"Exit with 3 unless all migrations are applied, the guards in place and the tables without differences."`
}

// Help returns the longer text of --help.
func (c *migrateStatusCmd) Help() string {
	return "Compares the tables with what this release reads and writes: columns, types, nullability, defaults, unique keys " +
		"and foreign keys. Additional columns are listed and are no difference. The guards refuse faulty metadata in INSERT and UPDATE. " +
		"Malformed definitions that are older than the guards are listed and do not change the exit status. Beside a platform, only " +
		"attune's own tables and the columns that it reads count; guards do not. Writes nothing."
}

// definitions describes the rows of runtime and runtime_version.
type definitions struct {
	Count int `json:"count"`
	// LeftOut describes the rows that were not read, if any.
	LeftOut string `json:"left_out,omitempty"`
	// Malformed is nil if the rows could not be read; Error says why.
	Malformed []answer.MalformedDefinition `json:"malformed,omitzero"`
	Error     string                       `json:"error,omitempty"`
}

// Run shows which migrations are applied, and where the database differs from
// what this program expects.
func (c *migrateStatusCmd) Run(ctx context.Context, env *cli.Env) error {
	rows, err := c.Lines(env, "id", "state", "applied", "applied_by", "requires", "known")
	if err != nil {
		return err
	}
	db, m, err := openExisting(ctx, env, migrations.Config{})
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := m.Status(ctx)
	if err != nil {
		return fmt.Errorf("migration status of %s: %w", db.Name, err)
	}
	var defs *definitions
	if s.Drift != nil {
		defs = readDefinitions(ctx, db, s.Schema)
	}
	switch {
	case rows != nil:
		err = cli.PrintRows(rows, s.Migrations)
	case env.JSON:
		err = cli.PrintJSON(env.Out, struct {
			*migrations.Status
			Definitions *definitions `json:"definitions,omitempty"`
		}{s, defs})
	default:
		printStatus(env.Out, db.Name, s, defs)
	}
	if err == nil && c.ExitCode && !s.AsExpected() {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

func readDefinitions(ctx context.Context, db *cli.Database, schema string) *definitions {
	st, err := store.Open(ctx, db.DB, store.Config{Schema: schema})
	if err != nil {
		return &definitions{Error: err.Error()}
	}
	defs, leftOut, err := st.BoundedDefinitions(ctx)
	if err != nil {
		return &definitions{Error: err.Error()}
	}
	return &definitions{
		Count: len(defs), LeftOut: leftOut.String(), Malformed: answer.MalformedOf(defs, st.Layout().Guest()),
	}
}

func printStatus(out *cli.Terminal, name string, s *migrations.Status, defs *definitions) {
	out.Printf("%s, schema %s: %s%s\n\n", cli.Clean(name), cli.Clean(s.Schema), s.State, map[bool]string{true: ", attune is a guest"}[s.Guest])
	for _, f := range s.Findings {
		out.Printf("  %s\n", cli.Clean(f))
	}
	if len(s.Findings) > 0 {
		out.Printf("\n")
	}
	printMigrations(out, s.Migrations)
	out.Printf("\n")
	if s.Guards != "" {
		statusLine(out, "guards", guardStyle(s.Guards), guardText(s))
	}
	switch {
	case s.Drift == nil:
		statusLine(out, "tables", cli.Yellow, "not compared while a migration is pending; `attune migrate plan` shows what up would do")
	case len(s.Drift) == 0:
		statusLine(out, "tables", cli.Green, "as they should be")
	default:
		statusLine(out, "tables", cli.Red, differ(len(s.Drift))+" from what attune "+s.Program+" needs, see below")
	}
	if len(s.Others) > 0 {
		where := "attune's tables"
		if s.Guest {
			where = "the tables that attune reads"
		}
		statusLine(out, "others'", cli.Plain, cli.Count(len(s.Others), "column")+" in "+where+", left alone, see below")
	}
	if defs != nil {
		printDefinitions(out, defs)
	}
	for _, w := range s.Warnings {
		statusLine(out, "warning", cli.Yellow, w)
	}
	printDrift(out, s.Drift)
	printOthers(out, s.Others)
}

func printDrift(out *cli.Terminal, list []migrations.Difference) {
	if len(list) == 0 {
		return
	}
	out.Printf("\n")
	t := cli.NewTable("WHERE", "IS", "SHOULD BE")
	var where, is, should int
	for _, d := range list {
		where, is, should = max(where, len(d.Where())), max(is, len(d.Is)), max(should, len(d.ShouldBe))
		t.Row(cli.Cell{Text: d.Where()}, cli.Cell{Text: d.Is, Style: cli.Red}, cli.Cell{Text: d.ShouldBe})
	}
	// The lines must not be cut, and wrapped columns would be unreadable.
	if out.Width > 0 && where+2+is+2+should > out.Width {
		for _, d := range list {
			out.Printf("%s\n", cli.Clean(d.String()))
		}
		return
	}
	t.Print(out)
}

func printOthers(out *cli.Terminal, list []migrations.OtherColumn) {
	if len(list) == 0 {
		return
	}
	out.Printf("\n")
	t := cli.NewTable("OTHERS' COLUMN", "TYPE", "NOTE")
	for _, c := range list {
		note := "-"
		if c.Required {
			note = "not null, without a default"
		}
		t.Row(cli.Cell{Text: c.Table + "." + c.Column}, cli.Cell{Text: cli.Or(c.Type, "-")}, cli.Cell{Text: note})
	}
	t.Print(out)
}

func printMigrations(out *cli.Terminal, list []migrations.MigrationStatus) {
	t := cli.NewTable("MIGRATION", "STATE", "APPLIED", "BY", "REQUIRES")
	t.Shrink, t.Drop = 0, []int{4, 3}
	for _, m := range list {
		when := "-"
		if m.Applied != nil {
			when = m.Applied.UTC().Format(time.RFC3339)
		}
		style := cli.Green
		if m.State == migrations.Pending {
			style = cli.Yellow
		}
		t.Row(cli.Cell{Text: m.ID}, cli.Cell{Text: string(m.State), Style: style}, cli.Cell{Text: when},
			cli.Cell{Text: cli.Or(m.AppliedBy, "-")}, cli.Cell{Text: m.Requires})
	}
	t.Print(out)
}

func statusLine(out *cli.Terminal, label string, style cli.Style, text string) {
	out.Printf("%-12s %s\n", label, out.Paint(style, cli.Clean(text)))
}

func differ(n int) string {
	if n == 1 {
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

func guardStyle(g migrations.GuardState) cli.Style {
	if g == migrations.GuardsInPlace {
		return cli.Green
	}
	return cli.Yellow
}

// guarding describes what guards do.
func guarding(g migrations.Guarding) string {
	if g == migrations.GuardingWarn {
		return "let wrong metadata through with a warning"
	}
	return "refuse wrong metadata"
}

// guardText describes the state of the guards. Beside a platform it tells what they do, because that is a
// choice there.
func guardText(s *migrations.Status) string {
	switch s.Guards {
	case migrations.GuardsInPlace:
		if s.Guest || s.Guarding != migrations.GuardingRefuse {
			return string(s.Guards) + ": they " + guarding(s.Guarding)
		}
	case migrations.GuardsOff:
		return "off: wrong metadata is neither refused nor warned of; `attune migrate up --guards=warn` puts guards in place"
	case migrations.GuardsMissing:
		return "missing: wrong metadata is not refused; `attune migrate up` puts them in place"
	case migrations.GuardsIncomplete:
		return "incomplete: some are missing or switched off; `attune migrate up` puts them in place"
	case migrations.GuardsOther:
		return "different: from another release, or altered; `attune migrate up` puts this release's in place"
	}
	return string(s.Guards)
}

func printDefinitions(out *cli.Terminal, defs *definitions) {
	switch n := len(defs.Malformed); {
	case defs.Error != "":
		statusLine(out, "definitions", cli.Yellow, "not read: "+defs.Error)
	case n == 0:
		statusLine(out, "definitions", cli.Green, fmt.Sprintf("%d, none malformed", defs.Count))
	default:
		statusLine(out, "definitions", cli.Red, fmt.Sprintf("%d, %d of them malformed:", defs.Count, n))
		for _, d := range defs.Malformed {
			out.Printf("  %s: %s\n", cli.Clean(d.Ref), strings.ReplaceAll(cli.CleanLines(d.Fault), "\n", "; "))
		}
	}
	if defs.LeftOut != "" {
		statusLine(out, "", cli.Red, defs.LeftOut)
	}
}
