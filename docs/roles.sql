-- Roles with no more than they need, for a Postgres database that `attune migrate
-- up` has prepared as its owner. Run it as the owner, or as a superuser, with
--
--     psql -v ON_ERROR_STOP=1 -f docs/roles.sql DATABASE
--
-- and again after an upgrade, once no host runs the release before: it can be run any
-- number of times. Where the tables are in another schema than public, put its name in
-- place of "public" below.
--
-- The roles cannot log in. Give them to those that do:
--
--     CREATE ROLE "build-7" LOGIN PASSWORD '…' CONNECTION LIMIT 8 IN ROLE attune_worker;
--     ALTER ROLE "build-7" SET statement_timeout TO '60s';
--     ALTER ROLE "build-7" SET lock_timeout TO '10s';
--     ALTER ROLE "build-7" SET idle_in_transaction_session_timeout TO '30s';
--
-- The worker and the sensor of a host need no more connections, and none of their
-- statements takes longer. The limit binds whoever has the login; the three timeouts are
-- for accidents, as a session may change its own. A login of attune_fleet needs a limit
-- for all its hosts together.
--
-- attune_worker is for a host that has a login of its own, of the name under which
-- it registers (at most 63 bytes): the login can see and write what belongs to the
-- worker and the sensor of that name, and nothing of any other host. Where the
-- logins are called otherwise, let the one be the other:
--
--     GRANT "build-7" TO "login-of-build-7";
--     ALTER ROLE "login-of-build-7" SET role TO "build-7";
--
-- attune_fleet is for one login that many hosts share. It keeps them from the
-- definitions and from rewriting the history; it does not keep one host from
-- another's rows.
--
-- Neither of the two has UPDATE or DELETE of a whole table: who has could LOCK it, and
-- all others would wait.
--
-- What no role can prevent: a login that means harm can fill the disk with rows of
-- its own, have changes deleted once they are a day old, and workers that missed three
-- heartbeats made inactive before the others would (they are active again with their
-- next heartbeat); and send notifications on attune_capability_change, which listeners
-- take as hints: they read the history.
--
-- By a transaction that it does not end, such a login can also keep who follows the
-- history waiting for a change that does not come; keep everybody from sweeping and
-- pruning; keep a runtime's definition or its own worker from being deleted, and the
-- schema from being migrated; and VACUUM from its work. pg_stat_activity tells who it is
-- (state 'idle in transaction', and a long xact_start), and pg_terminate_backend(pid),
-- after ALTER ROLE … NOLOGIN, ends it.

BEGIN;

SET LOCAL client_min_messages = warning;
-- Whoever may create in a schema of the session's path could have this script call what
-- he made.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname = 'worker_stamp_heartbeat' AND tgrelid = '"public".worker'::regclass) THEN
        RAISE EXCEPTION 'the database is older than this file: run attune migrate up first';
    END IF;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['attune_reader', 'attune_worker', 'attune_fleet', 'attune_operator'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

-- Before Postgres 15 everybody may create in the schema public, and what is created there
-- runs with the rights of those who meet it.
REVOKE CREATE ON SCHEMA "public" FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) x
               WHERE n.oid = '"public"'::regnamespace AND x.grantee = 0 AND x.privilege_type = 'CREATE') THEN
        RAISE EXCEPTION 'everybody may create in the schema, and only its owner can change that: REVOKE CREATE ON SCHEMA "public" FROM PUBLIC';
    END IF;
END
$$;

-- Functions with their owner's rights are for those who are named below. Earlier releases
-- left them to everybody.
REVOKE ALL ON FUNCTION "public".worker_runtime_delete(), "public".worker_runtime_follow_status(),
    "public".sweep_workers(interval, integer, timestamptz, timestamptz), "public".prune_changes(interval, interval, integer),
    "public".worker_stamp_heartbeat(), "public".worker_stamp_updated(),
    "public".worker_bound_documents(), "public".worker_runtime_bound_documents() FROM PUBLIC;

GRANT USAGE ON SCHEMA "public" TO attune_reader, attune_worker, attune_fleet, attune_operator;

-- What an earlier release of this file gave, and this one does not.
REVOKE ALL ON "public".pack, "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".capability_change, "public".worker_sweep,
    "public".available_runtime, "public".attune_migrations, "public".action, "public".sensor
    FROM attune_reader, attune_worker, attune_fleet, attune_operator;

-- What there is. `attune workers list|show|history`, `attune explain`, placement.
GRANT SELECT ON "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".capability_change, "public".worker_sweep,
    "public".available_runtime, "public".attune_migrations
    TO attune_reader, attune_fleet, attune_operator;
GRANT SELECT ON "public".pack TO attune_reader, attune_operator;

-- `worker run`, `sensor run`, `worker register`: reads the definitions, and writes
-- what workers say of themselves. It can neither define what is run on a host, nor
-- ask others to verify anew, nor delete a worker, nor rewrite the history. Ids and
-- the times of the history are the database's to give. The view shows every worker,
-- whatever the policies below say. What packs are configured with is no host's concern.
GRANT SELECT ON "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".capability_change, "public".attune_migrations
    TO attune_worker;
