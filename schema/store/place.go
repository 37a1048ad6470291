package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/statement"
)

// Place returns the first workers that satisfy a requirement, in the order that package
// placement defines: by weight, by the version of the first runtime, and by spread from the
// requirement's start onward. The runtimes must be resolved to refs. A limit of 0 returns all.
// Workers are active, fresh and not cordoned. Errors: ErrInvalid for a requirement with faults.
//
// With a limit and without preferences, Place reads the installations of the first runtime by version
// and spread from an index, and looks each worker up, until it has found enough. If that takes too many
// look-ups, or a label or runtime of the requirement belongs to few workers, it scores and sorts those,
// and otherwise all workers that fit.
func (w *Workers) Place(ctx context.Context, r *requirement.Requirement, limit int) ([]requirement.Placed, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("%w requirement: %w", ErrInvalid, err)
	}
	q := placing{Workers: w, r: r, limit: limit, start: r.Start()}
	placed, err := q.run(statement.WithPreparation(ctx))
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
	// rare holds the only workers that can fit if narrowed is set.
	rare     []int64
	narrowed bool
}

// looking returns q with conditions for the look-ups of a few workers.
func (q *placing) looking() *placing {
	workers, looking := *q.Workers, *q
	workers.lookups, looking.Workers = true, &workers
	return &looking
}

// narrow finds the workers with the rarest label or runtime, if there are so few.
func (q *placing) narrow(ctx context.Context, few int) (err error) {
	var s Selection
	for key, value := range q.r.Selector {
		s.Labels = append(s.Labels, Label{Key: key, Value: &value})
	}
	for _, runtime := range q.r.Runtimes {
		s.Has = append(s.Has, Requirement{Ref: runtime.Name, Constraint: runtime.Constraint, Prereleases: q.r.Prereleases})
	}
	q.rare, q.narrowed, err = q.candidates(ctx, &s, few)
	if err == nil && len(q.rare) > fewLookups {
		q.rare, err = q.complete(ctx, q.rare)
	}
	return err
}

// fewLookups is the number of workers for which no further statement asks whether they have everything
// that a requirement names: describing them does.
const fewLookups = 20

// complete returns those of some workers that have all labels and runtimes of the requirement. Many with a rare label
// lack another one, and rows of worker are wide.
func (q *placing) complete(ctx context.Context, ids []int64) (found []int64, err error) {
	looking := q.looking()
	list := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ids)), ","), "[]")
	workers := bun.SafeQuery("(SELECT value AS id FROM json_each(?))", "["+list+"]")
	if q.postgres {
		workers = bun.SafeQuery("(SELECT id FROM pg_catalog.unnest(CAST(? AS pg_catalog.int8[])) AS id)", "{"+list+"}")
	}
	err = q.db.NewRaw("SELECT worker.id FROM ? AS worker WHERE ? ORDER BY worker.id", workers,
		every(append(looking.labelled(q.r), looking.having(0)...))).Scan(ctx, &found)
	return found, err
}

func (q *placing) run(ctx context.Context) (placed []requirement.Placed, err error) {
	for _, runtime := range q.r.Runtimes {
		if _, ok := q.satisfying(q.r, runtime); !ok {
			return []requirement.Placed{}, nil
		}
	}
	if q.limit == 0 || len(q.r.Runtimes) == 0 || len(q.r.Affinity.Preferred) > 0 {
		err = q.narrow(ctx, fewWorkers)
	} else if placed, enough, err := q.inOrder(ctx); err != nil || enough {
		return placed, err
	}
	if err != nil {
		return nil, err
	}
	return q.sorted(ctx)
}

// inOrder returns the first workers from the index that has the order. enough reports whether it found
// the limit. Otherwise all workers that fit, or the only ones that can, must be sorted.
func (q *placing) inOrder(ctx context.Context) (placed []requirement.Placed, enough bool, err error) {
	if len(q.r.Selector)+len(q.r.Runtimes) > 1 {
		if err := q.narrow(ctx, scanFactor*q.limit); err != nil || q.narrowed {
			return nil, false, err
		}
	}
	if placed, enough, err = q.scan(ctx, scannedFirst); err != nil || enough {
		return placed, enough, err
	}
	if err := q.narrow(ctx, fewWorkers); err != nil || q.narrowed {
		return nil, false, err
	}
	return q.scan(ctx, scannedAtMost)
}

// conditions returns all conditions on a worker but for the first runtimes. It has no taint with one of
// the effects that is not tolerated.
func (q *placing) conditions(leaveOut int, effects ...requirement.Effect) any {
	return every(slices.Concat(q.available(q.r), q.labelled(q.r), q.open(q.r, effects...), q.having(leaveOut)))
}

// having returns the conditions that a worker has the runtimes but for the first ones. They read
// worker.id alone.
func (q *placing) having(leaveOut int) (all []any) {
	for _, runtime := range q.r.Runtimes[leaveOut:] {
		had, _ := q.satisfying(q.r, runtime)
		all = append(all, q.exists("SELECT 1 FROM ? AS had WHERE had.worker = worker.id AND ?", q.rows("worker_runtime"), had))
	}
	return all
}

