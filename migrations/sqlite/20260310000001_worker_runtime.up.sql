-- requires: 0.1.0
-- What each worker's host has, as on Postgres; the reasons are there. SQLite has
-- no version_key: Go is the only writer of keys.

CREATE TABLE main.worker_runtime (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    worker            INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    runtime           INTEGER REFERENCES runtime (id) ON DELETE SET NULL,
    runtime_ref       TEXT NOT NULL,
    name              TEXT NOT NULL,
    active            BOOLEAN NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    outcome           TEXT NOT NULL,
    source            TEXT NOT NULL DEFAULT '',
    version           TEXT NOT NULL DEFAULT '',
    version_raw       TEXT NOT NULL DEFAULT '',
    prerelease        BOOLEAN NOT NULL DEFAULT 0 CHECK (prerelease IN (0, 1)),
    sort_key          TEXT,
    path              TEXT NOT NULL DEFAULT '',
    real_path         TEXT NOT NULL DEFAULT '',
    detail            TEXT,
    hint              TEXT,
    evidence          TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
    verified_at       TIMESTAMP,
    unconfirmed_since TIMESTAMP,
    created           TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated           TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT worker_runtime_sort_key_check CHECK ((version = '') = (sort_key IS NULL))
);

CREATE INDEX main.idx_worker_runtime_available ON worker_runtime (runtime_ref, sort_key, worker)
    WHERE active AND outcome = 'available';
CREATE INDEX main.idx_worker_runtime_worker ON worker_runtime (worker, runtime_ref);
CREATE INDEX main.idx_worker_runtime_runtime ON worker_runtime (runtime);

CREATE TRIGGER main.worker_runtime_follow_status AFTER UPDATE OF status ON worker
    WHEN OLD.status IS NOT NEW.status
BEGIN
    UPDATE worker_runtime SET active = NOT active
    WHERE worker = NEW.id AND active <> coalesce(NEW.status = 'active', 0);
END;

CREATE TABLE main.capability_change (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    worker      INTEGER REFERENCES worker (id) ON DELETE SET NULL,
    worker_name TEXT NOT NULL,
    worker_role TEXT NOT NULL,
    runtime_ref TEXT NOT NULL,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('gained', 'lost', 'version_changed')),
    old_version TEXT,
    new_version TEXT,
    detail      TEXT,
    created     TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))
);

CREATE INDEX main.idx_capability_change_worker ON capability_change (worker);
CREATE INDEX main.idx_capability_change_name ON capability_change (worker_name, id);

CREATE TABLE main.worker_sweep (
    id    INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    swept TIMESTAMP NOT NULL
);
INSERT INTO main.worker_sweep (id, swept) VALUES (1, '1970-01-01 00:00:00.000+00:00');

ALTER TABLE main.worker ADD COLUMN refresh_requested TIMESTAMP;

CREATE VIEW main.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM worker_runtime r
JOIN worker w ON w.id = r.worker
WHERE r.active AND r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', (-3 * w.heartbeat_interval) || ' seconds');
