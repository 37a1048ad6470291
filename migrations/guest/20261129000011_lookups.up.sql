-- requires: 0.1.0
-- As in attune's own schemas, a runtime without a definition is found by an index.
CREATE INDEX attune_worker_runtime_undefined_ref_idx ON {schema}.attune_worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(runtime_ref AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;
CREATE INDEX attune_worker_runtime_undefined_name_idx ON {schema}.attune_worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;

ALTER TABLE {schema}.attune_worker_runtime SET (fillfactor = 90);

-- A platform's worker may declare a runtime by two names, and a version with one of them. The other name says
-- nothing more, and its row goes.
CREATE OR REPLACE FUNCTION {schema}.attune_worker_declares() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.worker$table$::regclass THEN
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.capabilities::text IS NOT DISTINCT FROM OLD.capabilities::text THEN -- json has no equality
            RETURN NULL;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM {schema}.attune_worker_state s WHERE s.worker = NEW.id) THEN
        PERFORM {schema}.attune_declare_worker(NEW.id, NEW.capabilities::text::jsonb);
        DELETE FROM {schema}.attune_worker_runtime r
        WHERE r.worker = NEW.id AND r.runtime_ref <> '' AND r.version_raw = '' AND EXISTS (
            SELECT FROM {schema}.attune_worker_runtime other
            WHERE other.worker = r.worker AND other.runtime_ref = r.runtime_ref AND other.version_raw <> '');
    ELSE
        PERFORM {schema}.attune_copy_labels(NEW.id, NEW.capabilities::text::jsonb);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'attune: read the capabilities of worker %: %', NEW.id, SQLERRM;
    RETURN NULL;
END
$attune$;
DELETE FROM {schema}.attune_worker_runtime r
WHERE r.runtime_ref <> '' AND r.version_raw = '' AND r.source = 'declared'
  AND NOT EXISTS (SELECT FROM {schema}.attune_worker_state s WHERE s.worker = r.worker)
  AND EXISTS (SELECT FROM {schema}.attune_worker_runtime other
              WHERE other.worker = r.worker AND other.runtime_ref = r.runtime_ref AND other.version_raw <> '');

-- The number of changes of definitions, like definition_mark in attune's own schemas, so that a host does not read
-- every definition to see whether one changed. A table that the platform creates later has no trigger. Hosts read
-- its rows.
CREATE TABLE {schema}.attune_definition_mark (
    slot    bigserial CONSTRAINT attune_definition_mark_pkey PRIMARY KEY,
    changes bigint NOT NULL,
    writer  xid8
) WITH (fillfactor = 50);
INSERT INTO {schema}.attune_definition_mark (changes) VALUES (0);

-- It never raises an error, because the platform must be able to write its rows. A transaction of another isolation
-- than read committed reads nothing here, so that it cannot fail for what others wrote.
CREATE FUNCTION {schema}.attune_definition_mark_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> ALL (ARRAY(SELECT to_regclass(t.name)::oid FROM unnest(ARRAY[$table${schema}.runtime$table$, $table${schema}.runtime_version$table$,
            $table${schema}.attune_runtime_state$table$, $table${schema}.attune_runtime_version$table$]) t (name) WHERE to_regclass(t.name) IS NOT NULL)) THEN
        RETURN NULL;
    ELSIF current_setting('transaction_isolation') = 'read committed' THEN
        IF EXISTS (SELECT FROM {schema}.attune_definition_mark m WHERE m.writer = pg_current_xact_id()) THEN
            RETURN NULL;
        END IF;
        UPDATE {schema}.attune_definition_mark AS m SET changes = m.changes + 1, writer = pg_current_xact_id()
        WHERE m.slot = (SELECT free.slot FROM {schema}.attune_definition_mark free ORDER BY free.slot LIMIT 1 FOR UPDATE SKIP LOCKED);
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO {schema}.attune_definition_mark (changes, writer) VALUES (1, pg_current_xact_id());
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'attune: count a change of %: %', TG_RELID::regclass, SQLERRM;
    RETURN NULL;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.attune_definition_mark_count() FROM PUBLIC;

CREATE TRIGGER attune_definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.runtime
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.attune_definition_mark_count();
CREATE TRIGGER attune_definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.attune_runtime_state
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.attune_definition_mark_count();
CREATE TRIGGER attune_definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.attune_runtime_version
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.attune_definition_mark_count();

-- The kind ALWAYS fires for replicated rows too. Without it, which only an owner can set, hosts read the rows.
DO $attune$
DECLARE
    name text;
BEGIN
    IF to_regclass($table${schema}.runtime_version$table$) IS NOT NULL THEN
        EXECUTE format('CREATE TRIGGER attune_definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
            $table${schema}.runtime_version$table$, $table${schema}.attune_definition_mark_count$table$);
    END IF;
    FOREACH name IN ARRAY ARRAY['runtime', 'runtime_version', 'attune_runtime_state', 'attune_runtime_version'] LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s.%I ENABLE ALWAYS TRIGGER attune_definition_mark_count', $table${schema}$table$, name);
        EXCEPTION WHEN undefined_table OR undefined_object OR insufficient_privilege THEN NULL;
        END;
    END LOOP;
END
$attune$;

-- A session keeps the plan of a function. One made while the tables were empty would read them whole for each worker,
-- and a transaction that writes many documents would take hours.
ALTER FUNCTION {schema}.attune_copy_labels(bigint, jsonb) SET enable_seqscan = off;
ALTER FUNCTION {schema}.attune_declare_worker(bigint, jsonb) SET enable_seqscan = off;
