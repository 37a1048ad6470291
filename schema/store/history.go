package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// ChangeChannel is where Postgres notifies listeners of changes: one
// notification for each report that changed something, with a ChangeNotice as
// JSON. Installations in several schemas of a database share it, and so does
// whoever may connect: it is a hint, and the table is the truth.
const ChangeChannel = "attune_capability_change"

// ChangeNotice is a notification on ChangeChannel. First and Last are the lowest
// and the highest id of the report's rows of the history.
type ChangeNotice struct {
	Schema string `json:"schema"`
	Worker int64  `json:"worker"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
}

// Changes is the history of what workers gained and lost. Workers.Register and
// Workers.Report write it. Ids are in the order in which changes were made; those
// of transactions that overlap may be committed in another one. Subscribe follows
// them and misses none.
type Changes struct {
	table[schema.CapabilityChange]
}

// After returns the changes after the one of an id, oldest first; 0 is the
// beginning. limit is the most rows; 0 is all.
func (c *Changes) After(ctx context.Context, id int64, limit int) ([]schema.CapabilityChange, error) {
	return c.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if limit > 0 {
			q = q.Limit(int64(limit))
		}
		return q.Where("capability_change.id > ?", id).OrderExpr("capability_change.id")
	})
}

// Last returns the id of the newest change, 0 where there is none. Every change up
// to it can be read by then, or never will be: it waits for the transactions that
// write to the history at this moment. So what happens from then on is after it.
func (c *Changes) Last(ctx context.Context) (int64, error) {
	var id int64
	err := c.db.NewRaw("SELECT coalesce((SELECT id FROM ? ORDER BY id DESC LIMIT 1), 0)", c.of(c.name)).Scan(ctx, &id)
	if err == nil && c.postgres {
		err = c.settle(ctx, id)
	}
	return id, c.fail("find", "last", err)
}

// ChangeFilter says which changes are wanted: those that fit every field that is
// not zero.
type ChangeFilter struct {
	// Names of the workers: one of them, where * stands for any text and ? for one
	// character. Deleted workers count.
	Names []string
	// Roles: one of them; a hybrid worker fits every role.
	Roles []metadata.Role
	// Ref of the runtime. Name is that of a declared runtime without a definition,
	// and counts where Ref is empty.
	Ref, Name string
	// Since is the longest time ago that the change may have been, by the database's
	// time. Zero: any.
	Since time.Duration
	// Before is the lowest id of the part before. Zero is the newest.
	Before int64
	// Limit is the most changes that are returned. Zero is all.
	Limit int
}

// List returns the changes that fit a filter, newest first.
func (c *Changes) List(ctx context.Context, filter ChangeFilter) ([]schema.CapabilityChange, error) {
	asked := []any{filter.Ref, filter.Name}
	var names []any
	for _, n := range filter.Names {
		asked, names = append(asked, n), append(names, c.named("capability_change.worker_name", n))
	}
	return c.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if len(names) > 0 {
			q = q.Where("("+strings.Repeat("? OR ", len(names)-1)+"?)", names...)
		}
		if len(filter.Roles) > 0 {
			roles := []schema.WorkerRole{schema.RoleHybrid}
			for _, r := range filter.Roles {
				roles = append(roles, roleOf(r))
			}
			q = q.Where("capability_change.worker_role IN (?)", bun.List(roles))
		}
		switch {
		case filter.Ref != "":
			q = q.Where("capability_change.runtime_ref = ?", filter.Ref)
		case filter.Name != "":
			q = q.Where("capability_change.runtime_ref = '' AND capability_change.name = ?", filter.Name)
		}
		if filter.Since > 0 {
			q = q.Where("capability_change.created >= ?", c.ago(filter.Since))
		}
		if filter.Before > 0 {
			q = q.Where("capability_change.id < ?", filter.Before)
		}
		if filter.Limit > 0 {
			q = q.Limit(int64(filter.Limit))
		}
		return q.OrderExpr("capability_change.id DESC")
	}, asked...)
}

// history is what a report changes for a worker: for each runtime the versions
// that came and went. The same executable with another version is a change of
// version. source is that of the report's document.
func history(row *schema.Worker, before, report []schema.WorkerRuntime, source string) []schema.CapabilityChange {
	type runtime struct{ ref, name string }
	runtimes := map[runtime]*comparison{}
	of := func(r *schema.WorkerRuntime) *comparison {
		key := runtime{ref: r.RuntimeRef}
		if r.RuntimeRef == "" {
			key.name = r.Name
		}
		if runtimes[key] == nil {
			runtimes[key] = &comparison{source: source}
		}
		return runtimes[key]
	}
	for i := range before {
		if c := of(&before[i]); before[i].Outcome == schema.OutcomeAvailable { // failures from before explain nothing
			c.before = append(c.before, before[i])
		}
	}
	for i := range report {
		if c := of(&report[i]); report[i].Outcome == schema.OutcomeAvailable {
			c.after = append(c.after, report[i])
		} else {
			c.failed = append(c.failed, report[i])
		}
	}
	changes := []schema.CapabilityChange{}
	for _, compared := range runtimes {
		for _, c := range compared.changes() {
			c.Worker, c.WorkerName, c.WorkerRole = &row.ID, row.Name, row.WorkerRole
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b schema.CapabilityChange) int {
		return cmp.Or(cmp.Compare(a.RuntimeRef, b.RuntimeRef), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(textOf(a.OldVersion), textOf(b.OldVersion)), cmp.Compare(textOf(a.NewVersion), textOf(b.NewVersion)))
	})
	return changes
}

// comparison is what there was of one runtime, and what there is.
type comparison struct {
	before, after []schema.WorkerRuntime
	// failed are the failures and the negative of the report.
	failed []schema.WorkerRuntime
	source string
}

// changes tells what became of the runtime's versions.
func (c *comparison) changes() []schema.CapabilityChange {
	has := func(rows []schema.WorkerRuntime, version string) bool {
		return slices.ContainsFunc(rows, func(r schema.WorkerRuntime) bool { return r.Version == version })
	}
	var changes []schema.CapabilityChange
	done := map[string]bool{} // versions that came by a change of version
	told := map[string]bool{} // versions that are told to have gone
	for _, was := range c.before {
		if has(c.after, was.Version) || told[was.Version] {
			continue
		}
		told[was.Version] = true
		i := slices.IndexFunc(c.after, func(r schema.WorkerRuntime) bool {
			return r.Path == was.Path && !has(c.before, r.Version) && !done[r.Version]
		})
		change := schema.CapabilityChange{RuntimeRef: was.RuntimeRef, Name: was.Name, Kind: schema.CapabilityLost, OldVersion: orNull(was.Version)}
		if i >= 0 {
			done[c.after[i].Version] = true
			change.Kind, change.NewVersion, change.Detail = schema.VersionChanged, orNull(c.after[i].Version), orNull(c.after[i].Path)
		} else {
			change.Detail = orNull(c.why(&was))
		}
		changes = append(changes, change)
	}
	for _, is := range c.after {
		if !has(c.before, is.Version) && !done[is.Version] {
			done[is.Version] = true
			changes = append(changes, schema.CapabilityChange{
				RuntimeRef: is.RuntimeRef, Name: is.Name, Kind: schema.CapabilityGained, NewVersion: orNull(is.Version), Detail: orNull(is.Path),
			})
		}
	}
	return changes
}

// why says why an installation went: what its own executable answered, then what
// became of the version that it was declared as, then of the runtime.
func (c *comparison) why(was *schema.WorkerRuntime) string {
	for _, explains := range []func(f *schema.WorkerRuntime) bool{
		func(f *schema.WorkerRuntime) bool {
			return was.Path != "" && (f.Path == was.Path || was.RealPath != "" && f.RealPath == was.RealPath)
		},
		func(f *schema.WorkerRuntime) bool {
			return f.Path == "" && !f.IsNegative() && stands(f.VersionRaw, was.Version)
		},
		(*schema.WorkerRuntime).IsNegative,
	} {
		if i := slices.IndexFunc(c.failed, func(f schema.WorkerRuntime) bool { return explains(&f) }); i >= 0 {
			return c.failed[i].Outcome + colon(textOf(c.failed[i].Detail))
		}
	}
	// As runtime/detect calls the sources of a document that declares.
	declares := c.source == "environment" || c.source == "config"
	switch {
	case len(c.after) == 0 && declares:
		return "not asked for any more: the worker's " + c.source + " says which runtimes there are, and does not name it"
	case len(c.after) == 0:
		return "not asked for any more: no definition for this worker"
	case declares && was.Source != c.after[0].Source:
		return "declared by the worker's " + c.source + " now, and not verified"
	case was.Path == "":
		return "verified now, and not among what was found"
	}
	return "not found any more; it was at " + was.Path
}

// stands reports whether a version is one of those that a label, as 3.12, stands
// for.
func stands(label, is string) bool {
	c, err := version.ParseConstraint(label)
	if err != nil {
		return false
	}
	v, err := version.Parse(is)
	return err == nil && c.Match(v, true)
}

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// add writes changes and fills in their ids and times.
func (c *Changes) add(ctx context.Context, row *schema.Worker, changes []schema.CapabilityChange) error {
	if len(changes) == 0 {
		return nil
	}
	columns := []string{"worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail"}
	written := []schema.CapabilityChange{}
	err := c.db.NewRaw("INSERT INTO ? (?) VALUES ? RETURNING ?",
		c.of(c.name), names(columns), c.tuples(changes, columns), c.columns()).Scan(ctx, &written)
	if err != nil {
		return err
	}
	if len(written) != len(changes) {
		return fmt.Errorf("%d changes were written and %d returned", len(changes), len(written))
	}
	slices.SortFunc(written, func(a, b schema.CapabilityChange) int { return cmp.Compare(a.ID, b.ID) })
	for i := range written {
		utc(&written[i])
		changes[i].ID, changes[i].Created = written[i].ID, written[i].Created
	}
	return c.notify(ctx, ChangeNotice{Schema: c.schema, Worker: row.ID, First: written[0].ID, Last: written[len(written)-1].ID})
}

func (c *Changes) notify(ctx context.Context, n ChangeNotice) error {
	if !c.postgres {
		return nil
	}
	payload, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = c.db.NewRaw("SELECT pg_catalog.pg_notify(?, ?)", ChangeChannel, string(payload)).Exec(ctx)
	return err
}
