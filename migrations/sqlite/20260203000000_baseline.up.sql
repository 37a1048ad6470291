-- requires: 0.1.0
-- The unified schema. SQLite has no legacy databases.
--
-- Documents and lists are JSON text. Times are UTC text such as 2026-02-03 10:00:00.123+00:00, whose
-- text order is the order in time.

CREATE TABLE main.pack (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    ref          TEXT NOT NULL,
    label        TEXT NOT NULL,
    description  TEXT,
    version      TEXT NOT NULL,
    conf_schema  TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(conf_schema)),
    config       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)),
    meta         TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(meta)),
    tags         TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags) AND json_type(tags) = 'array'),
    runtime_deps TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(runtime_deps) AND json_type(runtime_deps) = 'array'),
    is_standard  BOOLEAN NOT NULL DEFAULT 0 CHECK (is_standard IN (0, 1)),
    created      TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated      TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT pack_ref_key UNIQUE (ref)
);

CREATE TABLE main.runtime (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    ref              TEXT NOT NULL,
    pack             INTEGER REFERENCES pack (id) ON DELETE CASCADE,
    pack_ref         TEXT,
    description      TEXT,
    name             TEXT NOT NULL,
    aliases          TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(aliases) AND json_type(aliases) = 'array'),
    distributions    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(distributions)),
    installation     TEXT CHECK (installation IS NULL OR json_valid(installation)),
    execution_config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(execution_config)),
    digest           TEXT,
    created          TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated          TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT runtime_ref_key UNIQUE (ref),
    CONSTRAINT runtime_ref_lowercase CHECK (ref = lower(ref)),
    CONSTRAINT runtime_ref_format CHECK (
        ref = 'core.sensor.builtin' OR (ref LIKE '_%._%' AND ref NOT LIKE '%.%.%')
    )
);

CREATE INDEX main.idx_runtime_pack ON runtime (pack);
CREATE INDEX main.idx_runtime_created ON runtime (created DESC);
CREATE INDEX main.idx_runtime_name ON runtime (name);

CREATE TABLE main.runtime_version (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    runtime          INTEGER NOT NULL REFERENCES runtime (id) ON DELETE CASCADE,
    version          TEXT NOT NULL,
    sort_key         TEXT NOT NULL,
    is_default       BOOLEAN NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    distributions    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(distributions)),
    execution_config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(execution_config)),
    meta             TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(meta)),
    created          TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated          TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT runtime_version_runtime_version_key UNIQUE (runtime, version)
);

CREATE TABLE main.action (
    id                         INTEGER PRIMARY KEY AUTOINCREMENT,
    ref                        TEXT NOT NULL,
    pack                       INTEGER NOT NULL REFERENCES pack (id) ON DELETE CASCADE,
    pack_ref                   TEXT NOT NULL,
    label                      TEXT NOT NULL,
    description                TEXT,
    entrypoint                 TEXT NOT NULL,
    runtime                    INTEGER REFERENCES runtime (id),
    runtime_version_constraint TEXT,
    param_schema               TEXT CHECK (param_schema IS NULL OR json_valid(param_schema)),
    out_schema                 TEXT CHECK (out_schema IS NULL OR json_valid(out_schema)),
    created                    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated                    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT action_ref_key UNIQUE (ref)
);

CREATE INDEX main.idx_action_pack ON action (pack);
CREATE INDEX main.idx_action_runtime ON action (runtime);

CREATE TABLE main.sensor (
    id                         INTEGER PRIMARY KEY AUTOINCREMENT,
    ref                        TEXT NOT NULL,
    pack                       INTEGER REFERENCES pack (id) ON DELETE CASCADE,
    pack_ref                   TEXT,
    label                      TEXT NOT NULL,
    description                TEXT,
    entrypoint                 TEXT NOT NULL,
    runtime                    INTEGER NOT NULL REFERENCES runtime (id) ON DELETE CASCADE,
    runtime_ref                TEXT NOT NULL,
    runtime_version_constraint TEXT,
    enabled                    BOOLEAN NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    param_schema               TEXT CHECK (param_schema IS NULL OR json_valid(param_schema)),
    config                     TEXT CHECK (config IS NULL OR json_valid(config)),
    created                    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated                    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT sensor_ref_key UNIQUE (ref)
);

CREATE INDEX main.idx_sensor_pack ON sensor (pack);
CREATE INDEX main.idx_sensor_runtime ON sensor (runtime);

CREATE TABLE main.worker (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    name               TEXT NOT NULL,
    worker_type        TEXT NOT NULL CHECK (worker_type IN ('local', 'remote', 'container')),
    worker_role        TEXT NOT NULL DEFAULT 'action' CHECK (worker_role IN ('action', 'sensor', 'hybrid')),
    runtime            INTEGER REFERENCES runtime (id),
    host               TEXT,
    port               INTEGER,
    status             TEXT DEFAULT 'inactive' CHECK (status IN ('active', 'inactive', 'busy', 'error')),
    capabilities       TEXT CHECK (capabilities IS NULL OR json_valid(capabilities)),
    meta               TEXT CHECK (meta IS NULL OR json_valid(meta)),
    last_heartbeat     TIMESTAMP,
    identity           TEXT,
    instance           TEXT,
    heartbeat_interval INTEGER,
    created            TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    updated            TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT worker_identity_key UNIQUE (identity)
);

CREATE INDEX main.idx_worker_name ON worker (name);
CREATE INDEX main.idx_worker_runtime ON worker (runtime);
