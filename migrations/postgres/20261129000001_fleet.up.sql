-- requires: 0.1.0
-- A change of a worker's status writes no row of worker_runtime. The index contains the installations
-- of all workers, and a query looks up by key whether a found worker is active and fresh, as it did
-- before. To flip active on the 28 rows of a worker took two milliseconds, which made a mass outage of
-- 30,000 workers a minute's work. A look-up of a worker that is gone takes microseconds.
--
-- Within a version the index orders workers by a number that is calculated from their id, so that
-- placement can begin at any of them. Consecutive ids lead to numbers that are far apart (multiplicative
-- hashing; Knuth, volume 3, section 6.4). schema.Spread calculates it as well.
--
-- The column active stays for earlier programs, which read it together with the worker's status. It is
-- true for every installation.

DROP TRIGGER worker_runtime_follow_status ON {schema}.worker;
DROP FUNCTION {schema}.worker_runtime_follow_status();
UPDATE {schema}.worker_runtime SET active = true WHERE outcome = 'available' AND NOT active;

DROP INDEX {schema}.idx_worker_runtime_available;
CREATE INDEX idx_worker_runtime_available ON {schema}.worker_runtime
    (runtime_ref, sort_key NULLS FIRST, (worker % 2147483647 * 2654435769 % 4294967296), worker)
    WHERE outcome = 'available';

CREATE OR REPLACE VIEW {schema}.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM {schema}.worker_runtime r
JOIN {schema}.worker w ON w.id = r.worker
WHERE r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > statement_timestamp() - w.heartbeat_interval * interval '3 seconds';

-- The number of transactions that changed definitions, which a program reads instead of all
-- definitions. It is the sum over all rows. Each transaction counts in a row that no other one has
-- locked, so that none waits for another and no count is lost: the sum changes when a transaction
-- commits. Under another isolation than read committed it adds a row, because it cannot update one
-- that others have updated. The trigger is of the kind ALWAYS, so that it fires for replicated rows.
CREATE TABLE {schema}.definition_mark (
    slot    bigserial CONSTRAINT definition_mark_pkey PRIMARY KEY,
    changes bigint NOT NULL,
    writer  xid8
) WITH (fillfactor = 50);
INSERT INTO {schema}.definition_mark (changes) VALUES (0);

CREATE FUNCTION {schema}.definition_mark_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.runtime$table$::regclass AND TG_RELID <> $table${schema}.runtime_version$table$::regclass THEN
        RAISE EXCEPTION 'function definition_mark_count does not work for %', TG_RELID::regclass;
    ELSIF EXISTS (SELECT FROM {schema}.definition_mark m WHERE m.writer = pg_current_xact_id()) THEN
        RETURN NULL;
    ELSIF current_setting('transaction_isolation') = 'read committed' THEN
        UPDATE {schema}.definition_mark AS m SET changes = m.changes + 1, writer = pg_current_xact_id()
        WHERE m.slot = (SELECT free.slot FROM {schema}.definition_mark free ORDER BY free.slot LIMIT 1 FOR UPDATE SKIP LOCKED);
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO {schema}.definition_mark (changes, writer) VALUES (1, pg_current_xact_id());
    RETURN NULL;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.definition_mark_count() FROM PUBLIC;

CREATE TRIGGER definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.runtime
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.definition_mark_count();
ALTER TABLE {schema}.runtime ENABLE ALWAYS TRIGGER definition_mark_count;
CREATE TRIGGER definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.runtime_version
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.definition_mark_count();
ALTER TABLE {schema}.runtime_version ENABLE ALWAYS TRIGGER definition_mark_count;
