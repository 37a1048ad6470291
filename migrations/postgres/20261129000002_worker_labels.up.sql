-- requires: 0.1.0
-- Lists of workers are read a page at a time, in the natural order of names: every number has twenty
-- digits, letters are small, and the name itself decides between equal names. schema/store orders by
-- the same expression, word for word.
CREATE INDEX idx_worker_name_key ON {schema}.worker (
    (pg_catalog."left"(pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.lower(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C"),
        '([0-9]+)', '00000000000000000000\1', 'g'), '[0-9]*([0-9]{20})', '\1', 'g') OPERATOR(pg_catalog.||) E'\x01' OPERATOR(pg_catalog.||)
        CAST(name AS pg_catalog.text), 600) COLLATE pg_catalog."C"), id);

-- A list says how many workers it leaves out because they have only a pre-release that fits. Few rows
-- are pre-releases.
CREATE INDEX idx_worker_runtime_prerelease ON {schema}.worker_runtime (runtime_ref, sort_key, worker)
    WHERE prerelease AND outcome = 'available';

-- Labels and taints of hosts, for queries that read no document. Two triggers write them from the
-- capability documents of attune, of its earlier releases and of platforms. So hosts need no rights to
-- these tables. At most 1000 labels and 1000 taints count, of 1024 bytes each. Values of
-- another shape are left out.
CREATE TABLE {schema}.worker_label (
    worker bigint NOT NULL CONSTRAINT worker_label_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key    text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    CONSTRAINT worker_label_pkey PRIMARY KEY (worker, key)
);
CREATE INDEX idx_worker_label_key ON {schema}.worker_label (key, value, worker);
CREATE TABLE {schema}.worker_taint (
    id     bigserial CONSTRAINT worker_taint_pkey PRIMARY KEY,
    worker bigint NOT NULL CONSTRAINT worker_taint_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key    text COLLATE "C" NOT NULL,
    value  text COLLATE "C",
    effect text NOT NULL CONSTRAINT worker_taint_effect_check CHECK (effect IN ('no_schedule', 'prefer_no_schedule'))
);
CREATE INDEX idx_worker_taint_worker ON {schema}.worker_taint (worker);

CREATE FUNCTION {schema}.worker_copy_labels(worker_id bigint, document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    DELETE FROM {schema}.worker_label WHERE worker = worker_id;
    DELETE FROM {schema}.worker_taint WHERE worker = worker_id;
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.worker_label (worker, key, value)
    SELECT worker_id, l.key, l.value #>> '{}'
    FROM jsonb_each(CASE jsonb_typeof(document->'labels') WHEN 'object' THEN document->'labels' ELSE '{}' END) l
    WHERE jsonb_typeof(l.value) IN ('string', 'number', 'boolean') AND octet_length(l.key) + octet_length(l.value::text) <= 1024
    ORDER BY l.key COLLATE "C" LIMIT 1000;
    INSERT INTO {schema}.worker_taint (worker, key, value, effect)
    SELECT worker_id, t.value->>'key', t.value->>'value', t.value->>'effect'
    FROM jsonb_array_elements(CASE jsonb_typeof(document->'taints') WHEN 'array' THEN document->'taints' ELSE '[]' END) t
    WHERE jsonb_typeof(t.value->'key') = 'string' AND t.value->>'effect' IN ('no_schedule', 'prefer_no_schedule')
      AND octet_length(t.value::text) <= 1024
    LIMIT 1000;
END
$attune$;
CREATE FUNCTION {schema}.worker_follow_labels() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.worker$table$::regclass THEN
        RAISE EXCEPTION 'function worker_follow_labels works for % alone, not for %', $table${schema}.worker$table$, TG_RELID::regclass;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.capabilities->'labels' IS NOT DISTINCT FROM OLD.capabilities->'labels'
           AND NEW.capabilities->'taints' IS NOT DISTINCT FROM OLD.capabilities->'taints' THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM {schema}.worker_copy_labels(NEW.id, NEW.capabilities);
    RETURN NULL;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.worker_copy_labels(bigint, jsonb), {schema}.worker_follow_labels() FROM PUBLIC;
CREATE TRIGGER worker_follow_labels_insert AFTER INSERT ON {schema}.worker
    FOR EACH ROW WHEN (NEW.capabilities IS NOT NULL) EXECUTE FUNCTION {schema}.worker_follow_labels();
CREATE TRIGGER worker_follow_labels_update AFTER UPDATE OF capabilities ON {schema}.worker
    FOR EACH ROW EXECUTE FUNCTION {schema}.worker_follow_labels();

DO $attune$
BEGIN
    PERFORM {schema}.worker_copy_labels(w.id, w.capabilities) FROM {schema}.worker w
    WHERE w.capabilities->'labels' IS NOT NULL OR w.capabilities->'taints' IS NOT NULL;
END
$attune$;
