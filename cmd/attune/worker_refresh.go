package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
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

// refreshBatch is how many workers one statement asks.
const refreshBatch = 1000

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
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	selection, err := wanted.selection(ctx, db)
	if err != nil {
		return err
	}
	found, err := answer.FindWorkers(ctx, db.Store, answer.WorkersQuery{Selection: selection})
	if err != nil {
		return fmt.Errorf("refresh workers of %s: %w", db.Name, err)
	}
	if found.LeftOut > 0 {
		noteLeftOut(env, found.LeftOut)
	}
	workers := found.Items
	if len(workers) == 0 {
		return noneFit(ctx, env, db, selection, []refreshDoc{})
	}
	if err := noteUnknown(ctx, env, db, selection.Names); err != nil {
		return err
	}
	docs, ids := refreshes(workers)
	if c.DryRun {
		c.Wait = false
	}
	if !c.DryRun {
		for part := range slices.Chunk(ids, refreshBatch) {
			if _, err := db.Store.Workers.RequestRefresh(ctx, part...); err != nil {
				if errors.Is(database.Classify(err), database.ErrRefused) {
					err = fmt.Errorf("%w; members of the role attune_operator may do it (docs/roles.sql)", err)
				}
				return fmt.Errorf("%s: %w", db.Name, err)
			}
		}
	}
	var late error
	if c.Wait {
		if late = c.wait(ctx, db, workers, docs); late != nil && !errors.Is(late, errLate) {
			return late
		}
	}
	if env.JSON {
		return errors.Join(cli.PrintJSON(env.Out, docs), late)
	}
	c.print(env.Out, docs)
	return late
}

// refreshDoc is a worker and whether it was asked.
type refreshDoc struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	// Status and Stale describe the worker before it was asked.
	Status string `json:"status"`
	Stale  bool   `json:"stale"`
	// Asked reports whether the worker runs, as far as the database knows.
	Asked bool `json:"asked"`
	// WithinSeconds is about how long it takes until the worker sees the request;
	// null where that is unknown.
	WithinSeconds *int `json:"within_seconds"`
	// Result is the result; null without --wait.
	Result *refreshResult `json:"result,omitempty"`
}

// refreshes returns a document for each worker, and the ids of the workers to ask. A
// stale worker is asked too: it may beat again.
func refreshes(workers []store.Selected) (docs []refreshDoc, ids []int64) {
	for i := range workers {
		w := &workers[i]
		doc := refreshDoc{
			ID: w.ID, Name: w.Name, Role: cli.RoleName(w.WorkerRole), Status: cli.StatusName(&w.Worker), Stale: w.Stale,
			Asked: w.Instance != nil, // a worker that ended has no instance
		}
		if doc.Asked {
			ids = append(ids, w.ID)
			if !w.Stale {
				doc.WithinSeconds = w.HeartbeatInterval
			}
		}
		docs = append(docs, doc)
	}
	return docs, ids
}

func (c *workersRefreshCmd) print(out *cli.Terminal, docs []refreshDoc) {
	heading := "VERIFIES"
	if c.Wait {
		heading = "RESULT"
	}
	t := cli.NewTable("NAME", "ROLE", heading)
	t.Wrap = true
	for _, d := range docs {
		if d.Result != nil {
			t.Row(cli.Cell{Text: d.Name}, cli.Cell{Text: d.Role}, d.Result.cell())
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
