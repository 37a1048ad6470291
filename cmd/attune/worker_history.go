package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// historyLimit is the default of --limit.
const historyLimit = 1000

type workersHistoryCmd struct {
	cli.Output
	Name    string         `arg:"" optional:"" help:"Name, id or host of a worker; in a name, * is any text and ? one character. For a deleted worker, its name (default: all workers)." placeholder:"NAME|ID|HOST"`
	Role    string         `help:"Show only this role: worker or sensor." placeholder:"ROLE"`
	Runtime string         `help:"Show only this runtime." placeholder:"RUNTIME"`
	Since   *time.Duration `help:"Show only changes of the last TIME: 1h, 7d." placeholder:"TIME"`
	Before  int64          `help:"Show only changes older than the change with this id; to page, pass the last id shown." placeholder:"ID"`
	Limit   *int           `help:"Show at most N; 0 shows all (default: 1000)." placeholder:"N"`
	Follow  bool           `short:"f" aliases:"watch" help:"Print changes as they happen, one a line, until interrupted; with --json each line is one JSON object. --watch is the same."`
	After   *int64         `help:"With --follow: start after the change with this id; 0 is the beginning (default: start now)." placeholder:"ID"`
}

// usage returns an error for flags that cannot be used together.
func (c *workersHistoryCmd) usage() error {
	switch {
	case c.Limit != nil && *c.Limit < 0:
		return cli.Usagef("--limit must be at least 0, got %d", *c.Limit)
	case c.Before < 0:
		return cli.Usagef("--before must be at least 0, got %d", c.Before)
	case c.After != nil && *c.After < 0:
		return cli.Usagef("--after must be at least 0, got %d", *c.After)
	case c.Since != nil && *c.Since <= 0:
		return cli.Usagef("--since must be greater than 0, got %v", *c.Since)
	case c.Follow && (c.Limit != nil || c.Before > 0 || c.Since != nil):
		return cli.Usagef("--follow shows future changes, and --limit, --before and --since select past ones; --after sets where to begin")
	case !c.Follow && c.After != nil:
		return cli.Usagef("--after goes with --follow")
	case strings.ContainsAny(c.Runtime, "@<>=~^"):
		return cli.Usagef("--runtime must be a runtime without versions, such as python, got %q", c.Runtime)
	}
	return nil
}

// Run shows the history of workers.
func (c *workersHistoryCmd) Run(ctx context.Context, env *cli.Env) error {
	if err := c.usage(); err != nil {
		return err
	}
	if c.Follow && (env.JSON || c.Output.Output == "json") { // a list without an end is lines
		env.JSON, c.Output.Output = false, "ndjson"
	}
	rows, err := c.Rows(env, "id", "at", "worker", "name", "role", "ref", "runtime", "kind", "old_version", "new_version", "detail")
	if err != nil {
		return err
	}
	limit := historyLimit
	if c.Limit != nil {
		limit = *c.Limit
	}
	filter := store.ChangeFilter{Before: c.Before}
	if limit > 0 {
		filter.Limit = limit + 1 // which shows whether there are older ones
	}
	if c.Since != nil {
		filter.Since = *c.Since
	}
	if filter.Roles, err = rolesOf(c.Role); err != nil {
		return err
	}
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	if c.Runtime != "" {
		r := requirement{Written: c.Runtime}
		if _, err := resolve(ctx, src, &r); err != nil {
			return err
		}
		filter.Ref, filter.Name = r.Ref, r.Name
	}
	if c.Follow {
		return c.follow(ctx, env, src, filter, rows)
	}
	if limit == 0 && c.Name == "" {
		return c.all(ctx, env, src, filter, rows)
	}
	changes, err := c.changes(ctx, src, filter)
	if err != nil {
		return err
	}
	if limit > 0 && len(changes) > limit {
		changes = changes[:limit]
		env.Note(fmt.Sprintf("older changes are left out; --before %d shows them, --limit 0 shows all", changes[limit-1].ID))
	}
	if rows != nil {
		return cli.PrintRows(rows, changes)
	}
	table := newChangesTable()
	table.print(env.Out, changes)
	c.end(env, table)
	return nil
}

