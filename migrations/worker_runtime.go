package migrations

import (
	"context"
	"fmt"
	"sync"

	"github.com/uptrace/bun"
)

// The tables and the view that WorkerRuntime creates.
const (
	workerRuntimeTable = "worker_runtime"
	changeTable        = "capability_change"
	sweepTable         = "worker_sweep"
	availableView      = "available_runtime"
)

// workerRelations are the tables and the view of WorkerRuntime.
var workerRelations = []string{workerRuntimeTable, changeTable, sweepTable, availableView}

// ownIndexes returns the names of the indexes that migrations create on Postgres.
var ownIndexes = sync.OnceValue(func() map[string][]string {
	byID := map[string][]string{}
	for _, id := range []string{WorkerRuntime, WorkerLabels, Placement, Lookups, Server} {
		byID[id] = newIndexes("postgres", id)
	}
	return byID
})

// labelRelations are the tables that WorkerLabels creates.
var labelRelations = []string{"worker_label", "worker_taint"}

// labelFunctions are the functions that WorkerLabels creates.
var labelFunctions = []string{"worker_copy_labels", "worker_follow_labels"}

// classifyWorkerRuntime finds tables of WorkerRuntime that are missing and names that belong to
// others.
func (in *inspection) classifyWorkerRuntime() {
	in.classifyNames(WorkerRuntime, workerRelations, ownIndexes()[WorkerRuntime])
	in.classifyNames(WorkerLabels, labelRelations, ownIndexes()[WorkerLabels])
	in.classifyNames(Placement, operatorRelations, ownIndexes()[Placement])
	in.classifyNames(Lookups, nil, ownIndexes()[Lookups])
	in.classifyServer()
}

// settle does the work on Postgres that depends on the catalog. The owner of worker becomes the
// owner of the new objects, and roles that may use worker may use them. Rows of worker get free
// space and keep documents elsewhere, so that a heartbeat rewrites little and no index.
func (m *Migrator) settle(ctx context.Context, tx bun.IDB, in *inspection) error {
	var statements []string
	err := tx.NewRaw(`
WITH worker AS (
    SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?0
), added AS (
    SELECT c.oid, c.relkind, pg_catalog.format('%I.%I', w.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN worker w ON w.relnamespace = c.relnamespace
    WHERE c.relname IN (?1) OR c.oid IN (
        SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
        WHERE d.deptype = 'a' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid
          AND t.relname IN (?1) AND t.relnamespace = w.relnamespace)
), grants AS (
    SELECT x.privilege_type AS privilege,
           CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::pg_catalog.text END AS grantee
    FROM worker w, pg_catalog.aclexplode(w.relacl) x
    WHERE x.grantee <> w.relowner AND x.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
)
SELECT pg_catalog.format('GRANT %s ON %s TO %s', g.privilege, a.name, g.grantee) FROM added a, grants g
WHERE a.relkind = 'r' OR a.relkind = 'v' AND g.privilege = 'SELECT'
UNION ALL
SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %s', a.name, g.grantee) FROM added a, grants g
WHERE a.relkind = 'S' AND g.privilege = 'INSERT'
UNION ALL
SELECT pg_catalog.format('ALTER TABLE %s OWNER TO %I', a.name, pg_catalog.pg_get_userbyid(w.relowner)) FROM added a, worker w
WHERE a.relkind IN ('r', 'v') AND pg_catalog.pg_get_userbyid(w.relowner) <> current_user
UNION ALL
SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(w.relowner))
FROM pg_catalog.pg_proc p JOIN worker w ON w.relnamespace = p.pronamespace
WHERE p.proname IN ('worker_runtime_follow_status', 'worker_runtime_delete', 'sweep_workers', 'prune_changes', 'worker_heartbeat', 'version_key', 'version_constraint_valid')
  AND pg_catalog.pg_get_userbyid(w.relowner) <> current_user
UNION ALL
SELECT pg_catalog.format('ALTER TABLE %I.%I SET (%s)', w.nspname, w.relname, o.option) FROM worker w, (VALUES (?2), (?3)) o (option)
WHERE w.relkind = 'r' AND NOT EXISTS (
    SELECT 1 FROM pg_catalog.unnest(w.reloptions) r WHERE pg_catalog.split_part(r, '=', 1) = pg_catalog.split_part(o.option, '=', 1))`,
		in.relations["worker"].oid, bun.List(workerRelations), fillfactor, toastTarget).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read owner and privileges of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}

// shareReading makes the owner of worker the owner of new tables and functions. Roles that may read
// worker may read the tables, and no other role may write them.
func (m *Migrator) shareReading(ctx context.Context, tx bun.IDB, in *inspection, relations, functions []string) error {
	var statements []string
	err := tx.NewRaw(`
WITH worker AS (
    SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?0
), added AS (
    SELECT pg_catalog.format('%I.%I', w.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN worker w ON w.relnamespace = c.relnamespace WHERE c.relname IN (?1)
)
SELECT pg_catalog.format('GRANT SELECT ON %s TO %s', a.name,
           CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::pg_catalog.regrole::pg_catalog.text END)
FROM added a, worker w, pg_catalog.aclexplode(w.relacl) x WHERE x.grantee <> w.relowner AND x.privilege_type = 'SELECT'
UNION ALL
SELECT pg_catalog.format('ALTER TABLE %s OWNER TO %I', a.name, pg_catalog.pg_get_userbyid(w.relowner)) FROM added a, worker w
WHERE pg_catalog.pg_get_userbyid(w.relowner) <> current_user
UNION ALL
SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(w.relowner))
FROM pg_catalog.pg_proc p JOIN worker w ON w.relnamespace = p.pronamespace
WHERE p.proname IN (?2) AND p.proowner <> w.relowner`,
		in.relations["worker"].oid, bun.List(relations), bun.List(orNone(functions))).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read owner and privileges of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}

// The storage of worker, unless its owner has set other options: half of each page stays free
// for new versions of rows, and documents are stored outside of them.
const (
	fillfactor  = "fillfactor=50"
	toastTarget = "toast_tuple_target=128"
)

// unsettle resets what settle set on worker.
func (m *Migrator) unsettle(ctx context.Context, tx bun.IDB, in *inspection) error {
	var statements []string
	err := tx.NewRaw(`
SELECT pg_catalog.format('ALTER TABLE %I.%I RESET (%s)', n.nspname, c.relname, pg_catalog.split_part(r, '=', 1))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.unnest(c.reloptions) r
WHERE c.oid = ? AND r IN (?, ?)`, in.relations["worker"].oid, fillfactor, toastTarget).Scan(ctx, &statements)
	if err != nil {
		return fmt.Errorf("read the storage options of worker: %w", err)
	}
	return execAll(ctx, tx, statements)
}

func execAll(ctx context.Context, tx bun.IDB, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}
