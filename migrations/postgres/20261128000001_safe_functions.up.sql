-- requires: 0.1.0
-- After this migration, functions with the owner's rights are safe to call for everybody, the
-- database sets the times of heartbeats, and no row is too large for programs that read all rows.

-- Repairs times in existing rows that no program can read. Otherwise each later write of such a row
-- would be refused, including those of a sweep.
UPDATE {schema}.worker SET
    last_heartbeat = CASE WHEN last_heartbeat >= '0001-01-03 00:00:00+00' AND last_heartbeat < '9999-12-30 00:00:00+00' THEN last_heartbeat END,
    refresh_requested = CASE WHEN refresh_requested >= '0001-01-03 00:00:00+00' AND refresh_requested < '9999-12-30 00:00:00+00' THEN refresh_requested END,
    created = CASE WHEN created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00' THEN created ELSE now() END,
    updated = CASE WHEN updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00' THEN updated ELSE now() END
WHERE NOT (last_heartbeat >= '0001-01-03 00:00:00+00' AND last_heartbeat < '9999-12-30 00:00:00+00')
   OR NOT (refresh_requested >= '0001-01-03 00:00:00+00' AND refresh_requested < '9999-12-30 00:00:00+00')
   OR NOT (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
   OR NOT (updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00');
UPDATE {schema}.worker_runtime SET
    verified_at = CASE WHEN verified_at >= '0001-01-03 00:00:00+00' AND verified_at < '9999-12-30 00:00:00+00' THEN verified_at END,
    unconfirmed_since = CASE WHEN unconfirmed_since >= '0001-01-03 00:00:00+00' AND unconfirmed_since < '9999-12-30 00:00:00+00' THEN unconfirmed_since END,
    created = CASE WHEN created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00' THEN created ELSE now() END,
    updated = CASE WHEN updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00' THEN updated ELSE now() END
WHERE NOT (verified_at >= '0001-01-03 00:00:00+00' AND verified_at < '9999-12-30 00:00:00+00')
   OR NOT (unconfirmed_since >= '0001-01-03 00:00:00+00' AND unconfirmed_since < '9999-12-30 00:00:00+00')
   OR NOT (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
   OR NOT (updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00');
UPDATE {schema}.capability_change SET
    created = CASE WHEN created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00' THEN created ELSE now() END
WHERE NOT (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00');

-- Removes existing documents that are larger than a writer may write from now on, because everybody who
-- lists workers would have to read them. Their hosts report again. Documents that are certainly too
-- large are not converted to text.
UPDATE {schema}.worker SET capabilities = NULL
WHERE pg_column_size(capabilities) > 8192
  AND CASE WHEN pg_column_size(capabilities #> '{}') > 67108864 THEN true ELSE octet_length(capabilities::text) > 16777216 END;
UPDATE {schema}.worker SET meta = NULL
WHERE pg_column_size(meta) > 8192
  AND CASE WHEN pg_column_size(meta #> '{}') > 67108864 THEN true ELSE octet_length(meta::text) > 16777216 END;
UPDATE {schema}.worker_runtime SET evidence = NULL
WHERE pg_column_size(evidence) > 8192
  AND CASE WHEN pg_column_size(evidence #> '{}') > 67108864 THEN true ELSE octet_length(evidence::text) > 16777216 END;

-- Programs can read the years 1 to 9999 in every time zone. NOT VALID avoids a scan under an exclusive
-- lock.
ALTER TABLE {schema}.pack ADD CONSTRAINT pack_times_check CHECK (
        created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'
    AND updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00') NOT VALID;
ALTER TABLE {schema}.runtime ADD CONSTRAINT runtime_times_check CHECK (
        created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'
    AND updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00') NOT VALID;
ALTER TABLE {schema}.runtime_version ADD CONSTRAINT runtime_version_times_check CHECK (
        created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'
    AND updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00') NOT VALID;
ALTER TABLE {schema}.worker_runtime ADD CONSTRAINT worker_runtime_times_check CHECK (
        verified_at >= '0001-01-03 00:00:00+00' AND verified_at < '9999-12-30 00:00:00+00'
    AND unconfirmed_since >= '0001-01-03 00:00:00+00' AND unconfirmed_since < '9999-12-30 00:00:00+00'
    AND created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'
    AND updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00') NOT VALID;
ALTER TABLE {schema}.capability_change ADD CONSTRAINT capability_change_times_check CHECK (
        created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00') NOT VALID;

-- Programs that list workers read every row, so the size of a host's row is limited.
ALTER TABLE {schema}.worker_runtime ADD CONSTRAINT worker_runtime_size_check CHECK (
        octet_length(runtime_ref) + octet_length(name) + octet_length(outcome) + octet_length(source) + octet_length(version)
      + octet_length(version_raw) + octet_length(path) + octet_length(real_path)
      + coalesce(octet_length(sort_key), 0) + coalesce(octet_length(detail), 0) + coalesce(octet_length(hint), 0) <= 1048576) NOT VALID;
ALTER TABLE {schema}.capability_change ADD CONSTRAINT capability_change_size_check CHECK (
        octet_length(worker_name) + octet_length(worker_role) + octet_length(runtime_ref) + octet_length(name)
      + coalesce(octet_length(old_version), 0) + coalesce(octet_length(new_version), 0) + coalesce(octet_length(detail), 0) <= 1048576) NOT VALID;

-- Triggers limit the values of worker when these are written. A check constraint would be planned and
-- evaluated for each heartbeat.
CREATE FUNCTION {schema}.worker_bound_values() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    IF least(NEW.last_heartbeat, NEW.refresh_requested, NEW.created, NEW.updated) OPERATOR(pg_catalog.<) '0001-01-03 00:00:00+00'
       OR greatest(NEW.last_heartbeat, NEW.refresh_requested, NEW.created, NEW.updated) OPERATOR(pg_catalog.>=) '9999-12-30 00:00:00+00' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'worker: times are of the years 1 to 9999';
    END IF;
    IF greatest(pg_catalog.octet_length(NEW.name), pg_catalog.octet_length(NEW.host)) OPERATOR(pg_catalog.>) 4096 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'worker: name, host and instance have at most 4096 bytes each';
    END IF;
    RETURN NEW;
END
$attune$;
-- The text is measured, because a document from a table may be compressed, sometimes a hundredfold.
CREATE FUNCTION {schema}.worker_bound_documents() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    IF pg_catalog.octet_length(NEW.capabilities::pg_catalog.text) OPERATOR(pg_catalog.>) 16777216
       OR pg_catalog.octet_length(NEW.meta::pg_catalog.text) OPERATOR(pg_catalog.>) 16777216 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'worker: capabilities and meta have at most 16 MiB each';
    END IF;
    RETURN NEW;
END
$attune$;
CREATE FUNCTION {schema}.worker_runtime_bound_documents() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    IF pg_catalog.octet_length(NEW.evidence::pg_catalog.text) OPERATOR(pg_catalog.>) 16777216 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'worker_runtime: evidence has at most 16 MiB';
    END IF;
    RETURN NEW;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.worker_bound_values(), {schema}.worker_bound_documents(), {schema}.worker_runtime_bound_documents() FROM PUBLIC;
CREATE TRIGGER worker_bound_values BEFORE INSERT OR UPDATE OF name, host, last_heartbeat, refresh_requested, created, updated ON {schema}.worker
    FOR EACH ROW EXECUTE FUNCTION {schema}.worker_bound_values();
CREATE TRIGGER worker_bound_documents BEFORE INSERT OR UPDATE OF capabilities, meta ON {schema}.worker
    FOR EACH ROW EXECUTE FUNCTION {schema}.worker_bound_documents();
CREATE TRIGGER worker_runtime_bound_documents BEFORE INSERT OR UPDATE OF evidence ON {schema}.worker_runtime
    FOR EACH ROW EXECUTE FUNCTION {schema}.worker_runtime_bound_documents();

-- The database sets the time of a heartbeat. Writing one's instance is a heartbeat, so nobody needs a
-- right to last_heartbeat. A role with that right may still write another time. A plain heartbeat
-- changes neither status nor capabilities and leaves updated unchanged. The trigger has no WHEN, which
-- would be planned for each heartbeat; the expressions of the function are not.
CREATE FUNCTION {schema}.worker_stamp_heartbeat() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    IF pg_catalog.octet_length(NEW.instance) OPERATOR(pg_catalog.<=) 4096
       AND coalesce(NEW.last_heartbeat, 'epoch') OPERATOR(pg_catalog.=) coalesce(OLD.last_heartbeat, 'epoch') THEN
        NEW.last_heartbeat := pg_catalog.statement_timestamp();
    ELSIF pg_catalog.octet_length(NEW.instance) OPERATOR(pg_catalog.>) 4096 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'worker: name, host and instance have at most 4096 bytes each';
    END IF;
    RETURN NEW;
END
$attune$;
CREATE FUNCTION {schema}.worker_stamp_updated() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    NEW.updated := pg_catalog.now();
    RETURN NEW;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.worker_stamp_heartbeat(), {schema}.worker_stamp_updated() FROM PUBLIC;

CREATE TRIGGER worker_stamp_heartbeat BEFORE INSERT OR UPDATE OF instance ON {schema}.worker
    FOR EACH ROW EXECUTE FUNCTION {schema}.worker_stamp_heartbeat();
CREATE TRIGGER worker_stamp_updated BEFORE UPDATE OF status, capabilities ON {schema}.worker
    FOR EACH ROW WHEN (NEW.updated IS NOT DISTINCT FROM OLD.updated)
    EXECUTE FUNCTION {schema}.worker_stamp_updated();

-- Writes a heartbeat: see 20260310000001_worker_runtime. Its operators are those of pg_catalog,
-- regardless of the caller's search_path.
CREATE OR REPLACE FUNCTION {schema}.worker_heartbeat(worker_id bigint, worker_instance text) RETURNS timestamptz
LANGUAGE plpgsql AS $attune$
DECLARE
    asked timestamptz;
BEGIN
    UPDATE {schema}.worker AS w SET instance = w.instance
    WHERE w.id OPERATOR(pg_catalog.=) worker_id AND w.instance OPERATOR(pg_catalog.=) worker_instance
      AND w.status OPERATOR(pg_catalog.<>) 'inactive'
    RETURNING coalesce(w.refresh_requested, 'epoch') INTO asked;
    RETURN asked;
END
$attune$;

-- Each function with the owner's rights works only for its own table, and only its owner may create a
-- trigger with it. Existing triggers need no right to fire.
CREATE OR REPLACE FUNCTION {schema}.worker_runtime_follow_status() RETURNS trigger
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

CREATE OR REPLACE FUNCTION {schema}.worker_runtime_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.worker_runtime$table$::regclass THEN
        RAISE EXCEPTION 'function worker_runtime_delete works for % alone, not for %', $table${schema}.worker_runtime$table$, TG_RELID::regclass;
    END IF;
    DELETE FROM {schema}.worker_runtime WHERE id = NEW.id;
    RETURN NULL;
END
$attune$;

-- It works as before, with two differences. A trigger writes updated, so that rows with unreadable
-- times are swept too. Only objects of pg_catalog take part: in a schema where others may create, an
-- operator for integer and interval would have run with the owner's rights. A trigger of others on
-- worker that uses unqualified names needs its own search_path (ALTER FUNCTION … SET search_path),
-- because it runs under this one in a sweep.
CREATE OR REPLACE FUNCTION {schema}.sweep_workers(every interval, at_most integer, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (id bigint, name text, worker_role text, host text, last_heartbeat timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    seen constant timestamptz := least(until, statement_timestamp());
BEGIN
    PERFORM FROM {schema}.worker_sweep s
    WHERE s.swept <= statement_timestamp() - every OR s.swept > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE {schema}.worker_sweep SET swept = statement_timestamp();
    RETURN QUERY
    UPDATE {schema}.worker AS w SET status = 'inactive'
    WHERE w.id IN (
        SELECT stale.id FROM {schema}.worker AS stale
        WHERE stale.status IN ('active', 'busy')
          AND stale.last_heartbeat <= seen - make_interval(secs => 3 * stale.heartbeat_interval::double precision)
          AND (since IS NULL OR since <= seen - make_interval(secs => 3 * stale.heartbeat_interval::double precision))
        ORDER BY stale.id LIMIT at_most FOR UPDATE SKIP LOCKED)
    RETURNING w.id, w.name::text, w.worker_role::text, w.host::text, greatest(w.last_heartbeat, 'epoch');
END
$attune$;

-- It works as before, but keep is at least a day in every sense: an interval such as '-1 year 361 days'
-- is more than a day when compared, and ends in the future when subtracted.
CREATE OR REPLACE FUNCTION {schema}.prune_changes(every interval, keep interval, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    before constant timestamptz := least(statement_timestamp() - keep, statement_timestamp() - interval '1 day');
    since  bigint;
    up_to  bigint;
    seen   bigint;
    gone   bigint;
BEGIN
    SELECT s.pruned_to INTO since FROM {schema}.worker_sweep s
    WHERE s.pruned <= statement_timestamp() - every OR s.pruned > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT count(*), max(old.id) INTO seen, up_to
    FROM (SELECT c.id, c.created FROM {schema}.capability_change c WHERE c.id > since ORDER BY c.id LIMIT at_most) AS old
    WHERE old.created < before;
    DELETE FROM {schema}.capability_change c
    WHERE c.id > since AND c.id <= up_to AND c.created < before
      AND (c.worker IS NULL OR EXISTS (
          SELECT 1 FROM {schema}.capability_change newer
          WHERE newer.worker = c.worker AND newer.runtime_ref = c.runtime_ref AND newer.name = c.name AND newer.id > c.id));
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE {schema}.worker_sweep SET pruned = statement_timestamp(), pruned_to = CASE WHEN seen < at_most THEN 0 ELSE up_to END;
    RETURN gone;
END
$attune$;

-- Go grants the last two to the roles that may write worker.
REVOKE ALL ON FUNCTION {schema}.worker_runtime_follow_status(), {schema}.worker_runtime_delete(),
    {schema}.sweep_workers(interval, integer, timestamptz, timestamptz), {schema}.prune_changes(interval, interval, integer) FROM PUBLIC;