// all prints the changes of all workers as they are read.
func (c *workersHistoryCmd) all(ctx context.Context, env *cli.Env, src source, filter store.ChangeFilter, list cli.Rows) error {
	table := newChangesTable()
	err := src.eachChange(ctx, filter, func(changes []answer.Change) error {
		if list == nil {
			table.print(env.Out, changes)
			return env.Out.Lost
		}
		for i := range changes {
			if err := list.Add(&changes[i]); err != nil {
				return err
			}
		}
		return env.Out.Lost
	})
	if err != nil {
		return fmt.Errorf("history in %s: %w", src.name(), err)
	}
	if list != nil {
		return list.Close()
	}
	c.end(env, table)
	return nil
}

// end prints the line under a table of changes.
func (c *workersHistoryCmd) end(env *cli.Env, t *changes) {
	if t.count == 0 {
		narrowed := c.Runtime != "" || c.Before > 0 || c.Since != nil
		env.Out.Printf("no changes%s\n", map[bool]string{true: " that fit"}[narrowed])
		return
	}
	t.total(env.Out)
}

// changes returns the changes that are asked for.
func (c *workersHistoryCmd) changes(ctx context.Context, src source, filter store.ChangeFilter) (changes []answer.Change, err error) {
	if c.Name == "" {
		changes, err = src.history(ctx, filter)
	} else {
		changes, err = historyOf(ctx, src, c.Name, filter)
	}
	return changes, lookUpError(src, err, "history in "+src.name())
}

// changesTable returns the table of changes, which fits a narrow terminal.
func changesTable() *cli.Table {
	t := cli.NewTable("ID", "WHEN", "NAME", "ROLE", "CHANGE", "RUNTIME", "VERSION", "DETAIL")
	t.Right = map[int]bool{0: true}
	t.Wrap, t.Drop = true, []int{3, 0}
	return t
}

// changes is a table of changes that counts them.
type changes struct {
	*cli.Table
	count  int
	byKind map[schema.ChangeKind]int
}

func newChangesTable() *changes { return &changes{changesTable(), 0, map[schema.ChangeKind]int{}} }

// print adds changes and prints them.
func (t *changes) print(out *cli.Terminal, list []answer.Change) {
	if len(list) == 0 {
		return
	}
	for i := range list {
		t.Row(changeCells(&list[i])...)
		t.byKind[list[i].Kind]++
	}
	t.count += len(list)
	t.Print(out)
}

// total prints the number of changes by kind.
func (t *changes) total(out *cli.Terminal) {
	var parts []string
	for _, kind := range []schema.ChangeKind{schema.CapabilityGained, schema.CapabilityLost, schema.VersionChanged} {
		if n := t.byKind[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kindName(kind)))
		}
	}
	out.PrintProse(cli.Plain, "", 0, cli.Count(t.count, "change")+": "+strings.Join(parts, ", "))
}

// kindName returns a kind of change in words.
func kindName(kind schema.ChangeKind) string { return strings.ReplaceAll(string(kind), "_", " ") }

func changeCells(c *answer.Change) []cli.Cell {
	style := map[schema.ChangeKind]cli.Style{schema.CapabilityGained: cli.Green, schema.CapabilityLost: cli.Red}[c.Kind]
	versions := textOr(c.NewVersion, textOr(c.OldVersion, "-"))
	if c.Kind == schema.VersionChanged {
		versions = textOr(c.OldVersion, "unknown") + " -> " + textOr(c.NewVersion, "unknown")
	}
	return []cli.Cell{
		{Text: strconv.FormatInt(c.ID, 10)}, {Text: stamp(c.At)}, {Text: c.Name}, {Text: c.Role},
		{Text: string(c.Kind), Style: style}, {Text: c.Runtime, Style: cli.Cyan}, {Text: versions, Aside: versions == "-"},
		{Text: textOr(c.Detail, "-"), Aside: c.Detail == nil},
	}
}

// textOr returns *text, or other if text is nil.
func textOr(text *string, other string) string {
	if text == nil {
		return other
	}
	return *text
}
