ALTER FUNCTION {schema}.worker_copy_labels(bigint, jsonb) RESET enable_seqscan;

DROP INDEX {schema}.idx_worker_runtime_undefined_ref;
DROP INDEX {schema}.idx_worker_runtime_undefined_name;

ALTER TABLE {schema}.worker_runtime SET (fillfactor = 80);

DROP INDEX {schema}.idx_worker_name_order;
CREATE INDEX idx_worker_name_key ON {schema}.worker (
    (pg_catalog."left"(pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.lower(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C"),
        '([0-9]+)', '00000000000000000000\1', 'g'), '[0-9]*([0-9]{20})', '\1', 'g') OPERATOR(pg_catalog.||) E'\x01' OPERATOR(pg_catalog.||)
        CAST(name AS pg_catalog.text), 600) COLLATE pg_catalog."C"), id);
