-- requires: 0.1.0
-- A runtime without a definition is found by its ref or its name, in any case, without a scan of all reports. An
-- index on hashes has no limit on the length of a name. Where every runtime has a definition it is empty.
CREATE INDEX idx_worker_runtime_undefined_ref ON {schema}.worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(runtime_ref AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;
CREATE INDEX idx_worker_runtime_undefined_name ON {schema}.worker_runtime (
    pg_catalog.hashtextextended(pg_catalog.lower(pg_catalog.btrim(CAST(name AS pg_catalog.text) COLLATE pg_catalog."C", E' \t\n\v\f\r')), 0)
) WHERE runtime IS NULL;
