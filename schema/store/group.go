package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

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
//
// The database returns the workers of each group and of each runtime, which it reads from an index. To join, sort and count
// them there takes three times as long.
func (w *Workers) CountGroups(ctx context.Context, g Grouping) ([]GroupCount, error) {
	counts := []GroupCount{}
	if !storable(g.Label) {
		return counts, nil
	}
	// A worker has a group, and the last runtime that it was counted for, because it may have several installations of one.
	type member struct{ group, counted int }
	members := map[int64]*member{}
	err := w.inSnapshot(ctx, func(ctx context.Context, db bun.IDB) error {
		in := *w
		in.db = db
		err := in.eachWorkers(ctx, bun.SafeQuery("SELECT g.name, ? AS workers FROM ? AS g GROUP BY g.name", in.idsOf("g.id"), in.grouped(g)),
			func(group *string, workers []int64) {
				for _, id := range workers {
					members[id] = &member{group: len(counts), counted: -1}
				}
				counts = append(counts, GroupCount{Group: group, Workers: len(workers), Available: map[string]int{}})
			})
		if err != nil {
			return err
		}
		runtimes := 0
		return in.eachWorkers(ctx, bun.SafeQuery(`SELECT had.runtime_ref, ? AS workers FROM ? AS had
			WHERE had.outcome = ? AND had.runtime_ref <> '' GROUP BY had.runtime_ref`, in.idsOf("had.worker"), in.rows("worker_runtime"), capability.Available),
			func(ref *string, workers []int64) {
				for _, id := range workers {
					if m := members[id]; m != nil && m.counted != runtimes {
						m.counted = runtimes
						counts[m.group].Available[*ref]++
					}
				}
				runtimes++
			})
	})
	if err != nil {
		return nil, fmt.Errorf("count groups of workers: %w", err)
	}
	return counts, nil
}

// idsOf returns the expression for the list of the IDs in a column, which eachWorkers reads.
func (d dialect) idsOf(column string) bun.Safe {
	return bun.Safe(d.pick("CAST(pg_catalog.array_agg("+column+") AS pg_catalog.text)", "group_concat("+column+")"))
}

// eachWorkers calls fn with each row of a query: a text and a list of workers.
func (w *Workers) eachWorkers(ctx context.Context, query any, fn func(key *string, workers []int64)) error {
	rows, err := w.db.QueryContext(ctx, w.db.NewRaw("?", query).String())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key *string
		var list string
		if err := rows.Scan(&key, &list); err != nil {
			return err
		}
		var ids []int64
		for text := range strings.SplitSeq(strings.Trim(list, "{}"), ",") {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		fn(key, ids)
	}
	return rows.Err()
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
