DROP INDEX {schema}.idx_worker_runtime_undefined_ref;
DROP INDEX {schema}.idx_worker_runtime_undefined_name;
