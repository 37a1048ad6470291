-- The rows of attune's workers have been deleted before. CASCADE is never used, because it would drop
-- objects of others.
DROP VIEW {schema}.available_runtime;
DROP FUNCTION {schema}.attune_available_runtime();
DROP TRIGGER attune_worker_declares ON {schema}.worker;
DROP FUNCTION {schema}.attune_worker_declares();
DROP FUNCTION {schema}.attune_declare_worker(bigint, jsonb);
DROP FUNCTION {schema}.attune_prune_changes(interval, interval, integer);
DROP FUNCTION {schema}.attune_sweep_workers(interval, integer, timestamptz, timestamptz);
DROP FUNCTION {schema}.attune_worker_heartbeat(bigint, text);
DROP TABLE {schema}.attune_worker_sweep;
DROP TABLE {schema}.attune_capability_change;
DROP TABLE {schema}.attune_worker_taint;
DROP TABLE {schema}.attune_worker_label;
DROP TABLE {schema}.attune_worker_runtime;
DROP TABLE {schema}.attune_worker_state;
DROP FUNCTION {schema}.attune_worker_mirror();
DROP FUNCTION {schema}.attune_worker_state_follow();
DROP FUNCTION {schema}.attune_stamp_heartbeat();
DROP FUNCTION {schema}.attune_worker_runtime_delete();
DROP FUNCTION {schema}.attune_bound_evidence();
DROP FUNCTION {schema}.attune_version_key(text);
