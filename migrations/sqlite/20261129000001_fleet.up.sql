-- requires: 0.1.0
-- A change of a worker's status writes no row of worker_runtime. The file for Postgres has the reasons.

DROP TRIGGER main.worker_runtime_follow_status;
UPDATE main.worker_runtime SET active = 1 WHERE outcome = 'available' AND NOT active;

DROP INDEX main.idx_worker_runtime_available;
CREATE INDEX main.idx_worker_runtime_available ON worker_runtime
    (runtime_ref, sort_key, (worker % 2147483647 * 2654435769 % 4294967296), worker)
    WHERE outcome = 'available';

DROP VIEW main.available_runtime;
CREATE VIEW main.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM worker_runtime r
CROSS JOIN worker w ON w.id = r.worker -- CROSS keeps the order: one range of the index, then look-ups
WHERE r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', (-3 * w.heartbeat_interval) || ' seconds');
