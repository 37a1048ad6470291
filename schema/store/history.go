package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// ChangeChannel is where Postgres notifies listeners of changes: one
// notification for each report that changed something, with a ChangeNotice as
// JSON. Installations in several schemas of a database share it.
const ChangeChannel = "attune_capability_change"

// ChangeNotice is a notification on ChangeChannel. First and Last are the ids of
// the rows of the history; no other report's are between them.
type ChangeNotice struct {
	Schema string `json:"schema"`
	Worker int64  `json:"worker"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
}

// Changes is the history of what workers gained and lost. Workers.Register and
// Workers.Report write it. A row with a higher id was committed later, so that
// who remembers the last id that he saw misses nothing.
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

// Last returns the id of the newest change, 0 where there is none: After it is
// what happens from now on.
func (c *Changes) Last(ctx context.Context) (int64, error) {
	var id int64
	err := c.db.NewRaw("SELECT coalesce((SELECT id FROM ? ORDER BY id DESC LIMIT 1), 0)", c.of(c.name)).Scan(ctx, &id)
	return id, c.fail("find", "last", err)
}

// OfWorker returns the changes of workers of a role and name, deleted ones
// too, newest first. before is the lowest id of the part before; 0 is the
// newest. limit is the most rows; 0 is all.
func (c *Changes) OfWorker(ctx context.Context, role metadata.Role, name string, before int64, limit int) ([]schema.CapabilityChange, error) {
	return c.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if before > 0 {
			q = q.Where("capability_change.id < ?", before)
		}
		if limit > 0 {
			q = q.Limit(int64(limit))
		}
		return q.Where("capability_change.worker_name = ? AND capability_change.worker_role IN (?, ?)", name, roleOf(role), schema.RoleHybrid).
			OrderExpr("capability_change.id DESC")
	}, name)
}

// history is what a report changes for a worker: for each runtime the versions
// that came and went. The same executable with another version is a change of
// version.
func history(row *schema.Worker, before, report []schema.WorkerRuntime) []schema.CapabilityChange {
	type runtime struct{ ref, name string }
	type side struct{ before, after []schema.WorkerRuntime }
	runtimes := map[runtime]*side{}
	reasons := map[runtime]*schema.WorkerRuntime{}
	of := func(r *schema.WorkerRuntime) *side {
		key := runtime{ref: r.RuntimeRef}
		if r.RuntimeRef == "" {
			key.name = r.Name
		}
		if r.Outcome != schema.OutcomeAvailable {
			reasons[key] = r
			return &side{}
		}
		if runtimes[key] == nil {
			runtimes[key] = &side{}
		}
		return runtimes[key]
	}
	for i := range before {
		s := of(&before[i])
		s.before = append(s.before, before[i])
	}
	clear(reasons) // those from before explain nothing
	for i := range report {
		s := of(&report[i])
		s.after = append(s.after, report[i])
	}
	changes := []schema.CapabilityChange{}
	for key, s := range runtimes {
		for _, c := range compareVersions(s.before, s.after, reasons[key]) {
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

// compareVersions tells what became of one runtime's versions. reason is the
// negative, nil where there is none.
func compareVersions(before, after []schema.WorkerRuntime, reason *schema.WorkerRuntime) []schema.CapabilityChange {
	has := func(rows []schema.WorkerRuntime, version string) bool {
		return slices.ContainsFunc(rows, func(r schema.WorkerRuntime) bool { return r.Version == version })
	}
	var changes []schema.CapabilityChange
	done := map[string]bool{} // versions that came by a change of version
	told := map[string]bool{} // versions that are told to have gone
	for _, was := range before {
		if has(after, was.Version) || told[was.Version] {
			continue
		}
		told[was.Version] = true
		i := slices.IndexFunc(after, func(r schema.WorkerRuntime) bool {
			return r.Path == was.Path && !has(before, r.Version) && !done[r.Version]
		})
		c := schema.CapabilityChange{RuntimeRef: was.RuntimeRef, Name: was.Name, Kind: schema.CapabilityLost, OldVersion: orNull(was.Version)}
		switch {
		case i >= 0:
			done[after[i].Version] = true
			c.Kind, c.NewVersion, c.Detail = schema.VersionChanged, orNull(after[i].Version), orNull(after[i].Path)
		case reason != nil:
			c.Detail = orNull(reason.Outcome + colon(textOf(reason.Detail)))
		case len(after) == 0:
			c.Detail = orNull("not asked for any more: no definition for this worker")
		default:
			c.Detail = orNull("not found at " + cmp.Or(was.Path, "its place") + " any more")
		}
		changes = append(changes, c)
	}
	for _, is := range after {
		if !has(before, is.Version) && !done[is.Version] {
			done[is.Version] = true
			changes = append(changes, schema.CapabilityChange{
				RuntimeRef: is.RuntimeRef, Name: is.Name, Kind: schema.CapabilityGained, NewVersion: orNull(is.Version), Detail: orNull(is.Path),
			})
		}
	}
	return changes
}

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// add writes changes and fills in their ids and times.
//
// On Postgres the writers of a database's histories wait for each other from
// here to their commit, as those that notify do at their commit anyway: ids are
// given in the order of commits then, and nobody who remembers the last one
// misses a change.
func (c *Changes) add(ctx context.Context, row *schema.Worker, changes []schema.CapabilityChange) error {
	if len(changes) == 0 {
		return nil
	}
	if c.postgres {
		if _, err := c.db.NewRaw("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(?, 0))", ChangeChannel).Exec(ctx); err != nil {
			return err
		}
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
