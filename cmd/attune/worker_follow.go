package main

import (
	"context"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

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
	var lines *follower
	if !env.JSON {
		lines = newFollower(env.Out)
	}
	out := cli.NewJSONEncoder(env.Out)
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
			lines.print(changeCells(&change))
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

// follower prints changes one a line. On a terminal they stand under headings, in
// columns that widen when they must; in a pipe they are parts with two blanks
// between them.
type follower struct {
	out    *cli.Terminal
	widths []int
}

// newFollower prints the headings at once: a person sees that it waits.
func newFollower(out *cli.Terminal) *follower {
	f := &follower{out: out}
	if !out.Person {
		return f
	}
	f.widths = []int{4, len("2006-01-02T15:04:05Z"), 12, 6, len(schema.VersionChanged), 8, 8, 0}
	headings := make([]cli.Cell, len(changeHeadings))
	for i, h := range changeHeadings {
		headings[i] = cli.Cell{Text: h, Style: cli.Bold}
	}
	f.print(headings)
	return f
}

func (f *follower) print(cells []cli.Cell) {
	var line strings.Builder
	for i, cell := range cells {
		text := cli.Clean(cell.Text)
		line.WriteString(f.out.Paint(cell.Style, text))
		if i == len(cells)-1 {
			break
		}
		if f.widths != nil {
			f.widths[i] = max(f.widths[i], utf8.RuneCountInString(text))
			line.WriteString(strings.Repeat(" ", f.widths[i]-utf8.RuneCountInString(text)))
		}
		line.WriteString("  ")
	}
	f.out.Printf("%s\n", line.String())
}
