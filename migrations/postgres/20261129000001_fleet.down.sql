CREATE OR REPLACE VIEW {schema}.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM {schema}.worker_runtime r
JOIN {schema}.worker w ON w.id = r.worker
WHERE r.active AND r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > statement_timestamp() - w.heartbeat_interval * interval '3 seconds';

DROP INDEX {schema}.idx_worker_runtime_available;
CREATE INDEX idx_worker_runtime_available ON {schema}.worker_runtime (runtime_ref, sort_key NULLS FIRST, worker)
    WHERE active AND outcome = 'available';

UPDATE {schema}.worker_runtime r SET active = NOT r.active
FROM {schema}.worker w
WHERE w.id = r.worker AND r.outcome = 'available' AND r.active <> coalesce(w.status = 'active', false);

CREATE FUNCTION {schema}.worker_runtime_follow_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.worker$table$::regclass THEN
        RAISE EXCEPTION 'function worker_runtime_follow_status works for % alone, not for %', $table${schema}.worker$table$, TG_RELID::regclass;
    END IF;
    UPDATE {schema}.worker_runtime SET active = NOT active
    WHERE worker = NEW.id AND active <> coalesce(NEW.status = 'active', false) AND outcome = 'available';
    RETURN NULL;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.worker_runtime_follow_status() FROM PUBLIC;

CREATE TRIGGER worker_runtime_follow_status AFTER UPDATE OF status ON {schema}.worker
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION {schema}.worker_runtime_follow_status();
