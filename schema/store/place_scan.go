package store

import (
	"context"
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
	scanFactor = 6
	// maxScannedVersions is the number of versions from which candidates are read.
	maxScannedVersions = 100
)

// scanned lists the effects of taints that a scanned worker does not have. Workers with a taint of the
// second have a lower weight and follow all others.
var scanned = []requirement.Effect{requirement.NoSchedule, requirement.PreferNoSchedule}

// A scan reads the installations of the first runtime by version and spread, and holds each
// worker against the other conditions.
type scan struct {
	*placing
	had  any
	most int // look-ups
}

// scan returns the first workers. enough reports whether it found the limit with at most so many look-ups.
//
// One statement reads the candidates and holds each against the other conditions. Its plan is fixed, so that it stops
// at LIMIT and its rows are in order: loops nest in the order of the text. scan checks the order all the same.
func (q *placing) scan(ctx context.Context, most int) (placed []requirement.PlacedWorker, enough bool, err error) {
	s := &scan{placing: q.looking(), most: max(most, 2*q.limit)}
	s.had = bun.SafeQuery("had.runtime_ref = ? AND had.active AND had.outcome = 'available'", q.r.Runtimes[0].Name)
	if q.r.Verified {
		s.had = bun.SafeQuery("? AND had.source <> 'declared'", s.had)
	}
	statement := s.streaming
	if !q.postgres {
		statement = s.streamingLite
	}
	for _, limit := range []int{s.limit, 4 * s.limit} { // a worker can have several installations
		rows, ranks, err := s.read(ctx, statement(limit))
		if err != nil || !slices.IsSorted(ranks) {
			return nil, false, err
		}
		if placed := s.distinct(rows); len(placed) == s.limit {
			return placed, true, nil
		}
		if len(rows) < limit {
			break
		}
	}
	return nil, false, nil
}

// distinct returns the first workers, each once.
func (s *scan) distinct(rows []requirement.PlacedWorker) []requirement.PlacedWorker {
	placed, seen := rows[:0], make(map[int64]bool, s.limit)
	for _, row := range rows {
		if !seen[row.Worker] && len(placed) < s.limit {
			seen[row.Worker] = true
			placed = append(placed, row)
		}
	}
	return placed
}

// newest returns the query for the greatest sort key below version.key that satisfies the constraint.
// unknown reports that unknown versions satisfy it too.
func (s *scan) newest() (query any, unknown bool) {
	var selects []string
	var args []any
	for _, p := range partsOf(HavingFilter{Constraint: s.r.Runtimes[0].Constraint, Prereleases: s.r.Prereleases}) {
		if p.condition == "@.sort_key IS NULL" {
			unknown = true
			continue
		}
		selects = append(selects, "SELECT * FROM (?) AS part")
		within := strings.ReplaceAll(p.condition, "@", "had")
		if to := "had.sort_key < ?"; !s.postgres && strings.Contains(within, to) {
			within = strings.Replace(within, to, "had.sort_key < min(version.key, ?)", 1) // SQLite seeks to one bound only
		} else {
			within += " AND had.sort_key < version.key"
		}
		args = append(args, bun.SafeQuery("SELECT ? AS key FROM ? AS had WHERE ? AND ? ORDER BY had.sort_key DESC ? LIMIT 1",
			s.bytewise("had.sort_key"), s.rows("worker_runtime"), s.had, bun.SafeQuery(within, p.args...), s.unknownLast()))
	}
	if len(args) == 1 {
		return args[0], unknown // without an aggregate, which takes time to plan
	}
	parts := bun.SafeQuery(strings.Join(selects, " UNION ALL "), args...)
	return bun.SafeQuery("SELECT ?(parts.key) FROM (?) AS parts", bun.Safe(s.pick("pg_catalog.max", "max")), parts), unknown
}
