-- Roles with no more than they need, for a Postgres database that `attune migrate
-- up` has prepared as its owner. Run it as the owner, or as a superuser, with
--
--     psql -v ON_ERROR_STOP=1 -f docs/roles.sql DATABASE
--
-- and again after an upgrade: it can be run any number of times. Where the tables
-- are in another schema than public, put its name in place of "public" below.
--
-- The roles cannot log in. Give them to those that do:
--
--     CREATE ROLE build7 LOGIN PASSWORD '…' IN ROLE attune_worker;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['attune_reader', 'attune_worker', 'attune_operator'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA "public" TO attune_reader, attune_worker, attune_operator;

-- What there is. `attune workers list|show|history`, `attune explain`, placement.
GRANT SELECT ON "public".pack, "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".capability_change, "public".worker_sweep,
    "public".available_runtime, "public".attune_migrations
    TO attune_reader, attune_worker, attune_operator;

-- `worker run`, `sensor run`, `worker register`: reads the definitions, and writes
-- what workers say of themselves. It can neither define what is run on a host, nor
-- ask others to verify anew, nor delete a worker, nor rewrite the history.
GRANT INSERT (name, worker_type, worker_role, host, port, status, capabilities, meta, identity, instance,
        heartbeat_interval, last_heartbeat, updated),
    UPDATE (name, worker_type, worker_role, host, port, status, capabilities, meta, identity, instance,
        heartbeat_interval, last_heartbeat, updated)
    ON "public".worker TO attune_worker;
GRANT INSERT, UPDATE, DELETE ON "public".worker_runtime TO attune_worker;
GRANT INSERT ON "public".capability_change TO attune_worker;
GRANT UPDATE (swept) ON "public".worker_sweep TO attune_worker;
GRANT USAGE ON SEQUENCE "public".worker_id_seq, "public".worker_runtime_id_seq, "public".capability_change_id_seq
    TO attune_worker;

-- `attune packs load`, `attune workers refresh`.
GRANT INSERT, UPDATE, DELETE ON "public".pack, "public".runtime, "public".runtime_version TO attune_operator;
GRANT USAGE ON SEQUENCE "public".pack_id_seq, "public".runtime_id_seq, "public".runtime_version_id_seq TO attune_operator;
GRANT UPDATE (refresh_requested), DELETE ON "public".worker TO attune_operator;
