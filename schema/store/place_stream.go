package store

import (
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// afterAllKeys sorts after all sort keys of versions, which begin with a letter.
const afterAllKeys = "~"

// streaming returns the statement for so many installations on workers that fit.
func (s *scan) streaming(limit int) schema.QueryAppender {
	next, unknown := s.newest()
	rest := bun.SafeQuery("")
	if unknown {
		rest = bun.SafeQuery(`UNION ALL
			SELECT unknown.worker AS id, (2 * ? + unknown.half) * '4294967296' + unknown.spread AS rank FROM (?) AS unknown`,
			maxScannedVersions+1, s.halves("had.sort_key IS NULL"))
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
		afterAllKeys, next, maxScannedVersions, s.described(), s.halves("had.sort_key = version.key"), rest, s.most,
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

// streamingLite is streaming for SQLite, which has no LATERAL. It nests the loops of CROSS JOIN in the order of the text.
func (s *scan) streamingLite(limit int) schema.QueryAppender {
	next, unknown := s.newest()
	known := bun.Safe("version.key IS NOT NULL")
	if unknown {
		known = "1 = 1" // the last version is NULL
	}
	return bun.SafeQuery(`WITH RECURSIVE version AS (
		SELECT 0 AS n, ?0 AS key
		UNION ALL
		SELECT version.n + 1, (?1) FROM version WHERE version.key IS NOT NULL LIMIT ?2)
	SELECT ?3, 0 AS weight, candidate.rank
	FROM (SELECT had.worker AS id, (2 * version.n + half.n) * 4294967296 + ?4 AS rank
	      FROM version CROSS JOIN (SELECT 0 AS n, ?5 AS low, 4294967296 AS high UNION ALL SELECT 1, 0, ?5) AS half
	      CROSS JOIN ?6 AS had ON ?7 AND had.sort_key IS version.key AND ?4 >= half.low AND ?4 < half.high
	      WHERE version.n > 0 AND ?8 LIMIT ?9) AS candidate
	CROSS JOIN ?10 AS worker ON worker.id = candidate.id
	WHERE ?11 LIMIT ?12`,
		afterAllKeys, next, maxScannedVersions+1, s.described(), s.spread("had.worker"), s.start, s.rows("worker_runtime"), s.had, known,
		s.most, s.rows("worker"), s.conditions(1, scanned...), limit)
}
