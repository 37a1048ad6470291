package store

import (
	"context"
	"fmt"
	"math"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
)

// Place returns the first workers that satisfy a requirement, in the order that package
// placement defines: by weight, by the version of the first runtime, and by spread from the
// requirement's start onward. The runtimes must be resolved to refs. A limit of 0 returns all.
// Workers are active, fresh and not cordoned. Errors: ErrInvalid for a requirement with faults.
//
// With a limit and without preferences, Place reads the installations of the first runtime by
// version and spread from an index, and looks each worker up, until it has found enough. If that
// takes too many look-ups, it scores and sorts all workers that fit: those with a label or a
// runtime that few workers have, if the requirement has one.
func (w *Workers) Place(ctx context.Context, r *requirement.Requirement, limit int) ([]requirement.Placed, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("%w requirement: %w", ErrInvalid, err)
	}
	q := placing{Workers: w, r: r, limit: limit, start: r.Start()}
	placed, err := q.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("place a requirement: %w", q.classify("place", err))
	}
	return placed, nil
}

// A placing is one call of Place.
type placing struct {
	*Workers
	r     *requirement.Requirement
	limit int
	start int64
	// rare holds the only workers that can fit if narrowed is set. Both are known if counted is.
	rare              []int64
	counted, narrowed bool
}

// narrow finds the workers with the rarest label or runtime.
func (q *placing) narrow(ctx context.Context) (err error) {
	if q.counted {
		return nil
	}
	q.counted = true
	var s Selection
	for key, value := range q.r.Selector {
		s.Labels = append(s.Labels, Label{Key: key, Value: &value})
	}
	for _, runtime := range q.r.Runtimes {
		s.Has = append(s.Has, Requirement{Ref: runtime.Name, Constraint: runtime.Constraint, Prereleases: q.r.Prereleases})
	}
	q.rare, q.narrowed, err = q.candidates(ctx, &s)
	return err
}

// A ranked is a worker that fits, with its weight.
type ranked struct {
	Worker int64
	Weight int
}

func (q *placing) run(ctx context.Context) (placed []requirement.Placed, err error) {
	for _, runtime := range q.r.Runtimes {
		if _, ok := q.satisfying(q.r, runtime); !ok {
			return []requirement.Placed{}, nil
		}
	}
	found, enough := []ranked(nil), false
	if q.limit > 0 && len(q.r.Runtimes) > 0 && len(q.r.Affinity.Preferred) == 0 {
		found, enough, err = q.scan(ctx)
	}
	if err == nil && !enough {
		if err = q.narrow(ctx); err == nil {
			found, err = q.sorted(ctx)
		}
	}
	if err != nil || len(found) == 0 {
		return []requirement.Placed{}, err
	}
	return q.describe(ctx, found)
}

// conditions returns all conditions on a worker but for the first runtimes.
func (q *placing) conditions(leaveOut int) any {
	all := q.available(q.r)
	for _, runtime := range q.r.Runtimes[leaveOut:] {
		had, _ := q.satisfying(q.r, runtime)
		all = append(all, q.exists("SELECT 1 FROM ? AS had WHERE had.worker = worker.id AND ?", q.rows("worker_runtime"), had))
	}
	return every(all)
}

// sorted scores all workers that fit.
func (q *placing) sorted(ctx context.Context) (found []ranked, err error) {
	only := bun.SafeQuery("1 = 1")
	if q.narrowed {
		if len(q.rare) == 0 {
			return nil, nil
		}
		only = bun.SafeQuery("worker.id IN (?)", bun.List(q.rare))
	}
	err = q.ranking(bun.Safe("worker.id AS worker"), only).Scan(ctx, &found)
	return found, err
}

