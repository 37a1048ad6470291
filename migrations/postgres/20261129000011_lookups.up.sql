-- requires: 0.1.0
-- A runtime without a definition is found by its ref or its name, in any case, without a scan of all reports. An
-- index on hashes has no limit on the length of a name. Where every runtime has a definition it is empty.
CREATE INDEX idx_worker_runtime_undefined_ref ON {schema}.worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(runtime_ref AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;
CREATE INDEX idx_worker_runtime_undefined_name ON {schema}.worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;

-- The index by which lists are ordered includes the name. So a list reads the form of a name by which it is ordered
-- from the index alone. To calculate it took half of the time of a list of 100,000 workers.
DROP INDEX {schema}.idx_worker_name_key;
CREATE INDEX idx_worker_name_order ON {schema}.worker (
    (pg_catalog."left"(pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.lower(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C"),
        '([0-9]+)', '00000000000000000000\1', 'g'), '[0-9]*([0-9]{20})', '\1', 'g') OPERATOR(pg_catalog.||) E'\x01' OPERATOR(pg_catalog.||)
        CAST(name AS pg_catalog.text), 600) COLLATE pg_catalog."C"), id) INCLUDE (name);

-- A verification writes all rows of a worker, so a fifth of each page did not make many of these writes cheaper.
ALTER TABLE {schema}.worker_runtime SET (fillfactor = 90);

-- A session keeps the plan of a function. One made while the tables were empty would read them whole for each worker,
-- and a transaction that writes many documents would take hours.
ALTER FUNCTION {schema}.worker_copy_labels(bigint, jsonb) SET enable_seqscan = off;
