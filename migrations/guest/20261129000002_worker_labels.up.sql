-- requires: 0.1.0
-- The platform's table of workers gets no index. Lists are sorted when they are read.

CREATE INDEX attune_worker_runtime_prerelease_idx ON {schema}.attune_worker_runtime (runtime_ref, sort_key, worker)
    WHERE prerelease AND outcome = 'available';
