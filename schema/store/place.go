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
	bunschema "github.com/uptrace/bun/schema"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/statement"
)

// Place returns the first workers that satisfy a requirement, in the order that package
// placement defines: by weight, by the version of the first runtime, and by spread from the
// requirement's start onward. The runtimes must be resolved to refs. A limit of 0 or less returns all.
// Workers are active, fresh and not cordoned. Errors: ErrInvalid for a requirement with faults.
//
// With a limit and without preferences, Place reads the installations of the first runtime by version
// and spread from an index, and looks each worker up, until it has found enough. If that takes too many
// look-ups, or a label or runtime of the requirement belongs to few workers, it scores and sorts those,
// and otherwise all workers that fit.
func (w *Workers) Place(ctx context.Context, r *requirement.Requirement, limit int) ([]requirement.PlacedWorker, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("%w requirement: %w", ErrInvalid, err)
	}
	q := placing{Workers: w, r: r, limit: max(limit, 0), start: r.Start()}
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
}

// looking returns q with conditions for the look-ups of a few workers.
func (q *placing) looking() *placing {
	workers, looking := *q.Workers, *q
	workers.lookups, looking.Workers = true, &workers
	return &looking
}

func (q *placing) run(ctx context.Context) (placed []requirement.PlacedWorker, err error) {
	for _, runtime := range q.r.Runtimes {
		if _, ok := q.satisfying(q.r, runtime); !ok {
			return []requirement.PlacedWorker{}, nil
		}
	}
	var ok bool
	if q.limit == 0 || len(q.r.Runtimes) == 0 || len(q.r.Affinity.Preferred) > 0 {
		placed, ok, err = q.narrow(ctx, narrowing{few: fewWorkers})
	} else {
		placed, ok, err = q.inOrder(ctx)
	}
	if err != nil || ok {
		return placed, err
	}
	placed, _, err = q.read(ctx, q.ranked(nil))
	return placed, err
}

// inOrder returns the first workers from the index that has the order, or from a rare label or runtime. ok is false if
// both take too long.
func (q *placing) inOrder(ctx context.Context) (placed []requirement.PlacedWorker, ok bool, err error) {
	if placed, ok, err = q.narrow(ctx, narrowing{few: fewWorkers, beforeScan: true}); err != nil || ok {
		return placed, ok, err
	}
	if placed, ok, err = q.scan(ctx, scannedFirst); err != nil || ok {
		return placed, ok, err
	}
	if placed, ok, err = q.narrow(ctx, narrowing{few: fewWorkers}); err != nil || ok {
		return placed, ok, err
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

// ranked returns the statement for the first workers that fit, in order and described. If rare is not nil, only its
// workers can fit.
//
// The installations of each worker are grouped before anything is joined that few workers have: Postgres expects few
// workers to fit, and would search the taints for each.
func (q *placing) ranked(rare *rareTerm) bunschema.QueryAppender {
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
	from, fits := bun.SafeQuery("? AS worker", q.rows("worker")), q.conditions(first, requirement.NoSchedule)
	if rare != nil {
		// Many lack another label or runtime, and rows of worker are wide: those are looked up first.
		from = bun.SafeQuery(`(SELECT DISTINCT worker.id FROM (SELECT rare.worker AS id FROM (?) AS rare) AS worker WHERE ?) AS candidate
			JOIN ? AS worker ON worker.id = candidate.id`, rare.workers, q.others(rare, first), q.rows("worker"))
		fits = every(append(q.available(q.r), q.open(q.r, requirement.NoSchedule)...))
	}
	fitting := bun.SafeQuery("SELECT worker.id ? FROM ? ? WHERE ? ?", key, from, installed, fits, grouped)
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
	free := q.pick("pg_catalog.trunc(GREATEST(%s, %s))", "CAST(max(coalesce(%s, 1), %s) AS INTEGER)")
	columns := []any{
		bun.SafeQuery("worker.id AS worker"),
		bun.SafeQuery("worker.name"),
		bun.SafeQuery("CASE ?0 WHEN 'action' THEN 'worker' ELSE ?0 END AS role", q.text("worker.worker_role")),
		bun.SafeQuery("? AS free", bun.Safe(fmt.Sprintf(free, q.slots(), q.float(1)))), // unpacks the document once
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
func (q *placing) read(
	ctx context.Context, statement bunschema.QueryAppender,
) (placed []requirement.PlacedWorker, ranks []int64, err error) {
	text, err := statement.AppendQuery(bunschema.NewQueryGen(q.db.Dialect()), make([]byte, 0, 5<<10))
	if err != nil {
		return nil, nil, err
	}
	rows, err := q.db.QueryContext(ctx, string(text))
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, nil, err
	}
	var row requirement.PlacedWorker
	var role string
	var slots float64
	var rank int64
	installations := make([]sql.NullString, 2*len(q.r.Runtimes))
	into := []any{&row.Worker, &row.Name, &role, &slots}
	for i := range installations {
		into = append(into, &installations[i])
	}
	into = append(into, &row.Weight, &rank)[:len(columns)]
	placed = make([]requirement.PlacedWorker, 0, min(q.limit, 100))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(installations, func(s sql.NullString) bool { return !s.Valid }) {
			continue
		}
		row.Role, row.Free = requirement.Role(role), slotsFrom(&slots)
		row.Runtimes = make([]requirement.Choice, len(q.r.Runtimes))
		for i, runtime := range q.r.Runtimes {
			row.Runtimes[i] = requirement.Choice{Ref: runtime.Name, Version: installations[2*i].String, Path: installations[2*i+1].String}
		}
		placed, ranks = append(placed, row), append(ranks, rank)
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
