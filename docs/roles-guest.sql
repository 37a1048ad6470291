-- Roles with least privilege for a platform's Postgres database in which attune is a guest, after
-- `attune migrate up`. For tables that attune created, see roles.sql. Run it as the owner of the
-- platform's tables, or as a superuser, with
--
--     psql -v ON_ERROR_STOP=1 -f docs/roles-guest.sql DATABASE
--
-- Run it again after a migration of the platform and after an upgrade of attune. It can be
-- repeated. If the platform's tables are in another schema than attune, replace "attune" below.
--
-- The roles cannot log in. Give them to those that do:
--
--     CREATE ROLE "attune-host" LOGIN PASSWORD '…' IN ROLE attune_fleet;
--
-- attune_reader is for `workers list|show|history`, `runtimes list|show` and `explain`, and for
-- programs that route by the view available_runtime.
--
-- attune_fleet is for hosts: `worker run`, `sensor run`, `register` and `detect`. A host cannot
-- change the definitions or rewrite the history. It can write the report of any worker, including
-- the platform's, because only row-level security on the platform's table could prevent it, and
-- attune does not change that table. Use it for hosts that run the platform's workers as well, or
-- that you trust as much.
--
-- attune_operator is for `packs load|unload`, `workers refresh|delete|cordon|uncordon|taint|untaint`,
-- `runtimes delete` and the requirements in attune_requirement. It can write the platform's packs,
-- runtimes and workers; attune's programs refuse to, but for cordons in the platform's columns.
--
-- Triggers of the platform run with the rights of the role that writes. If a trigger on worker
-- writes to a table, such as a history of workers, grant INSERT on it to attune_fleet,
-- attune_operator and attune_server. The error of the first registration names the table.

BEGIN;

SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
DECLARE
    name text;
