DROP INDEX {schema}.attune_worker_runtime_prerelease_idx;
