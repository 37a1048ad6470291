-- requires: 0.1.0
-- The runtimes of each worker's host. The file for Postgres has the reasons. SQLite has no version_key,
-- because only Go writes keys.

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
    WHERE worker = NEW.id AND active <> coalesce(NEW.status = 'active', 0) AND outcome = 'available';
END;

CREATE TRIGGER main.worker_runtime_delete AFTER UPDATE OF outcome ON worker_runtime WHEN NEW.outcome = ''
BEGIN
    DELETE FROM worker_runtime WHERE id = NEW.id;
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
    id        INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    swept     TIMESTAMP NOT NULL,
    pruned    TIMESTAMP NOT NULL,
    pruned_to INTEGER NOT NULL
);
INSERT INTO main.worker_sweep (id, swept, pruned, pruned_to)
VALUES (1, '1970-01-01 00:00:00.000+00:00', '1970-01-01 00:00:00.000+00:00', 0);

ALTER TABLE main.worker ADD COLUMN refresh_requested TIMESTAMP;

CREATE VIEW main.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM worker_runtime r
JOIN worker w ON w.id = r.worker
WHERE r.active AND r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', (-3 * w.heartbeat_interval) || ' seconds');

-- Checks version constraints when they are written. A text that is inserted into this view is refused
-- unless schema/version reads it. Each word has a kind of one letter: V is a version, E a version with
-- an operator, S the star, Q and O operators alone, H the hyphen of a range, C the comma, B the bars,
-- and X anything else.
CREATE VIEW main.version_constraint_check AS SELECT '' AS version_constraint WHERE 0;

