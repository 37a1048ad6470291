-- requires: 0.1.0
-- What operators say about workers, and what actions and sensors need. The file for Postgres has the
-- reasons. SQLite has no users, so created_by stays empty.

CREATE TABLE main.worker_cordon (
    worker     INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    reason     TEXT CHECK (length(reason) BETWEEN 1 AND 1024),
    created_by TEXT DEFAULT NULL,
    created    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT worker_cordon_worker_key UNIQUE (worker) -- a primary key of one INTEGER would number the rows
);
CREATE TABLE main.worker_operator_taint (
    worker     INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    key        TEXT NOT NULL CHECK (key <> ''),
    value      TEXT NOT NULL DEFAULT '',
    effect     TEXT NOT NULL CHECK (effect IN ('no_schedule', 'prefer_no_schedule')),
    created_by TEXT DEFAULT NULL,
    created    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    CONSTRAINT worker_operator_taint_pkey PRIMARY KEY (worker, key, effect),
    CONSTRAINT worker_operator_taint_size_check CHECK (length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)) <= 1024)
);

ALTER TABLE main.action ADD COLUMN required_worker_runtimes TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(required_worker_runtimes));
ALTER TABLE main.action ADD COLUMN worker_selector TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(worker_selector));
ALTER TABLE main.action ADD COLUMN worker_tolerations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(worker_tolerations));
ALTER TABLE main.action ADD COLUMN worker_affinity TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(worker_affinity));
ALTER TABLE main.sensor ADD COLUMN required_worker_runtimes TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(required_worker_runtimes));
ALTER TABLE main.sensor ADD COLUMN worker_selector TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(worker_selector));
ALTER TABLE main.sensor ADD COLUMN worker_tolerations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(worker_tolerations));
ALTER TABLE main.sensor ADD COLUMN worker_affinity TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(worker_affinity));
