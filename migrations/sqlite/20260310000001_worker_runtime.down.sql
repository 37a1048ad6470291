DROP VIEW main.available_runtime;
ALTER TABLE main.worker DROP COLUMN refresh_requested;
DROP TABLE main.worker_sweep;
DROP TABLE main.capability_change;
DROP TRIGGER main.worker_runtime_follow_status;
DROP TABLE main.worker_runtime;
