DROP VIEW main.available_runtime;
CREATE VIEW main.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM worker_runtime r
JOIN worker w ON w.id = r.worker
WHERE r.active AND r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', (-3 * w.heartbeat_interval) || ' seconds');

DROP INDEX main.idx_worker_runtime_available;
CREATE INDEX main.idx_worker_runtime_available ON worker_runtime (runtime_ref, sort_key, worker)
    WHERE active AND outcome = 'available';

UPDATE main.worker_runtime SET active = NOT active
WHERE outcome = 'available'
  AND active <> coalesce((SELECT w.status = 'active' FROM main.worker w WHERE w.id = worker_runtime.worker), 0);

CREATE TRIGGER main.worker_runtime_follow_status AFTER UPDATE OF status ON worker
    WHEN OLD.status IS NOT NEW.status
BEGIN
    UPDATE worker_runtime SET active = NOT active
    WHERE worker = NEW.id AND active <> coalesce(NEW.status = 'active', 0) AND outcome = 'available';
END;