GRANT SELECT (id, ref) ON "public".pack TO attune_worker, attune_fleet;
-- The times of worker are the database's: a heartbeat writes instance.
GRANT INSERT (name, worker_type, worker_role, host, port, status, capabilities, meta, identity, instance, heartbeat_interval),
    UPDATE (name, worker_type, worker_role, host, port, status, capabilities, meta, identity, instance, heartbeat_interval)
    ON "public".worker TO attune_worker, attune_fleet;
GRANT INSERT (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key,
        path, real_path, detail, hint, evidence, verified_at, unconfirmed_since),
    UPDATE (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key,
        path, real_path, detail, hint, evidence, verified_at, unconfirmed_since, updated)
    ON "public".worker_runtime TO attune_worker, attune_fleet; -- an outcome made '' deletes the row
GRANT INSERT (worker, worker_name, worker_role, runtime_ref, name, kind, old_version, new_version, detail)
    ON "public".capability_change TO attune_worker, attune_fleet;
GRANT USAGE ON SEQUENCE "public".worker_id_seq, "public".worker_runtime_id_seq, "public".capability_change_id_seq
    TO attune_worker, attune_fleet;
-- It beats with its own rights; and makes workers inactive that beat no more, and
-- deletes changes that are old, by the clock alone.
GRANT EXECUTE ON FUNCTION "public".worker_heartbeat(bigint, text), "public".sweep_workers(interval, integer, timestamptz, timestamptz),
    "public".prune_changes(interval, interval, integer) TO attune_worker, attune_fleet;

-- `attune packs load`, `attune workers refresh`.
GRANT INSERT, UPDATE, DELETE ON "public".pack, "public".runtime, "public".runtime_version TO attune_operator;
GRANT USAGE ON SEQUENCE "public".pack_id_seq, "public".runtime_id_seq, "public".runtime_version_id_seq TO attune_operator;
GRANT UPDATE (refresh_requested), DELETE ON "public".worker TO attune_operator;

-- `attune workers delete`, `attune runtimes delete`, `attune packs unload` need the
-- DELETE above, and to see which actions and sensors refer to a runtime: not what
-- these are configured with. A table of the platform's own that refers to a runtime,
-- a pack or a worker ON DELETE CASCADE keeps it from being deleted until the operator
-- may read its foreign key: nothing is deleted along unseen.
GRANT SELECT (id, ref, pack, runtime) ON "public".action, "public".sensor TO attune_operator;

-- Which rows. For everybody else all rows are as before, and for the owner of the
-- tables no policy counts. Where a table had row-level security already, the
-- policies that it has go on deciding for the others.
--
-- From here on pg_dump needs the owner, a superuser, a role with BYPASSRLS, or
-- --enable-row-security.
DO $$
DECLARE
    target regclass;
    everybody text;
BEGIN
    FOREACH target IN ARRAY ARRAY['"public".worker', '"public".worker_runtime', '"public".capability_change']::regclass[] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_policy WHERE polrelid = target AND polname = 'attune_granted') THEN
            SELECT CASE WHEN relrowsecurity THEN 'attune_reader, attune_worker, attune_fleet, attune_operator' ELSE 'PUBLIC' END
                INTO everybody FROM pg_catalog.pg_class WHERE oid = target;
            EXECUTE pg_catalog.format('CREATE POLICY attune_granted ON %s TO %s USING (true)', target, everybody);
            EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
        END IF;
        EXECUTE pg_catalog.format('DROP POLICY IF EXISTS attune_own ON %s', target);
    END LOOP;
END
$$;

CREATE POLICY attune_own ON "public".worker AS RESTRICTIVE TO attune_worker
    USING (name = current_user AND current_user <> 'attune_worker') -- which every member may become
    WITH CHECK (name = current_user AND current_user <> 'attune_worker' AND identity IN ('action/' || name, 'sensor/' || name));
CREATE POLICY attune_own ON "public".worker_runtime AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_runtime.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".capability_change AS RESTRICTIVE TO attune_worker
    USING (worker_name = current_user AND current_user <> 'attune_worker')
    WITH CHECK (worker_name = current_user AND current_user <> 'attune_worker'
        AND EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = capability_change.worker AND w.name = current_user));

COMMIT;

-- To take it back, which has to be before `attune migrate down` undoes the
-- unification:
--
--     DROP OWNED BY attune_reader, attune_worker, attune_fleet, attune_operator;
--     DROP ROLE attune_reader, attune_worker, attune_fleet, attune_operator;
--     DROP POLICY attune_granted ON "public".worker;
--     DROP POLICY attune_granted ON "public".worker_runtime;
--     DROP POLICY attune_granted ON "public".capability_change;
--     ALTER TABLE "public".worker DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_runtime DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".capability_change DISABLE ROW LEVEL SECURITY;