// sorted scores all workers that fit, or the only ones that can.
func (q *placing) sorted(ctx context.Context) (placed []requirement.Placed, err error) {
	only, by := bun.SafeQuery("1 = 1"), q
	if q.narrowed {
		if len(q.rare) == 0 {
			return []requirement.Placed{}, nil
		}
		only, by = bun.SafeQuery("worker.id IN (?)", bun.List(q.rare)), q.looking()
	}
	placed, _, err = q.read(ctx, by.ranked(only))
	return placed, err
}

// ranked returns the statement for the first workers that fit and meet a condition, in order and described.
//
// The installations of each worker are grouped before anything is joined that few workers have: Postgres expects few
// workers to fit, and would search the taints for each.
func (q *placing) ranked(only any) any {
	weight, counts := q.weight(q.r)
	key, installed, grouped := bun.SafeQuery(""), bun.SafeQuery(""), bun.Safe("")
	order, first := bun.Safe("weight DESC, half, spread, worker"), 0
	if len(q.r.Runtimes) > 0 {
		had, _ := q.satisfying(q.r, q.r.Runtimes[0])
		key = bun.SafeQuery(", ?(?) AS key", bun.Safe(q.pick("pg_catalog.max", "max")), q.bytewise("had.sort_key"))
		installed = bun.SafeQuery("JOIN ? AS had ON had.worker = worker.id AND ?", q.rows("worker_runtime"), had)
		grouped = "GROUP BY worker.id"
		order, first = "weight DESC, key DESC "+q.unknownLast()+", half, spread, worker", 1
	}
	fitting := bun.SafeQuery("SELECT worker.id ? FROM ? AS worker ? WHERE ? AND ? ?", key, q.rows("worker"), installed,
		only, q.conditions(first, requirement.NoSchedule), grouped)
	most := bun.SafeQuery("")
	if q.limit > 0 {
		most = bun.SafeQuery("LIMIT ?", q.limit)
	}
	return bun.SafeQuery(`SELECT ?0, found.weight
		FROM (SELECT worker.*, worker.id AS worker, ?1 AS weight, CASE WHEN ?2 >= ?3 THEN 0 ELSE 1 END AS half, ?2 AS spread
		      FROM (?4) AS worker ?5 ORDER BY ?6 ?7) AS found
		JOIN ?8 AS worker ON worker.id = found.worker
		ORDER BY ?6`,
		q.described(), weight, q.spread("worker.id"), q.start, fitting, counts, order, most, q.rows("worker"))
}

// unknownLast makes a descending order of sort keys end with unknown versions.
func (q *placing) unknownLast() bun.Safe { return bun.Safe(q.pick("NULLS LAST", "")) }

// described returns the columns of a placed worker but for its weight. The installations have no version
// and path if the worker does not satisfy the requirement.
func (q *placing) described() any {
	slots := q.slots()
	columns := []any{
		bun.SafeQuery("worker.id AS worker"),
		bun.SafeQuery("worker.name"),
		bun.SafeQuery("CASE ?0 WHEN 'action' THEN 'worker' ELSE ?0 END AS role", q.text("worker.worker_role")),
		bun.SafeQuery("CASE WHEN ?0 >= ?1 THEN ?2 ELSE 1 END AS free", slots, q.float(2),
			bun.Safe(q.pick("pg_catalog.trunc("+string(slots)+")", "CAST("+string(slots)+" AS INTEGER)"))),
	}
	for _, runtime := range q.r.Runtimes {
		had, _ := q.satisfying(q.r, runtime)
		for _, column := range []struct {
			name string
			of   bun.Safe
		}{{runtime.Name, "had.version"}, {runtime.Name + " path", "had.path"}} {
			columns = append(columns, bun.SafeQuery("(SELECT ? FROM ? AS had WHERE had.worker = worker.id AND ? ORDER BY ? DESC ?, ? LIMIT 1) AS ?",
				column.of, q.rows("worker_runtime"), had, q.bytewise("had.sort_key"), q.unknownLast(), q.bytewise("had.path"), bun.Name(column.name)))
		}
	}
	return bun.SafeQuery(strings.Repeat("?,\n", len(columns)-1)+"?", columns...)
}

// read returns the workers of a statement, which selects the described columns and the weight. It leaves
// out workers that do not satisfy the requirement. ranks holds a further column, if there is one.
func (q *placing) read(ctx context.Context, statement any) (placed []requirement.Placed, ranks []int64, err error) {
	rows, err := q.db.QueryContext(ctx, q.db.NewRaw("?", statement).String())
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, nil, err
	}
	placed = []requirement.Placed{}
	for rows.Next() {
		p := requirement.Placed{Runtimes: make([]requirement.Chosen, len(q.r.Runtimes))}
		var role string
		var slots float64
		var rank int64
		into := []any{&p.Worker, &p.Name, &role, &slots}
		installations := make([]sql.NullString, 2*len(q.r.Runtimes))
		for i := range installations {
			into = append(into, &installations[i])
		}
		if err := rows.Scan(append(into, &p.Weight, &rank)[:len(columns)]...); err != nil {
			return nil, nil, err
		}
		p.Role, p.Free = requirement.Role(role), slotsFrom(&slots)
		for i, runtime := range q.r.Runtimes {
			p.Runtimes[i] = requirement.Chosen{Ref: runtime.Name, Version: installations[2*i].String, Path: installations[2*i+1].String}
		}
		if !slices.ContainsFunc(installations, func(s sql.NullString) bool { return !s.Valid }) {
			placed, ranks = append(placed, p), append(ranks, rank)
		}
	}
	return placed, ranks, rows.Err()
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
