package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

type workersHistoryCmd struct {
	Name    string `arg:"" optional:"" help:"Name or id of a worker, or its host; in a name * is any text and ? one character; of one that is deleted its name. With --follow: default all." placeholder:"NAME|ID|HOST"`
	Role    string `help:"Only of this role: worker or sensor." placeholder:"ROLE"`
	Runtime string `help:"Only of this runtime." placeholder:"RUNTIME"`
	Before  int64  `help:"Only changes before the one of this id: the last one of the part before." placeholder:"ID"`
	Limit   int    `help:"At most so many; 0, the default, is all." placeholder:"N"`
	Follow  bool   `short:"f" help:"Print changes as they happen, one a line, until interrupted; with --json each line is one JSON object."`
	After   *int64 `help:"Follow from after the change of this id (default: from now on); 0 is the beginning." placeholder:"ID"`
}

// historyPart is how many changes are read at a time.
const historyPart = 500

// usage says what is wrong with the flags together.
func (c *workersHistoryCmd) usage() error {
	switch {
	case c.Limit < 0 || c.Before < 0 || c.After != nil && *c.After < 0:
		return cli.Usagef("--limit, --before and --after cannot be negative")
	case c.Follow && (c.Limit > 0 || c.Before > 0):
		return cli.Usagef("--follow is for what is to come, --limit and --before for what was")
	case !c.Follow && c.After != nil:
		return cli.Usagef("--after goes with --follow")
	case !c.Follow && c.Name == "":
		return cli.Usagef("say whose history, or --follow all")
	}
	return nil
}

// Run shows the history of the workers of a name.
func (c *workersHistoryCmd) Run(ctx context.Context, env *cli.Env) error {
	if err := c.usage(); err != nil {
		return err
	}
	roles := []metadata.Role{metadata.Worker, metadata.Sensor}
	if c.Role != "" {
		role, err := parseRole(c.Role)
		if err != nil {
			return err
		}
		roles = []metadata.Role{role}
	}
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	keep := func(*schema.CapabilityChange) bool { return true }
	if c.Runtime != "" {
		r := requirement{name: c.Runtime}
		if err := r.resolve(ctx, db); err != nil {
			return err
		}
		keep = func(ch *schema.CapabilityChange) bool {
			return ch.RuntimeRef == r.Ref && (r.Ref != "" || ch.Name == r.Name)
		}
	}
	if c.Follow {
		return c.follow(ctx, env, db, roles, keep)
	}
	changes, err := c.changes(ctx, db, c.Name, roles, keep)
	if err == nil && len(changes) == 0 {
		changes, err = c.otherwise(ctx, db, roles, keep)
	}
	if err != nil {
		return err
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, changeDocs(changes))
	}
	if len(changes) == 0 {
		env.Out.Printf("no changes%s\n", map[bool]string{true: "", false: " that fit"}[c.Runtime == "" && c.Before == 0])
		return nil
	}
	printChanges(env.Out, changes)
	return nil
}

