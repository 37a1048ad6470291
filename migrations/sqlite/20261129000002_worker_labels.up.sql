-- requires: 0.1.0
-- On SQLite lists of workers are sorted when they are read.

CREATE INDEX main.idx_worker_runtime_prerelease ON worker_runtime (runtime_ref, sort_key, worker)
    WHERE prerelease AND outcome = 'available';

CREATE TABLE main.worker_label (
    worker INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (worker, key)
);
CREATE INDEX main.idx_worker_label_key ON worker_label (key, value, worker);
CREATE TABLE main.worker_taint (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    worker INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    key    TEXT NOT NULL,
    value  TEXT,
    effect TEXT NOT NULL CHECK (effect IN ('no_schedule', 'prefer_no_schedule'))
);
CREATE INDEX main.idx_worker_taint_worker ON worker_taint (worker);

CREATE TRIGGER main.worker_follow_labels_insert AFTER INSERT ON worker WHEN NEW.capabilities IS NOT NULL
BEGIN
    INSERT INTO worker_label (worker, key, value)
    SELECT NEW.id, l.key, CASE l.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(l.atom AS TEXT) END
    FROM json_each(NEW.capabilities, '$.labels') l
    WHERE json_type(NEW.capabilities, '$.labels') = 'object' AND l.type IN ('text', 'integer', 'real', 'true', 'false')
      AND octet_length(l.key) + octet_length(l.atom) <= 1022
    GROUP BY l.key ORDER BY l.key LIMIT 1000;
    INSERT INTO worker_taint (worker, key, value, effect)
    SELECT NEW.id, json_extract(t.value, '$.key'), json_extract(t.value, '$.value'), json_extract(t.value, '$.effect')
    FROM json_each(NEW.capabilities, '$.taints') t
    WHERE json_type(NEW.capabilities, '$.taints') = 'array' AND t.type = 'object' AND json_type(t.value, '$.key') = 'text'
      AND json_extract(t.value, '$.effect') IN ('no_schedule', 'prefer_no_schedule') AND octet_length(t.value) <= 1024
    LIMIT 1000;
END;
CREATE TRIGGER main.worker_follow_labels_update AFTER UPDATE OF capabilities ON worker
BEGIN
    DELETE FROM worker_label WHERE worker = NEW.id;
    DELETE FROM worker_taint WHERE worker = NEW.id;
    INSERT INTO worker_label (worker, key, value)
    SELECT NEW.id, l.key, CASE l.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(l.atom AS TEXT) END
    FROM json_each(NEW.capabilities, '$.labels') l
    WHERE json_type(NEW.capabilities, '$.labels') = 'object' AND l.type IN ('text', 'integer', 'real', 'true', 'false')
      AND octet_length(l.key) + octet_length(l.atom) <= 1022
    GROUP BY l.key ORDER BY l.key LIMIT 1000;
    INSERT INTO worker_taint (worker, key, value, effect)
    SELECT NEW.id, json_extract(t.value, '$.key'), json_extract(t.value, '$.value'), json_extract(t.value, '$.effect')
    FROM json_each(NEW.capabilities, '$.taints') t
    WHERE json_type(NEW.capabilities, '$.taints') = 'array' AND t.type = 'object' AND json_type(t.value, '$.key') = 'text'
      AND json_extract(t.value, '$.effect') IN ('no_schedule', 'prefer_no_schedule') AND octet_length(t.value) <= 1024
    LIMIT 1000;
END;

INSERT INTO main.worker_label (worker, key, value)
SELECT w.id, l.key, CASE l.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(l.atom AS TEXT) END
FROM main.worker w, json_each(w.capabilities, '$.labels') l
WHERE json_type(w.capabilities, '$.labels') = 'object' AND l.type IN ('text', 'integer', 'real', 'true', 'false')
  AND octet_length(l.key) + octet_length(l.atom) <= 1022
GROUP BY w.id, l.key;
INSERT INTO main.worker_taint (worker, key, value, effect)
SELECT w.id, json_extract(t.value, '$.key'), json_extract(t.value, '$.value'), json_extract(t.value, '$.effect')
FROM main.worker w, json_each(w.capabilities, '$.taints') t
WHERE json_type(w.capabilities, '$.taints') = 'array' AND t.type = 'object' AND json_type(t.value, '$.key') = 'text'
  AND json_extract(t.value, '$.effect') IN ('no_schedule', 'prefer_no_schedule') AND octet_length(t.value) <= 1024;
