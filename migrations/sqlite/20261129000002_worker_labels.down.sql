DROP INDEX main.idx_worker_runtime_prerelease;
