-- CASCADE is never used, because it would drop objects of others.

ALTER TABLE {schema}.sensor DROP CONSTRAINT sensor_runtime_version_constraint_check;
ALTER TABLE {schema}.action DROP CONSTRAINT action_runtime_version_constraint_check;
DROP FUNCTION {schema}.version_constraint_valid(text);
DROP FUNCTION {schema}.version_key(text);
DROP VIEW {schema}.available_runtime;
DROP FUNCTION {schema}.worker_heartbeat(bigint, text);
ALTER TABLE {schema}.worker DROP COLUMN refresh_requested;
DROP FUNCTION {schema}.prune_changes(interval, interval, integer);
DROP FUNCTION {schema}.sweep_workers(interval, integer, timestamptz, timestamptz);
DROP TABLE {schema}.worker_sweep;
DROP TABLE {schema}.capability_change;
DROP TRIGGER worker_runtime_follow_status ON {schema}.worker;
DROP FUNCTION {schema}.worker_runtime_follow_status();
DROP TABLE {schema}.worker_runtime;
DROP FUNCTION {schema}.worker_runtime_delete();