CREATE TRIGGER main.version_constraint_refuse INSTEAD OF INSERT ON version_constraint_check
BEGIN
    SELECT RAISE(ABORT, 'runtime_version_constraint: must be a version constraint such as >=3.11,<4 or ~3.12 || 2.7.*')
    WHERE typeof(NEW.version_constraint) <> 'text' OR instr(NEW.version_constraint, char(0)) > 0
       OR length(CAST(NEW.version_constraint AS BLOB)) > 1024
       OR NOT coalesce((
        WITH RECURSIVE rest(i, text) AS (
            SELECT 0, ltrim(replace(replace(replace(NEW.version_constraint, char(9), ' '), char(10), ' '), char(13), ' '), ' ')
            UNION ALL
            SELECT i + 1, ltrim(substr(text, 1 + CASE WHEN text GLOB '||*' THEN 2
                ELSE max(1, min(instr(text || ' ', ' '), instr(text || ',', ','), instr(text || '|', '|')) - 1) END), ' ')
            FROM rest WHERE text <> ''
        ),
        word AS MATERIALIZED (
            SELECT i, substr(text, 1, CASE WHEN text GLOB '||*' THEN 2
                ELSE max(1, min(instr(text || ' ', ' '), instr(text || ',', ','), instr(text || '|', '|')) - 1) END) AS word
            FROM rest WHERE text <> ''
        ),
        -- The operator, the version, and the version without an optional prefix.
        split AS MATERIALIZED (
            SELECT i, word, substr(word, 1, length(word) - length(ltrim(word, '=!<>~^'))) AS operator, ltrim(word, '=!<>~^') AS version,
                CASE WHEN lower(ltrim(word, '=!<>~^')) GLOB 'go[0-9]*' THEN substr(ltrim(word, '=!<>~^'), 3)
                     WHEN lower(ltrim(word, '=!<>~^')) GLOB 'v[0-9]*' THEN substr(ltrim(word, '=!<>~^'), 2)
                     ELSE ltrim(word, '=!<>~^') END AS bare
            FROM word
        ),
        -- Its numbers. A dot after them belongs to the rest.
        numbers AS MATERIALIZED (
            SELECT *, substr(bare, 1, length(bare) - length(ltrim(bare, '0123456789.'))
                - (substr(bare, 1, length(bare) - length(ltrim(bare, '0123456789.'))) GLOB '*.')) AS numbers
            FROM split
        ),
        tail AS MATERIALIZED (SELECT *, substr(bare, 1 + length(numbers)) AS tail FROM numbers),
        -- Java's updates: 1.8.0_192 and 8u192.
        java AS MATERIALIZED (
            SELECT *, tail GLOB '_[0-9]*' AND ltrim(numbers, '0') GLOB '1.*' AND length(numbers) - length(replace(numbers, '.', '')) = 2
                OR tail GLOB 'u[0-9]*' AND instr(numbers, '.') = 0 AS java
            FROM tail
        ),
        suffix AS MATERIALIZED (SELECT *, CASE WHEN java THEN ltrim(substr(tail, 2), '0123456789') ELSE tail END AS suffix FROM java),
        -- A pre-release: a word, and what follows it.
        pre AS MATERIALIZED (SELECT *, substr(suffix, 1 + (suffix GLOB '[-~._]*')) AS pre FROM suffix),
        label AS MATERIALIZED (
            SELECT *, lower(substr(pre, 1, length(pre) - length(ltrim(lower(pre), 'abcdefghijklmnopqrstuvwxyz')))) AS label,
                ltrim(lower(pre), 'abcdefghijklmnopqrstuvwxyz') AS after
            FROM pre
        ),
        kind AS MATERIALIZED (
            SELECT i, CASE
                WHEN word = '||' THEN 'B' WHEN word = ',' THEN 'C' WHEN word = '-' THEN 'H' WHEN word = '*' THEN 'S' WHEN word = '=*' THEN 'E'
                WHEN operator NOT IN ('', '=', '!=', '>', '>=', '<', '<=', '~', '^') THEN 'X'
                WHEN version = '' AND operator = '=' THEN 'Q' WHEN version = '' THEN 'O'
                WHEN numbers NOT GLOB '[0-9]*[0-9]' AND numbers NOT GLOB '[0-9]' OR numbers GLOB '*..*' THEN 'X'
                WHEN length(version) - 2 * (suffix = '.*') > 256 THEN 'X'
                WHEN suffix NOT IN ('', '.*') AND (
                    label NOT IN ('alpha', 'beta', 'rc', 'cr', 'pre', 'preview', 'prerelease', 'dev', 'devel', 'development', 'internal',
                        'nightly', 'daily', 'snapshot', 'canary', 'next', 'ea', 'eap', 'insiders', 'milestone', 'unstable', 'experimental', 'trunk')
                    AND (java OR label NOT IN ('a', 'b', 'c', 'm') OR after NOT GLOB '[0-9]*')
                    OR after GLOB '*[^-0-9a-z.]*' OR after GLOB '*..*' OR after GLOB '*.' OR suffix GLOB '~*-*') THEN 'X'
                WHEN operator = '' THEN 'V' ELSE 'E' END AS kind
            FROM label ORDER BY i
        ),
        kinds AS MATERIALIZED (SELECT coalesce(group_concat(kind, ''), '') AS kinds FROM (SELECT kind FROM kind ORDER BY i)),
        terms AS MATERIALIZED (
            SELECT replace(replace(replace(replace(replace(replace(replace(replace(replace(
                kinds, 'QV', 'E'), 'QS', 'E'), 'OV', 'E'), 'VHV', 'E'), 'VHS', 'E'), 'SHV', 'E'), 'SHS', 'E'), 'V', 'E'), 'S', 'E') AS terms
            FROM kinds
        )
        SELECT terms GLOB 'E*' AND terms GLOB '*E' AND terms NOT GLOB '*[^ECB]*' AND terms NOT GLOB '*[CB][CB]*' FROM terms
    ), 0);
END;

CREATE TRIGGER main.action_version_constraint_insert BEFORE INSERT ON action WHEN NEW.runtime_version_constraint IS NOT NULL
BEGIN
    INSERT INTO version_constraint_check VALUES (NEW.runtime_version_constraint);
END;
CREATE TRIGGER main.action_version_constraint_update BEFORE UPDATE OF runtime_version_constraint ON action
    WHEN NEW.runtime_version_constraint IS NOT OLD.runtime_version_constraint AND NEW.runtime_version_constraint IS NOT NULL
BEGIN
    INSERT INTO version_constraint_check VALUES (NEW.runtime_version_constraint);
END;

CREATE TRIGGER main.sensor_version_constraint_insert BEFORE INSERT ON sensor WHEN NEW.runtime_version_constraint IS NOT NULL
BEGIN
    INSERT INTO version_constraint_check VALUES (NEW.runtime_version_constraint);
END;
CREATE TRIGGER main.sensor_version_constraint_update BEFORE UPDATE OF runtime_version_constraint ON sensor
    WHEN NEW.runtime_version_constraint IS NOT OLD.runtime_version_constraint AND NEW.runtime_version_constraint IS NOT NULL
BEGIN
    INSERT INTO version_constraint_check VALUES (NEW.runtime_version_constraint);
END;
