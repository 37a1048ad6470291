package main

import (
	"context"
	"fmt"
	"path"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// follow prints the changes that fit a filter as they happen, one a line, until ctx
// ends or the output is closed.
func (c *workersHistoryCmd) follow(ctx context.Context, env *cli.Env, db *cli.Database, filter store.ChangeFilter) error {
	names := map[string]bool{}
	if c.Name != "" {
		workers, err := findWorkers(ctx, db, c.Name, c.Role)
		if err != nil {
			return err
		}
		for i := range workers {
			names[workers[i].Name] = true
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
		fits, _ := path.Match(c.Name, change.WorkerName) // an invalid pattern matches nothing
		if c.Name != "" && !fits && !names[change.WorkerName] || !plays(&change, filter.Roles) || !ofRuntime(&change, filter) {
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

// ofRuntime reports whether a change is about the runtime of a filter.
func ofRuntime(c *schema.CapabilityChange, filter store.ChangeFilter) bool {
	switch {
	case filter.Ref != "":
		return c.RuntimeRef == filter.Ref
	case filter.Name != "":
		return c.RuntimeRef == "" && c.Name == filter.Name
	}
	return true
}

// plays reports whether the worker of a change has one of the roles. Without roles
// every worker fits.
func plays(c *schema.CapabilityChange, roles []metadata.Role) bool {
	for _, role := range roles {
		if c.WorkerRole == schema.RoleHybrid || answer.RoleName(c.WorkerRole) == string(role) {
			return true
		}
	}
	return len(roles) == 0
}
