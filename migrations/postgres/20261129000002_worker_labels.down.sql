DROP INDEX {schema}.idx_worker_runtime_prerelease;
DROP INDEX {schema}.idx_worker_name_key;
