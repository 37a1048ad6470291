package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
)

type workersRefreshCmd struct {
	selector
	DryRun  bool          `help:"Show which workers would verify; change nothing."`
	Wait    bool          `help:"Wait until these workers have verified, and show the result; exit with 1 if one has not."`
	Timeout time.Duration `help:"How long --wait waits (default: ${default})." default:"2m" placeholder:"TIME"`
}

// Help returns the longer text of --help.
func (c *workersRefreshCmd) Help() string {
	return selectorHelp + " '*' is every worker. With its next heartbeat, a worker runs every command again. " +
		"`attune workers history` shows what changed, and so does --wait. A worker that is stopped verifies everything when it starts."
}

// Run asks the running workers of a selection to verify everything anew.
func (c *workersRefreshCmd) Run(ctx context.Context, env *cli.Env) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	if len(c.terms()) == 0 {
		return cli.Usagef("say which workers: a name, a selector such as 'has:python', or '*' for all")
	}
	if c.Timeout <= 0 {
		return cli.Usagef("--timeout must be greater than 0, got %v", c.Timeout)
	}
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	selection, err := wanted.selection(ctx, src)
	if err != nil {
		return err
	}
	workers, err := src.Find(ctx, selection)
	if err != nil {
		return fmt.Errorf("refresh workers of %s: %w", src.name(), err)
	}
	leftOut, err := src.leftOut(ctx, selection)
	if err != nil {
		return fmt.Errorf("refresh workers of %s: %w", src.name(), err)
	}
	if leftOut > 0 {
		noteLeftOut(env, leftOut)
	}
	if len(workers) == 0 {
		return noneFit(ctx, env, src, selection, []answer.RefreshWorker{})
	}
	if err := noteUnknown(ctx, env, src, selection.Names); err != nil {
		return err
	}
	refresh := answer.NewRefresh(workers)
	var late error
	if c.Wait && !c.DryRun {
		if err := refresh.Remember(ctx, src); err != nil {
			return fmt.Errorf("refresh workers of %s: %w", src.name(), err)
		}
	}
	if !c.DryRun {
		if err := refresh.Request(ctx, src); err != nil {
			return asOperator(src.name(), err)
		}
		if c.Wait {
			late = refresh.Wait(ctx, src, c.Timeout)
		}
	}
	if late != nil && !errors.As(late, new(*answer.LateError)) {
		return fmt.Errorf("wait for workers of %s: %w", src.name(), late)
	}
	if env.JSON {
		return errors.Join(cli.PrintJSON(env.Out, refresh.Workers), late)
	}
	c.print(env.Out, refresh.Workers)
	return late
}

func (c *workersRefreshCmd) print(out *cli.Terminal, workers []answer.RefreshWorker) {
	heading := "VERIFIES"
	if c.Wait && !c.DryRun {
		heading = "RESULT"
	}
	t := cli.NewTable("NAME", "ROLE", heading)
	t.Wrap = true
	for _, d := range workers {
		if d.Result != nil {
			t.Row(cli.Cell{Text: d.Name}, cli.Cell{Text: d.Role}, resultCell(d.Result))
			continue
		}
		when := cli.Cell{Text: "with its next heartbeat", Style: cli.Green}
		switch {
		case !d.Asked && (d.Status == string(schema.WorkerActive) || d.Status == string(schema.WorkerBusy)):
			when = cli.Cell{Text: "never: its release cannot be asked", Style: cli.Yellow}
		case !d.Asked:
			when = cli.Cell{Text: "when it starts: it is not running", Style: cli.Dim}
		case d.Stale:
			when = cli.Cell{Text: "with its next heartbeat: it is stale", Style: cli.Yellow}
		case d.WithinSeconds != nil:
			when.Text = "within about " + (time.Duration(*d.WithinSeconds) * time.Second).String()
		}
		t.Row(cli.Cell{Text: d.Name}, cli.Cell{Text: d.Role}, when)
	}
	t.Print(out)
	if c.DryRun {
		out.Printf("nobody was asked\n")
	}
}

// resultCell returns the result in words.
func resultCell(r *answer.RefreshResult) cli.Cell {
	if !r.Verified {
		return cli.Cell{Text: r.Reason, Style: cli.Red}
	}
	took := time.Duration(r.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	if r.Changes.Empty() && len(r.CouldNotTell) == 0 {
		return cli.Cell{Text: fmt.Sprintf("verified in %v, nothing changed", took), Style: cli.Green}
	}
	var parts []string
	add := func(kind string, names []string) {
		if len(names) > 0 {
			parts = append(parts, kind+" "+strings.Join(names, ", "))
		}
	}
	add("lost", r.Changes.Lost)
	add("gained", r.Changes.Gained)
	for _, v := range r.Changes.Changed {
		from, to := cli.Or(strings.Join(v.Old, ", "), "unknown"), cli.Or(strings.Join(v.New, ", "), "unknown")
		parts = append(parts, fmt.Sprintf("%s %s -> %s", v.Name, from, to))
	}
	open := slices.Concat(r.Changes.Unconfirmed, r.CouldNotTell)
	slices.Sort(open)
	add("could not determine", slices.Compact(open))
	return cli.Cell{Text: fmt.Sprintf("verified in %v: %s", took, strings.Join(parts, "; ")), Style: cli.Yellow}
}
