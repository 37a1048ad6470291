package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

type workersDiffCmd struct {
	A        string `arg:"" name:"worker" help:"Name, id or host of a worker." placeholder:"NAME|ID|HOST"`
	B        string `arg:"" name:"other" help:"Name, id or host of another worker." placeholder:"NAME|ID|HOST"`
	Role     string `help:"Compare only this role: worker or sensor." placeholder:"ROLE"`
	ExitCode bool   `help:"Exit with 3 if they differ."`
}

// Help returns the longer text of --help.
func (c *workersDiffCmd) Help() string {
	return "Compares the last reports of the two workers; nothing runs on their hosts. Lists runtimes that only one has, then different " +
		"versions, paths and reasons for absence; then different labels and settings of the two machines. " +
		"The terms name:NAME, id:N and host:HOST work too."
}

// Run shows how two workers differ.
func (c *workersDiffCmd) Run(ctx context.Context, env *cli.Env) error {
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	a, err := c.one(ctx, src, c.A)
	if err != nil {
		return err
	}
	b, err := c.one(ctx, src, c.B)
	if err != nil {
		return err
	}
	d, err := src.diff(ctx, a, b)
	if err != nil {
		return fmt.Errorf("compare workers of %s: %w", src.name(), err)
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, d)
	} else {
		printDifference(env.Out, d)
	}
	noteWithheld(env, src)
	if err == nil && c.ExitCode && !d.Empty() {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// one finds the only worker with a name.
func (c *workersDiffCmd) one(ctx context.Context, src source, name string) (*store.WorkerSnapshot, error) {
	found, err := findWorkers(ctx, src, name, c.Role)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		one := &found[0]
		err := answer.EachWorker(ctx, src, found, func(w *store.WorkerSnapshot) error {
			one = w
			return nil
		})
		return one, err
	}
	var list []string
	for i := range found {
		list = append(list, fmt.Sprintf("%s %s (id %d)", cli.RoleName(found[i].WorkerRole), found[i].Name, found[i].ID))
	}
	return nil, cli.Usagef("%q matches several workers: %s; use --role, or an id", name, strings.Join(list, ", "))
}

func printDifference(out *cli.Terminal, d *answer.Difference) {
	a, b := d.A.Name, d.B.Name
	if a == b {
		a, b = fmt.Sprintf("%s (%s %d)", a, d.A.Role, d.A.ID), fmt.Sprintf("%s (%s %d)", b, d.B.Role, d.B.ID)
	}
	if len(d.Runtimes) > 0 {
		t := cli.NewTable("RUNTIME", cli.Clean(a), cli.Clean(b))
		t.Wrap, t.WrapFrom = true, 1
		for i := range d.Runtimes {
			r := &d.Runtimes[i]
			paths := r.Kind == answer.DifferentPaths
			t.Row(cli.Cell{Text: r.Name, Style: cli.Cyan}, holding(&r.A, paths), holding(&r.B, paths))
		}
		t.Print(out)
	}
	if len(d.Facts) > 0 {
		if len(d.Runtimes) > 0 {
			out.Printf("\n")
		}
		t := cli.NewTable("SETTING", cli.Clean(a), cli.Clean(b))
		t.Wrap, t.WrapFrom = true, 1
		for _, f := range d.Facts {
			t.Row(cli.Cell{Text: f.Key}, cli.Cell{Text: plainJSON(f.A)}, cli.Cell{Text: plainJSON(f.B)})
		}
		t.Print(out)
	}
	if d.Empty() {
		what := ""
		if d.Facts == nil { // they may differ in these
			what = " in runtimes"
		}
		out.Printf("%s and %s do not differ%s\n", cli.Clean(a), cli.Clean(b), what)
	}
	if len(d.Same) > 0 {
		out.PrintProse(cli.Dim, "the same on both:", 18, cli.Clean(strings.Join(d.Same, ", ")))
	}
	for _, s := range []answer.Subject{d.A, d.B} {
		if s.Stale {
			out.Printf("%s is stale: this is what it reported last\n", cli.Clean(s.Name))
		}
	}
}

// holding returns a cell with a worker's versions of a runtime, or with their paths
// if only the paths differ.
func holding(h *answer.Holding, paths bool) cli.Cell {
	if h.Outcome != schema.OutcomeAvailable {
		return cli.Cell{Text: strings.ReplaceAll(h.Outcome, "_", " "), Style: cli.Yellow}
	}
	var parts []string
	if paths {
		for _, in := range h.Installations {
			parts = append(parts, strings.TrimSpace(in.Version+" "+in.Path))
		}
	} else {
		for _, v := range h.Versions() {
			parts = append(parts, cli.Or(v, "unknown version"))
		}
	}
	return cli.Cell{Text: strings.Join(parts, ", ")}
}

// plainJSON returns a JSON value for people: texts without quotes, null as -.
func plainJSON(value json.RawMessage) string {
	var text string
	var list []string
	switch {
	case string(value) == "null":
		return "-"
	case json.Unmarshal(value, &text) == nil:
		return text
	case json.Unmarshal(value, &list) == nil:
		return strings.Join(list, " ")
	}
	return string(value)
}
