package main

import (
	"context"
	"fmt"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/store"
)

// follow prints the changes that fit a filter as they happen, one a line, until ctx
// ends or the output is closed.
func (c *workersHistoryCmd) follow(ctx context.Context, env *cli.Env, db *cli.Database, filter store.ChangeFilter) error {
	if c.Name != "" {
		workers, err := findWorkers(ctx, db, c.Name, c.Role)
		if err != nil {
			return err
		}
		filter.Names = []string{c.Name}
		for i := range workers {
			filter.Names = append(filter.Names, workers[i].Name)
		}
	}
	after, err := db.Store.Changes.Last(ctx)
	if err != nil {
		return fmt.Errorf("follow the history in %s: %w", db.Name, err)
	}
	if c.After != nil {
		after = *c.After
	}
	var lines *cli.Stream
	if !env.JSON {
		lines = changesTable().Stream(env.Out, changeWidths())
	}
	out := cli.NewJSONEncoder(env.Out)
	for change, err := range db.Store.Changes.Subscribe(ctx, after, store.SubscribeConfig{Listen: pool.Listen(db.DB)}) {
		if err != nil {
			env.Log.Warn("changes may be late", "database", db.Name, "error", err)
			continue
		}
		if !answer.IsSelected(&change, filter) {
			continue
		}
		one := answer.ChangeOf(&change)
		if env.JSON {
			_ = out.Encode(one) // Lost remembers
		} else {
			lines.Row(changeCells(&one)...)
		}
		if env.Out.Lost != nil {
			return nil
		}
	}
	return nil
}

// changeWidths returns the initial widths of the columns of changes.
func changeWidths() []int {
	return []int{4, len("2006-01-02T15:04:05Z"), 12, 6, len(schema.VersionChanged), 8, 8, 0}
}