// ranking returns the query for the workers that fit, in order, with some columns and their weight.
func (q *placing) ranking(columns any, only any) *bun.RawQuery {
	newest, key, first := bun.SafeQuery(""), bun.SafeQuery("weight"), 0
	if len(q.r.Runtimes) > 0 {
		had, _ := q.satisfying(q.r, q.r.Runtimes[0])
		newest = bun.SafeQuery(`JOIN (SELECT had.worker, ?(?) AS key FROM ? AS had WHERE ? GROUP BY had.worker) AS newest
			ON newest.worker = worker.id`, bun.Safe(q.pick("pg_catalog.max", "max")), q.bytewise("had.sort_key"), q.rows("worker_runtime"), had)
		key, first = bun.SafeQuery("newest.key DESC ?", q.unknownLast()), 1
	}
	limit := bun.SafeQuery("")
	if q.limit > 0 {
		limit = bun.SafeQuery("LIMIT ?", q.limit)
	}
	spread := q.spread("worker.id")
	return q.db.NewRaw(`SELECT ?, ? AS weight FROM ? AS worker ? WHERE ? AND ?
		ORDER BY weight DESC, ?, CASE WHEN ? >= ? THEN 0 ELSE 1 END, ?, worker.id ?`,
		columns, q.weight(q.r), q.rows("worker"), newest, only, q.conditions(first), key, spread, q.start, spread, limit)
}

// unknownLast makes a descending order of sort keys end with unknown versions.
func (q *placing) unknownLast() bun.Safe { return bun.Safe(q.pick("NULLS LAST", "")) }

// describe returns workers with the installations that run the requirement's runtimes. It leaves
// out workers that no longer satisfy it.
func (q *placing) describe(ctx context.Context, found []ranked) ([]requirement.Placed, error) {
	ids := make([]int64, len(found))
	for i, f := range found {
		ids[i] = f.Worker
	}
	var rows []struct {
		ID    int64
		Name  string
		Role  schema.WorkerRole
		Slots *float64
	}
	err := q.db.NewRaw("SELECT worker.id, worker.name, ? AS role, ? AS slots FROM ? AS worker WHERE worker.id IN (?)",
		q.text("worker.worker_role"), q.slots(), q.rows("worker"), bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	chosen, err := q.choose(ctx, ids)
	if err != nil {
		return nil, err
	}
	workers := map[int64]requirement.Placed{}
	for _, row := range rows {
		workers[row.ID] = requirement.Placed{
			Worker: row.ID, Name: row.Name, Role: roleFrom(row.Role), Free: slotsFrom(row.Slots), Runtimes: chosen[row.ID],
		}
	}
	placed := make([]requirement.Placed, 0, len(found))
	for _, f := range found {
		p, ok := workers[f.Worker]
		if p.Weight = f.Weight; ok && len(p.Runtimes) == len(q.r.Runtimes) {
			placed = append(placed, p)
		}
	}
	return placed, nil
}

// roleFrom converts a role from its value in SQL.
func roleFrom(role schema.WorkerRole) requirement.Role {
	if role == schema.RoleAction {
		return requirement.Worker
	}
	return requirement.Role(role)
}

// slotsFrom returns the number of slots that a document has. It is 1 for a missing or senseless
// one.
func slotsFrom(slots *float64) int {
	if slots == nil {
		return 1
	}
	return int(max(1, min(*slots, math.MaxInt32)))
}

// choose returns the installation for each runtime of the requirement, by worker.
func (q *placing) choose(ctx context.Context, ids []int64) (map[int64][]requirement.Chosen, error) {
	all := map[int64][]requirement.Chosen{}
	for _, id := range ids {
		all[id] = []requirement.Chosen{}
	}
	for _, runtime := range q.r.Runtimes {
		had, _ := q.satisfying(q.r, runtime)
		var rows []struct {
			Worker        int64
			Version, Path string
		}
		err := q.db.NewRaw(`SELECT had.worker, had.version, had.path FROM ? AS had WHERE had.worker IN (?) AND ?
			ORDER BY had.worker, ? DESC ?, ?`,
			q.rows("worker_runtime"), bun.List(ids), had, q.bytewise("had.sort_key"), q.unknownLast(), q.bytewise("had.path")).
			Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		for i, row := range rows {
			if i == 0 || rows[i-1].Worker != row.Worker {
				all[row.Worker] = append(all[row.Worker], requirement.Chosen{Ref: runtime.Name, Version: row.Version, Path: row.Path})
			}
		}
	}
	return all, nil
}
