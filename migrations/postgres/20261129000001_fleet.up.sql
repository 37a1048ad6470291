-- requires: 0.1.0
-- A change of a worker's status writes no row of worker_runtime. The index contains the installations
-- of all workers, and a query looks up by key whether a found worker is active and fresh, as it did
-- before. To flip active on the 28 rows of a worker took two milliseconds, which made a mass outage of
-- 30,000 workers a minute's work. A look-up of a worker that is gone takes microseconds.
--
-- Within a version the index orders workers by a number that is calculated from their id, so that
-- placement can begin at any of them. Consecutive ids lead to numbers that are far apart (multiplicative
-- hashing; Knuth, volume 3, section 6.4). schema.Spread calculates it as well.
--
-- The column active stays for earlier programs, which read it together with the worker's status. It is
-- true for every installation.

DROP TRIGGER worker_runtime_follow_status ON {schema}.worker;
DROP FUNCTION {schema}.worker_runtime_follow_status();
UPDATE {schema}.worker_runtime SET active = true WHERE outcome = 'available' AND NOT active;

DROP INDEX {schema}.idx_worker_runtime_available;
CREATE INDEX idx_worker_runtime_available ON {schema}.worker_runtime
    (runtime_ref, sort_key NULLS FIRST, (worker % 2147483647 * 2654435769 % 4294967296), worker)
    WHERE outcome = 'available';

CREATE OR REPLACE VIEW {schema}.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM {schema}.worker_runtime r
JOIN {schema}.worker w ON w.id = r.worker
WHERE r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > statement_timestamp() - w.heartbeat_interval * interval '3 seconds';
