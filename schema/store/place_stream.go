package store

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"
)

// maxStreamedVersions is the number of versions from which Postgres reads candidates.
const maxStreamedVersions = 100

// stream is the scan of Postgres: one statement reads the candidates and holds each against the other
// conditions. Planning is most of its time, so one statement is much faster than one for each version.
//
// The plan is fixed, so that it stops at LIMIT and its rows are in order: lateral queries are nested
// loops in the order of the text. stream checks the order all the same.
func (s *scan) stream(ctx context.Context) (found []ranked, enough bool, err error) {
	for _, most := range []int{maxScannedBlind, maxScannedRows} {
		if found, err = s.take(ctx, max(most, 2*s.limit)); err != nil || len(found) == s.limit {
			return found, err == nil, err
		}
		if err := s.narrow(ctx); err != nil || s.narrowed {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// take returns the first workers that fit among so many installations. It returns less than the
// limit if it cannot tell.
func (s *scan) take(ctx context.Context, most int) (found []ranked, err error) {
	var rows []struct {
		Worker, Version, Half, Spread int64
	}
	// A worker can have several installations of one version.
	if err := s.db.NewRaw("?", s.streaming(most, 2*s.limit)).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for i, row := range rows {
		if i > 0 && cmp.Or(cmp.Compare(rows[i-1].Version, row.Version), cmp.Compare(rows[i-1].Half, row.Half), cmp.Compare(rows[i-1].Spread, row.Spread)) > 0 {
			return nil, nil
		}
		if !seen[row.Worker] && len(found) < s.limit {
			seen[row.Worker] = true
			found = append(found, ranked{Worker: row.Worker})
		}
	}
	return found, nil
}

// streaming returns the statement of take.
func (s *scan) streaming(most, limit int) any {
	first, unknown := s.newest(bun.SafeQuery("1 = 1"))
	next, _ := s.newest(bun.SafeQuery("had.sort_key < version.key"))
	rest := bun.SafeQuery("")
	if unknown {
		rest = bun.SafeQuery("UNION ALL SELECT unknown.worker, ? AS version, unknown.half, unknown.spread FROM (?) AS unknown",
			maxStreamedVersions+1, s.halves("had.sort_key IS NULL"))
	}
	return bun.SafeQuery(`WITH RECURSIVE version AS (
		SELECT 1 AS n, (?0) AS key
		UNION ALL
		SELECT version.n + 1, (?1) FROM version WHERE version.key IS NOT NULL AND version.n < ?2)
	SELECT candidate.worker, candidate.version, candidate.half, candidate.spread
	FROM (SELECT half.worker, version.n AS version, half.half, half.spread
	      FROM version CROSS JOIN LATERAL (?3) AS half WHERE version.key IS NOT NULL ?4 LIMIT ?5) AS candidate
	CROSS JOIN LATERAL (SELECT 1 FROM ?6 AS worker WHERE worker.id = candidate.worker AND ?7 OFFSET 0) AS fitting
	LIMIT ?8`,
		first, next, maxStreamedVersions, s.halves("had.sort_key = version.key"), rest, most, s.rows("worker"), s.fits, limit)
}

// halves returns the query for the installations of one version: from the requirement's start onward,
// then up to it.
func (s *scan) halves(version bun.Safe) any {
	half := func(number int, comparison bun.Safe) any {
		return bun.SafeQuery("(SELECT had.worker, ?0 AS half, ?1 AS spread FROM ?2 AS had WHERE ?3 AND ?4 AND ?1 ?5 CAST(?6 AS pg_catalog.int8) ORDER BY ?1, had.worker)",
			number, s.spread("had.worker"), s.rows("worker_runtime"), s.had, version, comparison, s.start)
	}
	return bun.SafeQuery("? UNION ALL ?", half(0, ">="), half(1, "<"))
}
