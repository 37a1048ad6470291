-- requires: 0.1.0
-- On SQLite lists of workers are sorted when they are read.

CREATE INDEX main.idx_worker_runtime_prerelease ON worker_runtime (runtime_ref, sort_key, worker)
    WHERE prerelease AND outcome = 'available';
