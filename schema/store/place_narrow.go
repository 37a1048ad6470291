package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// A narrowing says when a label or a runtime of a requirement decides who can fit.
type narrowing struct {
	// few is the greatest number of workers that it may belong to.
	few int
	// beforeScan reports that a scan of the first runtime is tried next. That runtime then does not decide. The labels
	// and the other runtimes decide only if looking up their workers is cheaper than the scan.
	beforeScan bool
}

// narrow returns the first workers that fit among those with the rarest label, or else with the rarest runtime. ok is false if
// each belongs to too many workers.
func (q *placing) narrow(ctx context.Context, n narrowing) (placed []requirement.PlacedWorker, ok bool, err error) {
	rare, err := q.rarest(ctx, n)
	if err != nil || rare == nil {
		return nil, false, err
	}
	looking := q.looking()
	placed, _, err = looking.read(ctx, looking.ranked(rare))
	return placed, err == nil, err
}

// A rareTerm is a label or a runtime of a requirement that belongs to few workers.
type rareTerm struct {
	// workers is the query for them.
	workers any
	// label is the index of the label among the sorted keys of the selector. It is their number for a runtime.
	label int
}

// others returns the conditions by the other labels of the requirement, and by its runtimes from leaveOut on.
func (q *placing) others(t *rareTerm, leaveOut int) any {
	labelled := q.labelled(q.r)
	if t.label < len(q.r.Selector) {
		labelled = slices.Delete(labelled, t.label, t.label+1)
	}
	return every(slices.Concat(labelled, q.having(leaveOut), []any{bun.Safe("1 = 1")}))
}

// rarest returns the rarest label, or else the rarest runtime. It returns nil if each belongs to too many workers.
//
// It only counts. Another statement reads the workers, because a statement that does both takes longer to plan than these
// two take to run.
func (q *placing) rarest(ctx context.Context, n narrowing) (*rareTerm, error) {
	var labels, runtimes []any
	for _, key := range slices.Sorted(maps.Keys(q.r.Selector)) {
		if q.layout.Migrated {
			labels = append(labels, q.withLabel(Label{Key: key, Value: new(q.r.Selector[key])}))
		}
	}
	first, fewInstalled := 0, n.few
	if n.beforeScan {
		first, fewInstalled = min(1, len(q.r.Runtimes)), scanFactor*q.limit // their rows are read, not only an index
	}
	for _, runtime := range q.r.Runtimes[first:] {
		wanted := RuntimeFilter{Ref: runtime.Name, Constraint: runtime.Constraint, Prereleases: q.r.Prereleases}
		runtimes = append(runtimes, q.withInstallation(wanted))
	}
	terms := slices.Concat(labels, runtimes)
	if len(terms) == 0 {
		return nil, nil
	}
	var term *int
	rareLabel, rareRuntime := q.fewest(n, labels, 0, n.few), q.fewest(n, runtimes, len(labels), fewInstalled)
	err := q.db.NewRaw("SELECT coalesce((?), (?))", rareLabel, rareRuntime).Scan(ctx, &term)
	if err != nil || term == nil {
		return nil, err
	}
	rare := &rareTerm{workers: terms[*term], label: *term}
	if *term >= len(labels) {
		rare.label = len(q.r.Selector)
	}
	return rare, nil
}

// fewest returns the query for the index, counted from from, of the query with the fewest workers. It has no row if each
// query has more than few workers.
func (q *placing) fewest(n narrowing, queries []any, from, few int) any {
	count := bun.Safe(q.pick("pg_catalog.count(*)", "count(*)"))
	bound := bun.SafeQuery("1 = 1")
	if n.beforeScan {
		// A scan looks up limit * fleet / n workers until it has found the limit. The greatest ID stands for the fleet.
		bound = bun.SafeQuery("(?0 <= ?1 OR ?0 * ?0 <= ?2 * (SELECT ?3 FROM ?4 AS worker))", count, scanFactor*q.limit, q.limit,
			bun.Safe(q.pick("pg_catalog.max(worker.id)", "max(worker.id)")), q.of("worker"))
	}
	if len(queries) == 0 {
		return bun.Safe("SELECT 0 WHERE 1 = 0")
	}
	var selects []string
	var args []any
	for i, query := range queries {
		selects = append(selects, "SELECT ? AS n, ? AS term FROM (? LIMIT ?) AS one HAVING ? <= ? AND ?")
		args = append(args, count, from+i, query, few+1, count, few, bound)
	}
	all := bun.SafeQuery(strings.Join(selects, " UNION ALL "), args...)
	return bun.SafeQuery("SELECT terms.term FROM (?) AS terms ORDER BY terms.n LIMIT 1", all)
}
