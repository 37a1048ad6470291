-- An installation as others made it: in a schema of its own, with further
-- columns and tables, and with rows of every kind that the migration meets.
-- {schema} is the schema, quoted. The baseline's tables are there already.

ALTER TABLE {schema}.runtime
  ADD COLUMN parent bigint REFERENCES {schema}.runtime (id) ON DELETE SET NULL,
  ADD COLUMN labels text[] NOT NULL DEFAULT '{}',
  ADD COLUMN notes json,
  ADD COLUMN extra jsonb,
  ADD COLUMN weight numeric(12, 4),
  ADD COLUMN slot int4range,
  ADD COLUMN deleted_at timestamptz,
  ADD COLUMN label text GENERATED ALWAYS AS ('runtime ' || name) STORED;
ALTER TABLE {schema}.runtime ADD CONSTRAINT runtime_sides CHECK (runtime_type = 'action' OR weight IS NULL OR weight >= 0) NOT VALID;
COMMENT ON COLUMN {schema}.runtime.runtime_type IS 'which side; it''s old';
COMMENT ON TYPE {schema}.runtime_type_enum IS 'the sides';
COMMENT ON INDEX {schema}.idx_runtime_type IS 'by side';
COMMENT ON CONSTRAINT runtime_ref_format ON {schema}.runtime IS 'three words';
ALTER TABLE {schema}.runtime ALTER COLUMN runtime_type SET DEFAULT 'action';
CREATE UNIQUE INDEX runtime_pack_name_side ON {schema}.runtime (pack, name, runtime_type) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX runtime_ref_side ON {schema}.runtime (ref, runtime_type);
CREATE INDEX runtime_side_text ON {schema}.runtime ((runtime_type = 'action'), ref) WITH (fillfactor = 80);
ALTER INDEX {schema}.runtime_side_text ALTER COLUMN 1 SET STATISTICS 77;
ALTER TABLE {schema}.runtime REPLICA IDENTITY USING INDEX runtime_ref_side, ADD CONSTRAINT runtime_id_side UNIQUE (id, runtime_type) WITH (fillfactor = 70),
  CLUSTER ON runtime_id_side, ALTER COLUMN runtime_type SET STATISTICS 500, ALTER COLUMN runtime_type SET (n_distinct = 2);
COMMENT ON INDEX {schema}.runtime_id_side IS 'one each';
ALTER TABLE {schema}.sensor ADD COLUMN trigger_ref text, ADD COLUMN "odd ""name""" integer DEFAULT 7;

-- What would fire if anything did.
CREATE TABLE {schema}.noise (what text);
CREATE FUNCTION {schema}.touch() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO {schema}.noise VALUES (TG_TABLE_NAME || ' ' || TG_OP); NEW.updated := now() + interval '1 year'; RETURN NEW; END $$;
CREATE FUNCTION {schema}.shout() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO {schema}.noise VALUES (TG_TABLE_NAME || ' ' || TG_OP); RETURN NULL; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON {schema}.runtime FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
CREATE TRIGGER touch BEFORE UPDATE ON {schema}.action FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
CREATE TRIGGER touch BEFORE UPDATE ON {schema}.sensor FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
CREATE TRIGGER touch BEFORE UPDATE ON {schema}.pack FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
CREATE TRIGGER asleep BEFORE UPDATE ON {schema}.sensor FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
CREATE TRIGGER always AFTER UPDATE OR DELETE ON {schema}.sensor FOR EACH STATEMENT EXECUTE FUNCTION {schema}.shout();
CREATE CONSTRAINT TRIGGER late AFTER UPDATE OR DELETE ON {schema}.sensor DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION {schema}.shout();
ALTER TABLE {schema}.sensor DISABLE TRIGGER asleep;
ALTER TABLE {schema}.sensor ENABLE ALWAYS TRIGGER always;
ALTER TABLE {schema}.action ENABLE REPLICA TRIGGER touch;

INSERT INTO {schema}.pack (id, ref, label, version, runtime_deps) VALUES
  (1, 'core', 'Core', '1.0', '{}'),
  (2, 'acme', 'Acme', '2.0', '{core.action.python,core.sensor.python,core.action.node,acme.action.ruby,core.sensor.builtin,elsewhere.sensor.thing}'),
  (3, 'lonely', 'Lonely', '0.1', '{python}');

