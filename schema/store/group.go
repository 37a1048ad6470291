package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/capability"
)

// A GroupKey is what workers are grouped by.
type GroupKey string

// The keys of groups.
const (
	GroupRole GroupKey = "role"
	// GroupStatus groups by status. Stale workers are a group of their own.
	GroupStatus GroupKey = "status"
	GroupLabel  GroupKey = "label"
)

// A Grouping says how workers are grouped.
type Grouping struct {
	By GroupKey
	// Label is the key of the label for GroupLabel.
	Label string
}

// A GroupCount is a group of workers.
type GroupCount struct {
	// Group is the role, the status or the label's value. It is nil for workers without one.
	Group   *string
	Workers int
	// Available counts the workers that have a runtime by their last report, by its ref.
	Available map[string]int
}

// CountGroups counts workers and the runtimes that they have, by group, in no order.
func (w *Workers) CountGroups(ctx context.Context, g Grouping) ([]GroupCount, error) {
	counts := []GroupCount{}
	if !storable(g.Label) {
		return counts, nil
	}
	count := w.pick("pg_catalog.count", "count")
	grouped := w.grouped(g)
	var rows []struct {
		Name       *string
		RuntimeRef *string
		Workers    int
	}
	err := w.db.NewRaw(`SELECT g.name, CAST(NULL AS ?0) AS runtime_ref, ?1(*) AS workers FROM ?2 AS g GROUP BY g.name
		UNION ALL
		SELECT g.name, had.runtime_ref, ?1(DISTINCT had.worker) FROM ?3 AS had JOIN ?2 AS g ON g.id = had.worker
		WHERE had.outcome = ?4 AND had.runtime_ref <> '' GROUP BY g.name, had.runtime_ref`,
		bun.Safe(w.pick("pg_catalog.text", "TEXT")), bun.Safe(count), grouped, w.rows("worker_runtime"), capability.Available).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count groups of workers: %w", err)
	}
	at := map[string]int{}
	key := func(name *string) string {
		if name == nil {
			return "-"
		}
		return "+" + *name
	}
	for _, r := range rows {
		if r.RuntimeRef == nil {
			at[key(r.Name)] = len(counts)
			counts = append(counts, GroupCount{Group: r.Name, Workers: r.Workers, Available: map[string]int{}})
		}
	}
	for _, r := range rows {
		if r.RuntimeRef != nil {
			counts[at[key(r.Name)]].Available[*r.RuntimeRef] = r.Workers
		}
	}
	return counts, nil
}

// grouped returns the subquery with the group of each worker. A label is joined, because the planner asks a scalar subquery
// once for each installation.
func (w *Workers) grouped(g Grouping) any {
	if g.By == GroupLabel {
		return bun.SafeQuery(`(SELECT worker.id, label.value AS name FROM ? AS worker
			LEFT JOIN ? AS label ON label.worker = worker.id AND label.key = ?)`, w.rows("worker"), w.rows("worker_label"), g.Label)
	}
	var name any = w.text("worker.worker_role")
	if g.By == GroupStatus {
		name = bun.SafeQuery("CASE WHEN ? THEN 'stale' ELSE ? END", w.isStale(), w.text("worker.status"))
	}
	return bun.SafeQuery("(SELECT worker.id, ? AS name FROM ? AS worker)", name, w.rows("worker"))
}

// A VersionCount is a version of a runtime, and how many workers have it.
type VersionCount struct {
	// Version is empty if it is not known.
	Version    string
	Prerelease bool
	Workers    int
}

// CountVersions counts the workers that have each version of a runtime by their last report,
// the newest version first and the unknown one last.
func (r *WorkerRuntimes) CountVersions(ctx context.Context, ref string) ([]VersionCount, error) {
	counts := []VersionCount{}
	if !storable(ref) {
		return counts, nil
	}
	err := r.db.NewRaw(`SELECT had.version, had.prerelease, `+r.pick("pg_catalog.count", "count")+`(DISTINCT had.worker) AS workers FROM ? AS had
		WHERE had.runtime_ref = ? AND had.outcome = ? GROUP BY had.version, had.prerelease, had.sort_key ORDER BY had.sort_key DESC `+
		r.pick("NULLS LAST", ""), r.rows(r.name), ref, capability.Available).Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("count versions of %q: %w", ref, err)
	}
	return counts, nil
}