BEGIN
    IF pg_catalog.to_regclass('"attune".attune_worker_state') IS NULL THEN
        RAISE EXCEPTION 'schema "attune" has no tables of a guest: run attune migrate up first, or replace "attune" in this file by the schema of the platform''s tables';
    ELSIF pg_catalog.to_regclass('"attune".attune_declaration_round') IS NULL THEN
        RAISE EXCEPTION 'the tables are older than this file: run attune migrate up first';
    END IF;
    FOREACH name IN ARRAY ARRAY['attune_reader', 'attune_fleet', 'attune_operator', 'attune_server'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA "attune" TO attune_reader, attune_fleet, attune_operator, attune_server;

-- Everybody reads definitions and workers. Only the operator reads the config of packs.
GRANT SELECT ON "attune".runtime, "attune".worker, "attune".attune_migrations, "attune".attune_runtime_state, "attune".attune_runtime_version,
    "attune".attune_worker_state, "attune".attune_worker_runtime, "attune".attune_worker_label, "attune".attune_worker_taint,
    "attune".attune_worker_cordon, "attune".attune_worker_operator_taint,
    "attune".attune_capability_change
    TO attune_reader, attune_fleet, attune_operator, attune_server;
GRANT SELECT ON "attune".attune_worker_sweep, "attune".attune_definition_mark, "attune".available_runtime
    TO attune_reader, attune_fleet, attune_operator;
GRANT SELECT ON "attune".pack, "attune".attune_requirement TO attune_reader, attune_operator, attune_server;
GRANT SELECT (id, ref) ON "attune".pack TO attune_fleet;

-- What a host writes. The platform's row gets the report, and its status and heartbeat on a
-- platform that may see them.
GRANT INSERT (name, worker_type, worker_role, status), UPDATE (worker_type, status, last_heartbeat, capabilities) ON "attune".worker TO attune_fleet;
GRANT INSERT (worker, identity, former), UPDATE (identity, instance, status, heartbeat_interval, mirrored) ON "attune".attune_worker_state TO attune_fleet;
GRANT INSERT (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key,
        path, real_path, detail, hint, evidence, verified_at, unconfirmed_since),
    UPDATE (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key,
        path, real_path, detail, hint, evidence, verified_at, unconfirmed_since, updated)
    ON "attune".attune_worker_runtime TO attune_fleet; -- an outcome made '' deletes the row
GRANT INSERT (worker, worker_name, worker_role, runtime_ref, name, kind, old_version, new_version, detail)
    ON "attune".attune_capability_change TO attune_fleet;
GRANT EXECUTE ON FUNCTION "attune".attune_sweep_workers(interval, integer, timestamptz, timestamptz),
    "attune".attune_prune_changes(interval, interval, integer) TO attune_fleet;
GRANT EXECUTE ON FUNCTION "attune".attune_declare_workers(integer) TO attune_fleet, attune_operator, attune_server;

-- What an operator writes. `workers delete` gives rows back that attune took over.
GRANT INSERT, UPDATE, DELETE ON "attune".pack, "attune".runtime, "attune".attune_runtime_state, "attune".attune_runtime_version TO attune_operator;
GRANT UPDATE (refresh_requested), DELETE ON "attune".attune_worker_state TO attune_operator;
GRANT DELETE ON "attune".worker TO attune_operator;
-- Cordons, where the platform has no columns for them, and taints. The database sets who wrote a row
-- and when.
GRANT INSERT (worker, reason), DELETE ON "attune".attune_worker_cordon TO attune_operator, attune_server;
GRANT INSERT (worker, key, value, effect), DELETE ON "attune".attune_worker_operator_taint TO attune_operator, attune_server;
-- Requirements of the platform's actions and sensors, where its tables have no columns for them.
GRANT INSERT (action, sensor, runtime_version_constraint, required_worker_runtimes, worker_selector, worker_tolerations, worker_affinity),
    UPDATE (runtime_version_constraint, required_worker_runtimes, worker_selector, worker_tolerations, worker_affinity), DELETE
    ON "attune".attune_requirement TO attune_operator;

-- `attune serve` reads the tokens, asks workers to verify again, cordons and taints them as above, and
-- writes on whose behalf.
GRANT UPDATE (refresh_requested) ON "attune".attune_worker_state TO attune_server;
GRANT SELECT, UPDATE (last_used) ON "attune".attune_token TO attune_server;
GRANT SELECT, INSERT (secret, token, expires), DELETE ON "attune".attune_session TO attune_server;
GRANT SELECT, INSERT (principal, operation, subject, detail) ON "attune".attune_audit TO attune_server;
GRANT USAGE ON SEQUENCE "attune".attune_session_id_seq, "attune".attune_audit_id_seq TO attune_server;
GRANT SELECT, INSERT (name, secret, scope, expires), UPDATE (revoked) ON "attune".attune_token TO attune_operator;
GRANT SELECT ON "attune".attune_audit TO attune_operator;
GRANT USAGE ON SEQUENCE "attune".attune_token_id_seq TO attune_operator;

-- Columns, tables and sequences that some platforms have.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT pg_catalog.format('GRANT UPDATE (%I) ON "attune".worker TO %s', a.attname, g.role) AS grant
        FROM (VALUES ('host', 'attune_fleet'), ('port', 'attune_fleet'), ('meta', 'attune_fleet'),
            ('worker_type', 'attune_operator'), ('worker_role', 'attune_operator'), ('runtime', 'attune_operator'), ('host', 'attune_operator'),
            ('port', 'attune_operator'), ('status', 'attune_operator'), ('capabilities', 'attune_operator'), ('meta', 'attune_operator'),
            ('last_heartbeat', 'attune_operator'), ('cordoned', 'attune_operator'), ('cordon_reason', 'attune_operator'),
            ('cordoned_by', 'attune_operator'), ('cordoned_at', 'attune_operator'),
            ('cordoned', 'attune_server'), ('cordon_reason', 'attune_server'), ('cordoned_by', 'attune_server'), ('cordoned_at', 'attune_server')) g (name, role)
        JOIN pg_catalog.pg_attribute a ON a.attname = g.name AND a.attrelid = '"attune".worker'::regclass AND NOT a.attisdropped
        UNION ALL -- what actions and sensors need of workers, but not their config
        SELECT pg_catalog.format('GRANT SELECT (%I) ON %s TO attune_reader, attune_operator%s', a.attname, a.attrelid::regclass,
            CASE WHEN a.attname <> 'pack' THEN ', attune_server' END)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid IN ('"attune".action'::regclass, '"attune".sensor'::regclass) AND NOT a.attisdropped
          AND a.attname IN ('id', 'ref', 'pack', 'pack_ref', 'runtime', 'runtime_version_constraint', 'required_worker_runtimes',
              'worker_selector', 'worker_tolerations', 'worker_affinity')
        UNION ALL
        SELECT 'GRANT SELECT ON "attune".runtime_version TO attune_reader, attune_fleet, attune_operator, attune_server'
        WHERE pg_catalog.to_regclass('"attune".runtime_version') IS NOT NULL
        UNION ALL
        SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %s', s.sequence, s.role)
        FROM (SELECT pg_catalog.pg_get_serial_sequence('"attune".' || g.name, 'id') AS sequence, g.role
              FROM (VALUES ('worker', 'attune_fleet'), ('attune_worker_runtime', 'attune_fleet'), ('attune_capability_change', 'attune_fleet'),
                  ('pack', 'attune_operator'), ('runtime', 'attune_operator'), ('attune_runtime_version', 'attune_operator'),
                  ('attune_requirement', 'attune_operator')) g (name, role)) s
        WHERE s.sequence IS NOT NULL
        UNION ALL -- nothing is deleted unseen: the columns that refer to what an operator may delete
        SELECT pg_catalog.format('GRANT SELECT (%I) ON %s TO attune_operator', a.attname, k.conrelid::regclass)
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND c.relnamespace = '"attune"'::regnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.contype = 'f' AND k.confrelid IN ('"attune".pack'::regclass, '"attune".runtime'::regclass, '"attune".worker'::regclass,
            '"attune".action'::regclass, '"attune".sensor'::regclass)
           OR k.contype = 'f' AND k.confrelid = pg_catalog.to_regclass('"attune".runtime_version')
    LOOP
        EXECUTE wanted.grant;
    END LOOP;
END
$$;

COMMIT;

-- To undo it:
--
--     DROP OWNED BY attune_reader, attune_fleet, attune_operator, attune_server;
--     DROP ROLE attune_reader, attune_fleet, attune_operator, attune_server;
