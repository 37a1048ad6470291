-- The rows of attune's workers have been deleted before. An object that somebody else dropped does not
-- keep attune from moving out. CASCADE is never used, because it would drop
-- objects of others.
DROP VIEW IF EXISTS {schema}.available_runtime;
DROP FUNCTION IF EXISTS {schema}.attune_available_runtime();
DROP TRIGGER IF EXISTS attune_worker_declares ON {schema}.worker;
DROP FUNCTION IF EXISTS {schema}.attune_worker_declares();
DROP FUNCTION IF EXISTS {schema}.attune_declare_worker(bigint, jsonb);
DROP FUNCTION IF EXISTS {schema}.attune_prune_changes(interval, interval, integer);
DROP FUNCTION IF EXISTS {schema}.attune_sweep_workers(interval, integer, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS {schema}.attune_worker_heartbeat(bigint, text);
DROP TABLE IF EXISTS {schema}.attune_worker_sweep;
DROP TABLE IF EXISTS {schema}.attune_capability_change;
DROP TABLE IF EXISTS {schema}.attune_worker_taint;
DROP TABLE IF EXISTS {schema}.attune_worker_label;
DROP TABLE IF EXISTS {schema}.attune_worker_runtime;
DROP TABLE IF EXISTS {schema}.attune_worker_state;
DROP FUNCTION IF EXISTS {schema}.attune_worker_mirror();
DROP FUNCTION IF EXISTS {schema}.attune_worker_state_follow();
DROP FUNCTION IF EXISTS {schema}.attune_stamp_heartbeat();
DROP FUNCTION IF EXISTS {schema}.attune_worker_runtime_delete();
DROP FUNCTION IF EXISTS {schema}.attune_bound_evidence();
DROP FUNCTION IF EXISTS {schema}.attune_version_key(text);
