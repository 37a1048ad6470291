-- A table that somebody else dropped does not keep attune from moving out. Dropping the function drops its triggers.
DROP FUNCTION IF EXISTS {schema}.attune_definition_mark_count() CASCADE;
DROP TABLE IF EXISTS {schema}.attune_definition_mark;

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
    ELSE
        PERFORM {schema}.attune_copy_labels(NEW.id, NEW.capabilities::text::jsonb);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'attune: read the capabilities of worker %: %', NEW.id, SQLERRM;
    RETURN NULL;
END
$attune$;

DROP INDEX IF EXISTS {schema}.attune_worker_runtime_undefined_ref_idx;
DROP INDEX IF EXISTS {schema}.attune_worker_runtime_undefined_name_idx;
ALTER TABLE IF EXISTS {schema}.attune_worker_runtime SET (fillfactor = 80);
DO $attune$
BEGIN
    ALTER FUNCTION {schema}.attune_copy_labels(bigint, jsonb) RESET enable_seqscan;
    ALTER FUNCTION {schema}.attune_declare_worker(bigint, jsonb) RESET enable_seqscan;
EXCEPTION WHEN undefined_function THEN NULL;
END
$attune$;
