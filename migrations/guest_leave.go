package migrations

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// leaving returns what keeps attune from moving out of a guest: rows of the platform that refer to attune's workers,
// which the last steps delete, and packs that attune loaded, which only unloading deletes. It is asked before the
// first step, so that attune does not move out by half.
func (m *Migrator) leaving(ctx context.Context, db bun.IDB, in *inspection) (blockers, packs []string, err error) {
	state := in.relations[stateTable]
	if state != nil && state.columns["worker"] != "" && state.columns["former"] != "" {
		if blockers, err = m.referring(ctx, db, in); err != nil {
			return nil, nil, err
		}
	}
	// With something missing nothing can be unloaded. Then moving out and in again must be possible.
	if in.relations[runtimeState] != nil && len(in.lost)+len(in.dropped)+len(in.lostColumns()) == 0 {
		if packs, err = m.loadedPacks(ctx, db, in); err != nil {
			return nil, nil, err
		}
	}
	for _, ref := range packs {
		blockers = append(blockers, fmt.Sprintf("the pack %s is loaded", ref))
	}
	return blockers, packs, nil
}

// referring describes the platform's rows that refer to attune's own workers, whatever their foreign keys do when
// these are deleted. Tables that the role may not read are left out; the database checks them.
func (m *Migrator) referring(ctx context.Context, db bun.IDB, in *inspection) (blockers []string, err error) {
	var keys []struct{ Name, Columns, Condition string }
	err = db.NewRaw(`
SELECT CASE c.relnamespace WHEN ?0 THEN c.relname::pg_catalog.text ELSE c.oid::pg_catalog.regclass::pg_catalog.text END AS name,
       pg_catalog.string_agg(a.attname, ', ' ORDER BY p.n) AS columns,
       pg_catalog.format('%I.%I AS referring', n.nspname, c.relname) || ' ON '
           || pg_catalog.string_agg(pg_catalog.format('referring.%I = worker.%I', a.attname, t.attname), ' AND ' ORDER BY p.n) AS condition
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) WITH ORDINALITY AS p (own, target, n)
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own
JOIN pg_catalog.pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = p.target
WHERE k.contype = 'f' AND k.confrelid = ?1 AND k.conparentid = 0 AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  AND NOT (c.relnamespace = ?0 AND pg_catalog.starts_with(c.relname, 'attune_'))
GROUP BY k.oid, c.oid, c.relnamespace, c.relname, n.nspname ORDER BY 1, 2`, in.oid, in.relations["worker"].oid).Scan(ctx, &keys)
	if err != nil {
		return nil, fmt.Errorf("list foreign keys to %s: %w", table(in.name, "worker"), explain(err))
	}
	for _, k := range keys {
		var found struct {
			Rows    int64
			Workers []string `bun:",array"`
		}
		err := db.NewRaw(`
SELECT pg_catalog.count(*) AS rows, coalesce((pg_catalog.array_agg(DISTINCT worker.name::pg_catalog.text))[1:5], '{}') AS workers
FROM ? AS worker JOIN ? AS state ON state.worker = worker.id AND state.former IS NULL JOIN ?`,
			bun.Safe(table(in.name, "worker")), bun.Safe(table(in.name, stateTable)), bun.Safe(k.Condition)).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("count the rows of %s that refer to attune's workers: %w", k.Name, explain(err))
		}
		if found.Rows > 0 {
			blockers = append(blockers, fmt.Sprintf("table %s holds %s that %s by %s to a worker of attune's (%s)", k.Name, rowCount(found.Rows),
				map[bool]string{true: "refers", false: "refer"}[found.Rows == 1], k.Columns, strings.Join(found.Workers, ", ")))
		}
	}
	return blockers, nil
}

// loadedPacks returns the refs of packs that attune loaded, as far as they are still there.
func (m *Migrator) loadedPacks(ctx context.Context, db bun.IDB, in *inspection) (refs []string, err error) {
	var readable bool
	err = db.NewRaw(`SELECT pg_catalog.has_table_privilege(CAST(? AS pg_catalog.oid), 'SELECT')
		AND pg_catalog.has_table_privilege(CAST(? AS pg_catalog.oid), 'SELECT')`, in.relations["pack"].oid, in.relations["runtime"].oid).Scan(ctx, &readable)
	if err != nil || !readable {
		return nil, explain(err)
	}
	err = db.NewRaw(`
SELECT pack.ref FROM ?0 AS pack
WHERE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(pack)->'meta'->'attune') = 'object'
   OR EXISTS (SELECT FROM ?1 AS loaded JOIN ?2 AS runtime ON runtime.id = loaded.runtime WHERE pg_catalog.to_jsonb(runtime)->>'pack' = pack.id::pg_catalog.text)
ORDER BY 1`, bun.Safe(table(in.name, "pack")), bun.Safe(table(in.name, runtimeState)), bun.Safe(table(in.name, "runtime"))).Scan(ctx, &refs)
	if err != nil {
		return nil, fmt.Errorf("list packs that attune loaded: %w", explain(err))
	}
	return refs, nil
}
