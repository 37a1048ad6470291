package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// maxStreamedVersions is the number of versions from which Postgres reads candidates.
const maxStreamedVersions = 100

// afterAllKeys sorts after all sort keys of versions, which begin with a letter.
const afterAllKeys = "~"

// stream is the scan of Postgres: one statement reads the candidates and holds each against the other
// conditions. Planning is most of its time, so one statement is much faster than one for each version.
//
// The plan is fixed, so that it stops at LIMIT and its rows are in order: lateral queries are nested
// loops in the order of the text. stream checks the order all the same.
func (s *scan) stream(ctx context.Context) (placed []requirement.Placed, enough bool, err error) {
	for _, limit := range []int{s.limit, 4 * s.limit} { // a worker can have several installations
		rows, ranks, err := s.read(ctx, s.streaming(limit))
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
func (s *scan) distinct(rows []requirement.Placed) []requirement.Placed {
	placed, seen := []requirement.Placed{}, map[int64]bool{}
	for _, row := range rows {
		if !seen[row.Worker] && len(placed) < s.limit {
			seen[row.Worker] = true
			placed = append(placed, row)
		}
	}
	return placed
}

// streaming returns the statement for so many installations on workers that fit.
func (s *scan) streaming(limit int) any {
	next, unknown := s.newest(bun.SafeQuery("had.sort_key < version.key"))
	rest := bun.SafeQuery("")
	if unknown {
		rest = bun.SafeQuery(`UNION ALL
			SELECT unknown.worker AS id, (2 * ? + unknown.half) * '4294967296' + unknown.spread AS rank FROM (?) AS unknown`,
			maxStreamedVersions+1, s.halves("had.sort_key IS NULL"))
	}
	return bun.SafeQuery(`WITH RECURSIVE version AS (
		SELECT 0 AS n, CAST(?0 AS pg_catalog.text) COLLATE pg_catalog."C" AS key
		UNION ALL
		SELECT version.n + 1, (?1) FROM version WHERE version.key IS NOT NULL AND version.n < ?2)
	SELECT ?3, 0 AS weight, candidate.rank
	FROM (SELECT worker.id, worker.rank
	      FROM (SELECT half.worker AS id, (2 * version.n + half.half) * '4294967296' + half.spread AS rank
	            FROM version CROSS JOIN LATERAL (?4) AS half WHERE version.n > 0 AND version.key IS NOT NULL ?5 LIMIT ?6) AS worker
	      WHERE ?7) AS candidate
	CROSS JOIN LATERAL (SELECT worker.id, worker.name, worker.worker_role, worker.capabilities FROM ?8 AS worker
	                    WHERE worker.id = candidate.id AND ?9 OFFSET 0) AS worker
	LIMIT ?10`,
		afterAllKeys, next, maxStreamedVersions, s.described(), s.halves("had.sort_key = version.key"), rest, s.most,
		every(append(s.labelled(s.r), bun.Safe("true"))), s.rows("worker"),
		every(slices.Concat(s.available(s.r), s.open(s.r, scanned...), s.having(1))), limit)
}

// halves returns the query for the installations of one version: from the requirement's start onward,
// then up to it.
func (s *scan) halves(version bun.Safe) any {
	half := func(number int, comparison bun.Safe) any {
		return bun.SafeQuery(`(SELECT had.worker, CAST(?0 AS pg_catalog.int8) AS half, ?1 AS spread FROM ?2 AS had
			WHERE ?3 AND ?4 AND ?1 ?5 CAST(?6 AS pg_catalog.int8) ORDER BY ?1, had.worker)`,
			number, s.spread("had.worker"), s.rows("worker_runtime"), s.had, version, comparison, s.start)
	}
	return bun.SafeQuery("? UNION ALL ?", half(0, ">="), half(1, "<"))
}