// otherwise looks up an argument that is no name in the history: a worker to
// which nothing ever happened, an id, or a host.
func (c *workersHistoryCmd) otherwise(
	ctx context.Context, db *cli.Database, roles []metadata.Role, keep func(*schema.CapabilityChange) bool,
) ([]schema.CapabilityChange, error) {
	workers, err := findWorkers(ctx, db, c.Name, c.Role)
	if err != nil {
		return nil, err
	}
	var all []schema.CapabilityChange
	for i := range workers {
		if workers[i].Name == c.Name {
			continue
		}
		own := roles
		switch workers[i].WorkerRole {
		case schema.RoleAction:
			own = []metadata.Role{metadata.Worker}
		case schema.RoleSensor:
			own = []metadata.Role{metadata.Sensor}
		}
		part, err := c.changes(ctx, db, workers[i].Name, own, keep)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return c.newest(all), nil
}

// changes are the newest changes of a name that are to be kept.
func (c *workersHistoryCmd) changes(
	ctx context.Context, db *cli.Database, name string, roles []metadata.Role, keep func(*schema.CapabilityChange) bool,
) ([]schema.CapabilityChange, error) {
	var all []schema.CapabilityChange
	for _, role := range roles {
		for before, kept := c.Before, 0; c.Limit == 0 || kept < c.Limit; {
			part, err := db.Store.Changes.OfWorker(ctx, role, name, before, historyPart)
			if err != nil {
				return nil, fmt.Errorf("history of %q in %s: %w", name, db.Name, err)
			}
			for i := range part {
				if keep(&part[i]) {
					all = append(all, part[i])
					kept++
				}
			}
			if len(part) < historyPart {
				break
			}
			before = part[len(part)-1].ID
		}
	}
	return c.newest(all), nil
}

// newest puts changes in their order, each once: those of a hybrid worker are in
// the history of either role.
func (c *workersHistoryCmd) newest(all []schema.CapabilityChange) []schema.CapabilityChange {
	slices.SortFunc(all, func(a, b schema.CapabilityChange) int { return cmp.Compare(b.ID, a.ID) })
	all = slices.CompactFunc(all, func(a, b schema.CapabilityChange) bool { return a.ID == b.ID })
	if c.Limit > 0 && len(all) > c.Limit {
		all = all[:c.Limit]
	}
	return all
}

// changeDoc is a change as JSON.
type changeDoc struct {
	ID         int64             `json:"id"`
	At         time.Time         `json:"at"`
	Worker     *int64            `json:"worker"` // null: deleted
	Name       string            `json:"name"`
	Role       string            `json:"role"`
	Ref        string            `json:"ref"`
	Runtime    string            `json:"runtime"`
	Kind       schema.ChangeKind `json:"kind"`
	OldVersion *string           `json:"old_version"`
	NewVersion *string           `json:"new_version"`
	Detail     *string           `json:"detail"`
}

func changeDocs(changes []schema.CapabilityChange) []changeDoc {
	docs := make([]changeDoc, 0, len(changes))
	for i := range changes {
		c := &changes[i]
		docs = append(docs, changeDoc{
			c.ID, c.Created, c.Worker, c.WorkerName, cli.RoleName(c.WorkerRole), c.RuntimeRef, c.Name, c.Kind, c.OldVersion, c.NewVersion, c.Detail,
		})
	}
	return docs
}

var changeHeadings = []string{"ID", "WHEN", "NAME", "ROLE", "CHANGE", "RUNTIME", "VERSION", "DETAIL"}

func printChanges(out *cli.Terminal, changes []schema.CapabilityChange) {
	t := cli.NewTable(changeHeadings...)
	t.Right = map[int]bool{0: true}
	t.Shrink = 7
	for i := range changes {
		t.Row(changeCells(&changes[i])...)
	}
	t.Print(out)
}

func changeCells(c *schema.CapabilityChange) []cli.Cell {
	style := map[schema.ChangeKind]cli.Style{schema.CapabilityGained: cli.Green, schema.CapabilityLost: cli.Red}[c.Kind]
	versions := textOr(c.NewVersion, textOr(c.OldVersion, "-"))
	if c.Kind == schema.VersionChanged {
		versions = textOr(c.OldVersion, "unknown") + " -> " + textOr(c.NewVersion, "unknown")
	}
	return []cli.Cell{
		{Text: strconv.FormatInt(c.ID, 10)}, {Text: stamp(c.Created)}, {Text: c.WorkerName}, {Text: cli.RoleName(c.WorkerRole)},
		{Text: string(c.Kind), Style: style}, {Text: c.Name, Style: cli.Cyan}, {Text: versions}, {Text: textOr(c.Detail, "-")},
	}
}

// textOr is a text that may be missing.
func textOr(text *string, other string) string {
	if text == nil {
		return other
	}
	return *text
}