INSERT INTO {schema}.runtime (id, ref, pack, pack_ref, description, runtime_type, name, distributions, installation, parent, labels, notes, extra, weight, slot, created, updated) VALUES
  (10, 'core.action.python', 1, 'core', NULL, 'action', 'Python',
   '{"verification": {"commands": [{"binary": "python3", "args": ["--version"], "priority": 2}, {"binary": "python", "args": ["--version"]}], "env": ["A"]}, "min_version": "3.8", "big": 12345678901234567890.1230, "unknown": {"deep": [null, 1.50]}}',
   '{"apt": "python3"}', NULL, '{a,"b c",NULL}', '{"b":1,  "a":2}', 'null', 1.5000, '[1,5)', '2020-01-01 01:02:03.456789+00', '2021-01-01Z'),
  (11, 'core.sensor.python', 1, 'core', 'the sensor''s Python', 'sensor', 'Python for sensors',
   '{"verification": {"commands": [{"binary": "python3", "args": ["--version"], "exit_code": 0, "priority": 1, "timeout": "10s"}, {"binary": "pypy3", "args": ["--version"], "priority": 2}], "env": ["B"], "locations": ["/opt/*"]}, "min_version": "3.9", "recommended_version": "3.12"}',
   '{"apt": "python", "brew": "python"}', 10, '{}', NULL, '{"own": true}', 2, NULL, '2020-02-01Z', '2021-02-01Z'),
  (12, 'core.sensor.python3', 1, 'core', NULL, 'sensor', 'Python 3', '["python3", "python3.11"]', NULL, 11, '[3:4]={x,y}', NULL, NULL, NULL, 'empty', '2020-03-01Z', '2021-03-01Z'),
  (13, 'core.action.node', 1, 'core', NULL, 'action', 'Node', '"node"', 'null', NULL, '{}', NULL, NULL, NULL, NULL, '2020-04-01Z', '2021-04-01Z'),
  (14, 'core.action.nodejs', 1, 'core', NULL, 'action', 'Node.js', '{}', NULL, 13, '{}', NULL, NULL, NULL, NULL, '2020-05-01Z', '2021-05-01Z'),
  (15, 'core.sensor.nodejs', 1, 'core', 'node', 'sensor', 'Node.js', '{"verification": null}', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-06-01Z', '2021-06-01Z'),
  (16, 'core.sensor.builtin', 1, 'core', NULL, 'sensor', 'Builtin', '{}', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-07-01Z', '2021-07-01Z'),
  (17, 'core.sensor.bash', 1, 'core', NULL, 'sensor', 'Bash', '["bash", 7, {"x": 1}, "two words"]', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (18, 'core.action.native', NULL, NULL, NULL, 'action', 'Native', '{"verification": {"always_available": true}, "roles": ["worker"]}', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (20, 'acme.action.ruby', 2, 'acme', NULL, 'action', 'Ruby', '{"verification": "odd", "x": 1}', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (21, 'acme.sensor.ruby', 2, 'acme', NULL, 'sensor', 'Ruby', '{"verification": {"commands": "odd", "check_required": false}, "x": 2, "y": null}', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (22, 'acme.sensor.only', 2, 'acme', NULL, 'sensor', 'Only', 'null', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (23, 'acme.action.alone', 2, 'acme', NULL, 'action', 'Alone', '17', NULL, 20, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z'),
  (24, 'acme.action.node', 2, 'acme', NULL, 'action', 'Own node', '[]', NULL, NULL, '{}', NULL, NULL, NULL, NULL, '2020-08-01Z', '2021-08-01Z');
SELECT setval('{plain}.runtime_id_seq', 100), setval('{plain}.pack_id_seq', 100);

INSERT INTO {schema}.action (ref, pack, pack_ref, label, entrypoint, runtime, updated)
  SELECT 'acme.a' || i, 2, 'acme', 'A', 'run', (ARRAY[10, 13, 14, 18, 20, 23, 24, 11, 16, 17, NULL])[1 + i % 11], '2022-01-01Z' FROM generate_series(0, 32) i;
INSERT INTO {schema}.sensor (ref, pack, pack_ref, label, entrypoint, runtime, runtime_ref, updated)
  SELECT 'acme.s' || i, 2, 'acme', 'S', 'run', r.id, CASE WHEN i = 3 THEN 'core.sensor.stale' WHEN i = 4 THEN 'core.python' ELSE r.ref END, '2022-01-01Z'
  FROM generate_series(0, 32) i JOIN {schema}.runtime r ON r.id = (ARRAY[11, 12, 15, 16, 17, 21, 22, 10, 13])[1 + i % 9];
INSERT INTO {schema}.worker (name, worker_type, worker_role, runtime, capabilities, updated)
  SELECT 'w' || i, 'local', CASE WHEN i % 2 = 0 THEN 'action' ELSE 'sensor' END::{schema}.worker_role_enum,
    (ARRAY[10, 11, 12, NULL])[1 + i % 4], '{"runtimes": []}', '2022-01-01Z' FROM generate_series(0, 7) i;

-- Tables that the migration knows nothing of.
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.bare (runtime_id bigint REFERENCES {schema}.runtime (id), runtime_ref text, note text);
INSERT INTO elsewhere.bare VALUES (11, 'core.sensor.python', 'twin'), (10, 'core.action.python', 'twin'), (11, 'core.sensor.python', 'twin'),
  (11, NULL, 'twin'), (NULL, 'core.sensor.python3', 'loose'), (NULL, 'core.action.nodejs', 'loose'), (NULL, 'core.action.node', 'loose'), (NULL, NULL, 'loose');
CREATE TABLE elsewhere.late (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  runtime integer NOT NULL REFERENCES {schema}.runtime (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  fallback bigint REFERENCES {schema}.runtime (id) ON DELETE SET NULL, fallback_ref text);
INSERT INTO elsewhere.late (runtime, fallback, fallback_ref) SELECT (ARRAY[11, 12, 15])[1 + i % 3], (ARRAY[10, 13, NULL, 21])[1 + i % 4],
  (ARRAY['core.action.python', NULL, 'core.sensor.bash', 'acme.sensor.ruby'])[1 + i % 4] FROM generate_series(1, 20) i;
CREATE TABLE elsewhere.junction (
  at timestamptz NOT NULL, runtime bigint NOT NULL REFERENCES {schema}.runtime (id) ON DELETE CASCADE, score float8 NOT NULL,
  PRIMARY KEY (at, runtime, score));
INSERT INTO elsewhere.junction SELECT '2024-01-01Z'::timestamptz + i * interval '1.000001 hour', (ARRAY[10, 11, 14, 15])[1 + i % 4], i / 7.0 FROM generate_series(1, 20) i;
CREATE TABLE elsewhere.part (id bigint NOT NULL, day date NOT NULL, runtime bigint CONSTRAINT part_runtime REFERENCES {schema}.runtime (id) ON DELETE CASCADE,
  updated timestamptz, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE elsewhere.part_a PARTITION OF elsewhere.part FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE elsewhere.part_b PARTITION OF elsewhere.part FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TRIGGER touch BEFORE UPDATE ON elsewhere.part FOR EACH ROW EXECUTE FUNCTION {schema}.touch();
ALTER TABLE ONLY elsewhere.part_b DISABLE TRIGGER touch;
INSERT INTO elsewhere.part SELECT i, '2024-01-01'::date + i, (ARRAY[10, 11, 12, 21])[1 + i % 4], '2022-01-01Z' FROM generate_series(1, 50) i;
CREATE TABLE elsewhere.base (id bigserial PRIMARY KEY, runtime bigint REFERENCES {schema}.runtime (id));
CREATE TABLE elsewhere.heir (more text) INHERITS (elsewhere.base);
INSERT INTO elsewhere.base (runtime) VALUES (11), (12), (NULL);
INSERT INTO elsewhere.heir (runtime, more) VALUES (11, 'no key here');
CREATE TABLE elsewhere.fussy (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, runtime bigint,
  runtime_ref text CHECK (length(runtime_ref) > 3), twice bigint GENERATED ALWAYS AS (runtime * 2) STORED, UNIQUE (runtime, runtime_ref));
ALTER TABLE elsewhere.fussy ADD CONSTRAINT fussy_runtime FOREIGN KEY (runtime) REFERENCES {schema}.runtime (id) NOT VALID;
INSERT INTO elsewhere.fussy (runtime, runtime_ref) VALUES (11, 'core.sensor.python'), (15, 'core.sensor.nodejs');
