-- requires: 0.1.0
-- As in attune's own schemas, a change of a worker's status writes no row of its runtimes. The file for
-- Postgres has the reasons.

DROP TRIGGER IF EXISTS attune_worker_state_status ON {schema}.attune_worker_state;
UPDATE {schema}.attune_worker_runtime SET active = true WHERE outcome = 'available' AND NOT active;

DROP INDEX IF EXISTS {schema}.attune_worker_runtime_available_idx;
CREATE INDEX attune_worker_runtime_available_idx ON {schema}.attune_worker_runtime
    (runtime_ref, sort_key NULLS FIRST, (worker % 2147483647 * 2654435769 % 4294967296), worker)
    WHERE outcome = 'available';

-- A worker that becomes attune's no longer declares runtimes.
CREATE OR REPLACE FUNCTION {schema}.attune_worker_state_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.attune_worker_state$table$::regclass THEN
        RAISE EXCEPTION 'function attune_worker_state_follow does not work for %', TG_RELID::regclass;
    END IF;
    DELETE FROM {schema}.attune_worker_runtime WHERE worker = NEW.worker;
    DELETE FROM {schema}.attune_worker_label WHERE worker = NEW.worker;
    DELETE FROM {schema}.attune_worker_taint WHERE worker = NEW.worker;
    RETURN NULL;
END
$attune$;

CREATE OR REPLACE FUNCTION {schema}.attune_available_runtime()
RETURNS TABLE (worker bigint, role text, ref text, name text, version text, key text, path text, prerelease boolean, worker_name text)
LANGUAGE sql STABLE AS $attune$
    SELECT r.worker, CAST(w.worker_role AS pg_catalog.text), r.runtime_ref, r.name,
           CASE WHEN r.version OPERATOR(pg_catalog.<>) '' THEN r.version END, r.sort_key,
           CASE WHEN r.path OPERATOR(pg_catalog.<>) '' THEN r.path END, r.prerelease, CAST(w.name AS pg_catalog.text)
    FROM {schema}.attune_worker_runtime r
    JOIN {schema}.worker w ON w.id OPERATOR(pg_catalog.=) r.worker
    LEFT JOIN {schema}.attune_worker_state s ON s.worker OPERATOR(pg_catalog.=) r.worker
    WHERE r.outcome OPERATOR(pg_catalog.=) 'available'
      AND CASE WHEN s.worker IS NULL
          THEN CAST(w.status AS pg_catalog.text) OPERATOR(pg_catalog.=) 'active'
               AND w.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => 90))
          ELSE s.status OPERATOR(pg_catalog.=) 'active'
               AND s.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-)
                   pg_catalog.make_interval(secs => 3 OPERATOR(pg_catalog.*) CAST(s.heartbeat_interval AS pg_catalog.float8))) END
$attune$;
