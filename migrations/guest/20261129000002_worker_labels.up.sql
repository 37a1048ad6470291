-- requires: 0.1.0
-- The platform's table of workers gets no index. Lists are sorted when they are read.

CREATE INDEX attune_worker_runtime_prerelease_idx ON {schema}.attune_worker_runtime (runtime_ref, sort_key, worker)
    WHERE prerelease AND outcome = 'available';

-- The labels and taints of attune's own workers are copied from their documents, as those of the
-- platform's workers are: see 20260310000001_worker_runtime.
CREATE FUNCTION {schema}.attune_copy_labels(worker_id bigint, document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    DELETE FROM {schema}.attune_worker_label WHERE worker = worker_id;
    DELETE FROM {schema}.attune_worker_taint WHERE worker = worker_id;
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.attune_worker_label (worker, key, value)
    SELECT worker_id, l.key, l.value #>> '{}'
    FROM jsonb_each(CASE jsonb_typeof(document->'labels') WHEN 'object' THEN document->'labels' ELSE '{}' END) l
    WHERE jsonb_typeof(l.value) IN ('string', 'number', 'boolean') AND octet_length(l.key) + octet_length(l.value::text) <= 1024
    ORDER BY l.key COLLATE "C" LIMIT 1000;
    INSERT INTO {schema}.attune_worker_taint (worker, key, value, effect)
    SELECT worker_id, t.value->>'key', t.value->>'value', t.value->>'effect'
    FROM jsonb_array_elements(CASE jsonb_typeof(document->'taints') WHEN 'array' THEN document->'taints' ELSE '[]' END) t
    WHERE jsonb_typeof(t.value->'key') = 'string' AND t.value->>'effect' IN ('no_schedule', 'prefer_no_schedule')
      AND octet_length(t.value::text) <= 1024
    LIMIT 1000;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.attune_copy_labels(bigint, jsonb) FROM PUBLIC;

-- It never raises an error, because the platform must be able to write its rows.
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

DO $attune$
BEGIN
    PERFORM {schema}.attune_copy_labels(w.id, w.capabilities::text::jsonb)
    FROM {schema}.attune_worker_state s JOIN {schema}.worker w ON w.id = s.worker;
END
$attune$;
