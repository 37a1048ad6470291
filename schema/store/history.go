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
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// ChangeChannel is the channel on which Postgres notifies listeners of changes. Each report
// that changes something sends one ChangeNotice as JSON. All schemas of a database share
// the channel, and every login can send on it: a notice is a hint to read the table.
const ChangeChannel = "attune_capability_change"

// A ChangeNotice is a notification on ChangeChannel. First and Last are the lowest and the
// highest id of the report's changes. Both are 0 after a cordon or a taint, which the history does
// not contain; then Worker is 0 if several workers changed.
type ChangeNotice struct {
	Schema string `json:"schema"`
	Worker int64  `json:"worker"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
}

// Changes is the history of gained and lost capabilities. Workers.Register and
// Workers.Report write it. Ids increase in the order of the changes, but overlapping
// transactions can commit in another order. Subscribe follows the history and misses no
// change.
type Changes struct {
	table[schema.CapabilityChange]
}

// After returns the changes with a higher id, oldest first. Id 0 starts at the beginning,
// and limit 0 returns all.
func (c *Changes) After(ctx context.Context, id int64, limit int) ([]schema.CapabilityChange, error) {
	return c.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if limit > 0 {
			q = q.Limit(int64(limit))
		}
		return q.Where("capability_change.id > ?", id).OrderExpr("capability_change.id")
	})
}

// Last returns the id of the newest change, or 0 for an empty history. It waits for the
// transactions that currently write to the history. Every change with a lower id is then
// visible, and every later change has a higher id.
func (c *Changes) Last(ctx context.Context) (int64, error) {
	var id int64
	err := c.db.NewRaw("SELECT coalesce((SELECT id FROM ? ORDER BY id DESC LIMIT 1), 0)", c.of(c.name)).Scan(ctx, &id)
	if err == nil && c.postgres {
		err = c.settle(ctx, id)
	}
	return id, c.fail("find", "last", err)
}

// IsKept reports whether the history still has every change with an ID above id that was ever
// committed. It may report false although it does, if the change with this ID is older than a
// day and transactions were rolled back since. Zero, the beginning of what is kept, is kept.
func (c *Changes) IsKept(ctx context.Context, id int64) (kept bool, err error) {
	if id == 0 {
		return true, nil
	}
	count := c.pick("pg_catalog.count", "count")
	// Prune deletes no change that is younger than a day, and leaves a gap.
	err = c.db.NewRaw(`SELECT EXISTS (SELECT 1 FROM ?0 AS c WHERE c.id = ?1 AND c.created > ?2)
		OR (SELECT `+count+`(*) FROM ?0 AS c WHERE c.id >= ?1) = (SELECT coalesce(`+c.pick("pg_catalog.max", "max")+`(c.id), 0) - ?1 + 1 FROM ?0 AS c)
			AND EXISTS (SELECT 1 FROM ?0 AS c WHERE c.id = ?1)`, c.of(c.name), id, c.ago(leastKept)).Scan(ctx, &kept)
	return kept, c.fail("find", id, err)
}

// A ChangeFilter selects the changes that match every field that is not zero.
type ChangeFilter struct {
	// Worker is the ID of a worker.
	Worker int64
	// Names holds patterns for the worker's name; one must match. * stands for any text and
	// ? for one character. Deleted workers count.
	Names []string
	// Roles holds roles; the worker must have one. A hybrid worker has both.
	Roles []metadata.Role
	// Ref is the ref of the runtime. Name is the name of a declared runtime without a
	// definition; it counts only if Ref is empty.
	Ref, Name string
	// Since is the maximum age of a change, by the database's clock. Zero selects any age.
	Since time.Duration
	// Before is the lowest id of the previous page. Zero starts with the newest change.
	Before int64
	// Limit is the maximum number of changes. Zero returns all.
	Limit int
}

// List returns the changes that match a filter, newest first.
func (c *Changes) List(ctx context.Context, filter ChangeFilter) ([]schema.CapabilityChange, error) {
	names := c.matchesAny("capability_change.worker_name", filter.Names)
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
		if filter.Worker != 0 {
			q = q.Where("capability_change.worker = ?", filter.Worker)
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
	}, filter.Ref, filter.Name)
}

// history returns the changes that a report makes to a worker: the gained and lost versions
// of each runtime. An executable with another version is a version change. source is the
// source of the report's document.
func history(row *schema.Worker, before, report []schema.WorkerRuntime, source capability.Source) []schema.CapabilityChange {
	type runtime struct{ ref, name string }
	runtimes := map[runtime]*comparison{}
	comparisonOf := func(r *schema.WorkerRuntime) *comparison {
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
		if c := comparisonOf(&before[i]); before[i].Outcome == schema.OutcomeAvailable { // former failures explain nothing
			c.before = append(c.before, before[i])
		}
	}
	for i := range report {
		if c := comparisonOf(&report[i]); report[i].Outcome == schema.OutcomeAvailable {
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

// A comparison holds the installations of one runtime before and after a report.
type comparison struct {
	before, after []schema.WorkerRuntime
	// failed holds the failures and the negative result of the report.
	failed []schema.WorkerRuntime
	source capability.Source
}

// changes returns the gained, lost and changed versions of the runtime.
func (c *comparison) changes() []schema.CapabilityChange {
	has := func(rows []schema.WorkerRuntime, version string) bool {
		return slices.ContainsFunc(rows, func(r schema.WorkerRuntime) bool { return r.Version == version })
	}
	var changes []schema.CapabilityChange
	added, removed := map[string]bool{}, map[string]bool{} // versions with a change already
	for _, old := range c.before {
		if has(c.after, old.Version) || removed[old.Version] {
			continue
		}
		removed[old.Version] = true
		i := slices.IndexFunc(c.after, func(r schema.WorkerRuntime) bool {
			return r.Path == old.Path && !has(c.before, r.Version) && !added[r.Version] && c.succeeds(&old, &r)
		})
		change := schema.CapabilityChange{
			RuntimeRef: old.RuntimeRef, Name: old.Name, Kind: schema.CapabilityLost, OldVersion: orNull(old.Version),
		}
		if i >= 0 {
			found := c.after[i]
			added[found.Version] = true
			change.Kind, change.NewVersion, change.Detail = schema.VersionChanged, orNull(found.Version), orNull(found.Path)
		} else {
			change.Detail = orNull(c.reason(&old))
		}
		changes = append(changes, change)
	}
	for _, found := range c.after {
		if !has(c.before, found.Version) && !added[found.Version] {
			added[found.Version] = true
			changes = append(changes, schema.CapabilityChange{
				RuntimeRef: found.RuntimeRef, Name: found.Name, Kind: schema.CapabilityGained,
				NewVersion: orNull(found.Version), Detail: orNull(found.Path),
			})
		}
	}
	return changes
}

// succeeds reports whether an executable's version takes the place of its former one. Where
// an executable has several versions, that is one with the same first number.
func (c *comparison) succeeds(old, found *schema.WorkerRuntime) bool {
	others := func(rows []schema.WorkerRuntime) bool {
		return slices.ContainsFunc(rows, func(r schema.WorkerRuntime) bool {
			return r.Path == old.Path && r.Version != old.Version && r.Version != found.Version
		})
	}
	if !others(c.before) && !others(c.after) {
		return true
	}
	first, _, _ := strings.Cut(old.Version, ".")
	return strings.HasPrefix(found.Version, first+".")
}

// reason explains why an installation was lost. The failure of its own executable explains
// it best, then the failure of its declared version, then the runtime's negative result.
func (c *comparison) reason(lost *schema.WorkerRuntime) string {
	for _, explains := range []func(f *schema.WorkerRuntime) bool{
		func(f *schema.WorkerRuntime) bool {
			return lost.Path != "" && (f.Path == lost.Path || lost.RealPath != "" && f.RealPath == lost.RealPath)
		},
		func(f *schema.WorkerRuntime) bool {
			return f.Path == "" && !f.IsNegative() && isDeclaredAs(f.VersionRaw, lost.Version)
		},
		(*schema.WorkerRuntime).IsNegative,
	} {
		if i := slices.IndexFunc(c.failed, func(f schema.WorkerRuntime) bool { return explains(&f) }); i >= 0 {
			return c.failed[i].Outcome + colon(textOf(c.failed[i].Detail))
		}
	}
	declared := c.source == capability.SourceEnvironment || c.source == capability.SourceConfig
	switch {
	case len(c.after) == 0 && declared:
		return "no longer requested: not in the list of runtimes in the worker's " + string(c.source)
	case len(c.after) == 0:
		return "no longer requested: no definition for this worker"
	case declared && lost.Source != c.after[0].Source:
		return "now declared by the worker's " + string(c.source) + " and not verified"
	case lost.Path == "":
		return "now verified, and not found"
	}
	return "no longer found at " + lost.Path
}

// isDeclaredAs reports whether a declared version such as 3.12 covers a version.
func isDeclaredAs(label, text string) bool {
	c, err := version.ParseConstraint(label)
	if err != nil {
		return false
	}
	v, err := version.Parse(text)
	return err == nil && c.Match(v, true)
}

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// add writes changes and sets their ids and times.
func (c *Changes) add(ctx context.Context, row *schema.Worker, changes []schema.CapabilityChange) error {
	if len(changes) == 0 {
		return nil
	}
	columns := []string{
		"worker", "worker_name", "worker_role", "runtime_ref", "name", "kind", "old_version", "new_version", "detail",
	}
	written := []schema.CapabilityChange{}
	err := c.db.NewRaw("INSERT INTO ? (?) VALUES ? RETURNING ?",
		c.of(c.name), names(columns), c.tuples(changes, columns), c.columns()).Scan(ctx, &written)
	if err != nil {
		return err
	}
	if len(written) != len(changes) {
		return fmt.Errorf("insert %d changes: the database returned %d", len(changes), len(written))
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
