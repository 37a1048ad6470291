-- A table, column or index that somebody else dropped does not keep attune from moving out.
CREATE OR REPLACE FUNCTION {schema}.attune_available_runtime()
RETURNS TABLE (worker bigint, role text, ref text, name text, version text, key text, path text, prerelease boolean, worker_name text)
LANGUAGE sql STABLE AS $attune$
    SELECT r.worker, CAST(w.worker_role AS pg_catalog.text), r.runtime_ref, r.name,
           CASE WHEN r.version OPERATOR(pg_catalog.<>) '' THEN r.version END, r.sort_key,
           CASE WHEN r.path OPERATOR(pg_catalog.<>) '' THEN r.path END, r.prerelease, CAST(w.name AS pg_catalog.text)
    FROM {schema}.attune_worker_runtime r
    JOIN {schema}.worker w ON w.id OPERATOR(pg_catalog.=) r.worker
    LEFT JOIN {schema}.attune_worker_state s ON s.worker OPERATOR(pg_catalog.=) r.worker
    WHERE r.active AND r.outcome OPERATOR(pg_catalog.=) 'available'
      AND CASE WHEN s.worker IS NULL
          THEN CAST(w.status AS pg_catalog.text) OPERATOR(pg_catalog.=) 'active'
               AND w.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => 90))
          ELSE s.status OPERATOR(pg_catalog.=) 'active'
               AND s.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-)
                   pg_catalog.make_interval(secs => 3 OPERATOR(pg_catalog.*) CAST(s.heartbeat_interval AS pg_catalog.float8))) END
$attune$;

CREATE OR REPLACE FUNCTION {schema}.attune_worker_state_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.attune_worker_state$table$::regclass THEN
        RAISE EXCEPTION 'function attune_worker_state_follow does not work for %', TG_RELID::regclass;
    END IF;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM {schema}.attune_worker_runtime WHERE worker = NEW.worker;
        DELETE FROM {schema}.attune_worker_label WHERE worker = NEW.worker;
        DELETE FROM {schema}.attune_worker_taint WHERE worker = NEW.worker;
    ELSE
        UPDATE {schema}.attune_worker_runtime SET active = NOT active
        WHERE worker = NEW.worker AND active <> (NEW.status = 'active') AND outcome = 'available';
    END IF;
    RETURN NULL;
END
$attune$;
DO $attune$
BEGIN
    CREATE TRIGGER attune_worker_state_status AFTER UPDATE OF status ON {schema}.attune_worker_state
        FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION {schema}.attune_worker_state_follow();
EXCEPTION WHEN undefined_table OR undefined_column THEN NULL;
END
$attune$;

DROP INDEX IF EXISTS {schema}.attune_worker_runtime_available_idx;
DO $attune$
BEGIN
    CREATE INDEX attune_worker_runtime_available_idx ON {schema}.attune_worker_runtime (runtime_ref, sort_key NULLS FIRST, worker)
        WHERE active AND outcome = 'available';
    UPDATE {schema}.attune_worker_runtime r SET active = NOT r.active
    FROM {schema}.attune_worker_state s
    WHERE s.worker = r.worker AND r.outcome = 'available' AND r.active <> (s.status = 'active');
EXCEPTION WHEN undefined_table OR undefined_column THEN NULL;
END
$attune$;
