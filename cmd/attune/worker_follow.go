package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// errPruned means that changes behind the id to follow from may have been deleted.
var errPruned = errors.New("changes after the given id may have been deleted; going on with the ones that are left")

// follow prints the changes that fit a filter as they happen, one a line, until ctx
// ends or the output is closed.
func (c *workersHistoryCmd) follow(ctx context.Context, env *cli.Env, src source, filter store.ChangeFilter, rows cli.Rows) error {
	if c.Name != "" {
		workers, err := findWorkers(ctx, src, c.Name, c.Role)
		if err != nil {
			return err
		}
		filter.Names = []string{strings.TrimPrefix(c.Name, "name:")}
		for i := range workers {
			// A pattern matches the names that it has found; an id or a host does not.
			if !answer.IsSelected(&schema.CapabilityChange{WorkerName: workers[i].Name}, store.ChangeFilter{Names: filter.Names}) {
				filter.Names = append(filter.Names, workers[i].Name)
			}
		}
	}
	changes, err := src.follow(ctx, filter, c.After)
	if err != nil {
		return fmt.Errorf("follow the history in %s: %w", src.name(), err)
	}
	var lines *cli.Stream
	if rows == nil {
		lines = changesTable().Stream(env.Out, changeWidths())
	}
	for change, err := range changes {
		var refused *refusal
		switch {
		case errors.Is(err, errPruned):
			env.Note("changes may be missing: " + err.Error())
			continue
		case errors.As(err, &refused) && refused.isFinal():
			return fmt.Errorf("follow the history in %s: %w", src.name(), err)
		case err != nil:
			env.Log.Warn("changes may be late", "database", src.name(), "error", err)
			continue
		}
		if rows != nil {
			_ = rows.Add(&change) // Lost remembers
		} else {
			lines.Row(changeCells(&change)...)
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
