package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// follow prints the changes that are to be kept as they happen, one a line,
// until ctx ends or nobody reads them any more.
func (c *workersHistoryCmd) follow(
	ctx context.Context, env *cli.Env, db *cli.Database, roles []metadata.Role, keep func(*schema.CapabilityChange) bool,
) error {
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
	out := json.NewEncoder(env.Out)
	out.SetEscapeHTML(false)
	for change, err := range db.Store.Changes.Subscribe(ctx, after, store.SubscribeConfig{Listen: database.Listen(db.DB)}) {
		if err != nil {
			env.Log.Warn("changes may be late", "database", db.Name, "error", err)
			continue
		}
		fits, _ := path.Match(c.Name, change.WorkerName) // what is no pattern is a name, an id or a host
		if c.Name != "" && !fits && !names[change.WorkerName] || !plays(&change, roles) || !keep(&change) {
			continue
		}
		if env.JSON {
			_ = out.Encode(changeDocs([]schema.CapabilityChange{change})[0]) // Lost remembers
		} else {
			printLine(env.Out, changeCells(&change))
		}
		if env.Out.Lost != nil {
			return nil
		}
	}
	return nil
}

// plays reports whether the change is of a worker that has one of the roles.
func plays(c *schema.CapabilityChange, roles []metadata.Role) bool {
	for _, role := range roles {
		if c.WorkerRole == schema.RoleHybrid || cli.RoleName(c.WorkerRole) == string(role) {
			return true
		}
	}
	return false
}

func printLine(out *cli.Terminal, cells []cli.Cell) {
	parts := make([]string, len(cells))
	for i, cell := range cells {
		parts[i] = out.Paint(cell.Style, cli.Clean(cell.Text))
	}
	out.Printf("%s\n", strings.Join(parts, "  "))
}
