DROP TRIGGER worker_follow_labels_update ON {schema}.worker;
DROP TRIGGER worker_follow_labels_insert ON {schema}.worker;
DROP FUNCTION {schema}.worker_follow_labels();
DROP FUNCTION {schema}.worker_copy_labels(bigint, jsonb);
DROP TABLE {schema}.worker_taint;
DROP TABLE {schema}.worker_label;
DROP INDEX {schema}.idx_worker_runtime_prerelease;
DROP INDEX {schema}.idx_worker_name_key;
