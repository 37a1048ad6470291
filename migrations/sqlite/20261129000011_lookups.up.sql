-- requires: 0.1.0
-- A runtime without a definition is found by its ref or its name, in any case, without a scan of all reports.
CREATE INDEX main.idx_worker_runtime_undefined_ref ON worker_runtime (lower(trim(runtime_ref, char(32, 9, 10, 11, 12, 13)))) WHERE runtime IS NULL;
CREATE INDEX main.idx_worker_runtime_undefined_name ON worker_runtime (lower(trim(name, char(32, 9, 10, 11, 12, 13)))) WHERE runtime IS NULL;
