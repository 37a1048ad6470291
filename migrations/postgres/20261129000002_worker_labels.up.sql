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
