package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

const (
	// scannedFirst is the number of look-ups after which a scan asks whether a label or runtime is rare,
	// and scannedAtMost that beyond which scoring all workers is faster.
	scannedFirst, scannedAtMost = 200, 2000
	// scanFactor is the number of look-ups that a scan takes for each worker that it finds, if many fit.
	scanFactor         = 6
	maxScannedVersions = 8
)

// scanned lists the effects of taints that a scanned worker does not have. Workers with a taint of the
// second have a lower weight and follow all others.
var scanned = []requirement.Effect{requirement.NoSchedule, requirement.PreferNoSchedule}

// A scan reads the installations of the first runtime by version and spread, and holds each
// worker against the other conditions.
type scan struct {
	*placing
	had     any
	found   []int64
	seen    map[int64]bool
	scanned int
	most    int // look-ups
}

// scan returns the first workers. enough reports whether it found the limit with at most so many look-ups.
func (q *placing) scan(ctx context.Context, most int) (placed []requirement.Placed, enough bool, err error) {
	s := &scan{placing: q.looking(), seen: map[int64]bool{}, most: max(most, 2*q.limit)}
	s.had = bun.SafeQuery("had.runtime_ref = ? AND had.active AND had.outcome = 'available'", q.r.Runtimes[0].Name)
	if q.r.Verified {
		s.had = bun.SafeQuery("? AND had.source <> 'declared'", s.had)
	}
	if q.postgres {
		return s.stream(ctx)
	}
	below := ""
	for range maxScannedVersions {
		key, ok, err := s.next(ctx, below)
		if err != nil || !ok {
			return nil, false, err
		}
		if err := s.version(ctx, key); err != nil {
			return nil, false, err
		}
		if s.done() || key == nil {
			break
		}
		below = *key
	}
	if len(s.found) < q.limit {
		return nil, false, nil
	}
	placed, err = s.describe(ctx)
	return placed, true, err
}

// next returns the sort key of the newest version below a key that satisfies the constraint. An
// empty below is the end of all keys. The key is nil for the installations without a version,
// which come last.
func (s *scan) next(ctx context.Context, below string) (key *string, ok bool, err error) {
	under := bun.SafeQuery("1 = 1")
	if below != "" {
		under = bun.SafeQuery("had.sort_key < ?", below)
	}
	newest, unknown := s.newest(under)
	var found sql.NullString
	err = s.db.NewRaw("?", newest).Scan(ctx, &found)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, false, err
	}
	if found.Valid {
		return &found.String, true, nil
	}
	return nil, unknown, nil
}

// newest returns the query for the greatest sort key that satisfies the constraint and a condition.
// unknown reports that unknown versions satisfy it too.
func (s *scan) newest(under any) (query any, unknown bool) {
	var selects []string
	var args []any
	for _, p := range partsOf(HavingFilter{Constraint: s.r.Runtimes[0].Constraint, Prereleases: s.r.Prereleases}) {
		if p.condition == "@.sort_key IS NULL" {
			unknown = true
			continue
		}
		selects = append(selects, "SELECT * FROM (?) AS part")
		within := bun.SafeQuery(strings.ReplaceAll(p.condition, "@", "had"), p.args...)
		args = append(args, bun.SafeQuery("SELECT ? AS key FROM ? AS had WHERE ? AND ? AND ? ORDER BY had.sort_key DESC ? LIMIT 1",
			s.bytewise("had.sort_key"), s.rows("worker_runtime"), s.had, under, within, s.unknownLast()))
	}
	if len(args) == 1 {
		return args[0], unknown // without an aggregate, which takes time to plan
	}
	parts := bun.SafeQuery(strings.Join(selects, " UNION ALL "), args...)
	return bun.SafeQuery("SELECT ?(parts.key) FROM (?) AS parts", bun.Safe(s.pick("pg_catalog.max", "max")), parts), unknown
}

// version reads the installations of one version, from the requirement's start onward and then
// up to it.
func (s *scan) version(ctx context.Context, key *string) error {
	version := bun.SafeQuery("had.sort_key IS NULL")
	if key != nil {
		version = bun.SafeQuery("had.sort_key = ?", *key)
	}
	if err := s.half(ctx, version, s.start-1, math.MaxInt64); err != nil {
		return err
	}
	return s.half(ctx, version, -1, s.start)
}

// half reads the installations of one version whose spread is greater than from and less than to.
func (s *scan) half(ctx context.Context, version any, from, to int64) error {
	fits := s.conditions(1, scanned...)
	worker := int64(math.MaxInt64)
	spread := s.spread("had.worker")
	integer := bun.Safe(s.pick("pg_catalog.int8", "INTEGER"))
	for batch := 2 * s.limit; !s.done(); batch *= 2 {
		var rows []struct {
			Worker, Spread int64
			Fits           bool
		}
		err := s.db.NewRaw(`
			SELECT batch.worker, batch.spread, EXISTS (SELECT 1 FROM ?0 AS worker WHERE worker.id = batch.worker AND ?1) AS fits
			FROM (SELECT had.worker, ?2 AS spread FROM ?3 AS had
			      WHERE ?4 AND ?5 AND (?2, had.worker) > (CAST(?6 AS ?7), CAST(?8 AS ?7)) AND ?2 < CAST(?9 AS ?7)
			      ORDER BY ?2, had.worker LIMIT ?10) AS batch
			ORDER BY batch.spread, batch.worker`,
			s.rows("worker"), fits, spread, s.rows("worker_runtime"), s.had, version, from, integer, worker, to, batch).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Fits && !s.seen[row.Worker] && len(s.found) < s.limit {
				s.seen[row.Worker] = true
				s.found = append(s.found, row.Worker)
			}
			from, worker = row.Spread, row.Worker
		}
		s.scanned += len(rows)
		if len(rows) < batch {
			return nil
		}
	}
	return nil
}

// describe returns the workers that the scan found, in its order.
func (s *scan) describe(ctx context.Context) ([]requirement.Placed, error) {
	placed, _, err := s.read(ctx, bun.SafeQuery("SELECT ?, 0 AS weight FROM ? AS worker WHERE worker.id IN (?)",
		s.described(), s.rows("worker"), bun.List(s.found)))
	slices.SortFunc(placed, func(a, b requirement.Placed) int {
		return cmp.Compare(slices.Index(s.found, a.Worker), slices.Index(s.found, b.Worker))
	})
	return placed, err
}

// done reports whether the scan found enough or reached a bound.
func (s *scan) done() bool {
	return len(s.found) == s.limit || s.scanned > s.most
}
