-- Roles with least privilege, for a Postgres database after `attune migrate up`. Where attune is a
-- guest in a platform's tables, use roles-guest.sql. Run it as the owner, or as a superuser, with
--
--     psql -v ON_ERROR_STOP=1 -f docs/roles.sql DATABASE
--
-- Run it again after an upgrade, when no host runs the previous release any longer. It can be
-- repeated. If the tables are in another schema than public, replace "public" below.
--
-- The roles cannot log in. Give them to those that do:
--
--     CREATE ROLE "build-7" LOGIN PASSWORD '…' CONNECTION LIMIT 8 IN ROLE attune_worker;
--     ALTER ROLE "build-7" SET statement_timeout TO '60s';
--     ALTER ROLE "build-7" SET lock_timeout TO '10s';
--     ALTER ROLE "build-7" SET idle_in_transaction_session_timeout TO '30s';
--
-- The worker and the sensor of a host need no more connections, and none of their statements
-- takes longer. The limit holds for the login. The three timeouts protect against accidents
-- only, because a session can change them. A login of attune_fleet needs a limit for all its
-- hosts together.
--
-- attune_worker is for a host with its own login, whose name is the name under which the host
-- registers (at most 63 bytes). The login can see and write what belongs to the worker and the
-- sensor of that name, and nothing of any other host. If the logins have other names, let one
-- act as the other:
--
--     GRANT "build-7" TO "login-of-build-7";
--     ALTER ROLE "login-of-build-7" SET role TO "build-7";
--
-- attune_fleet is for one login that many hosts share. They cannot change the definitions or
-- rewrite the history, but one host can change another's rows.
--
-- Neither role has UPDATE or DELETE on a whole table, because then it could LOCK the table and
-- make all others wait.
--
-- No role can prevent the following. A hostile login can fill the disk with its own rows, have
-- changes deleted once they are a day old, and sweep workers that missed three heartbeats
-- (their next heartbeat makes them active again). It can send notifications on
-- attune_capability_change, but listeners then read the history itself.
--
-- A transaction that such a login leaves open also delays the followers of the history,
-- all sweeps and prunes, the deletion of a runtime's definition and of its own worker,
-- migrations of the schema, and VACUUM. pg_stat_activity shows the login (state 'idle in
-- transaction', and an old xact_start). ALTER ROLE … NOLOGIN and pg_terminate_backend(pid)
-- end it.

BEGIN;

SET LOCAL client_min_messages = warning;
-- A role that may create in a schema of the session's path could have this script call its
-- functions.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
    IF pg_catalog.to_regclass('"public".worker') IS NULL THEN
        RAISE EXCEPTION 'schema "public" has no tables of attune: run attune migrate up first, or replace "public" in this file by their schema';
    ELSIF pg_catalog.to_regclass('"public".attune_worker_state') IS NOT NULL THEN
        RAISE EXCEPTION 'schema "public" is a platform''s, in which attune is a guest: run roles-guest.sql instead';
    ELSIF pg_catalog.to_regclass('"public".attune_token') IS NULL THEN
        RAISE EXCEPTION 'the tables are older than this file: run attune migrate up first';
    END IF;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['attune_reader', 'attune_worker', 'attune_fleet', 'attune_operator', 'attune_server'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

-- Before Postgres 15 everybody may create in the schema public, and a function there
-- runs with the rights of its caller.
REVOKE CREATE ON SCHEMA "public" FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) x
               WHERE n.oid = '"public"'::regnamespace AND x.grantee = 0 AND x.privilege_type = 'CREATE') THEN
        RAISE EXCEPTION 'everybody may create in the schema, and only its owner can change that: REVOKE CREATE ON SCHEMA "public" FROM PUBLIC';
    END IF;
END
$$;

-- Functions with their owner's rights are only for the roles below. Earlier releases granted
-- them to everybody.
REVOKE ALL ON FUNCTION "public".worker_runtime_delete(),
    "public".sweep_workers(interval, integer, timestamptz, timestamptz), "public".prune_changes(interval, interval, integer),
    "public".worker_copy_labels(bigint, jsonb), "public".worker_follow_labels(),
    "public".worker_stamp_heartbeat(), "public".worker_stamp_updated(),
    "public".worker_bound_values(), "public".worker_bound_documents(), "public".worker_runtime_bound_documents(),
    "public".definition_mark_count() FROM PUBLIC;

GRANT USAGE ON SCHEMA "public" TO attune_reader, attune_worker, attune_fleet, attune_operator, attune_server;

-- Grants of earlier releases of this file.
REVOKE ALL ON "public".pack, "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".worker_label, "public".worker_taint,
    "public".worker_cordon, "public".worker_operator_taint,
    "public".capability_change, "public".worker_sweep,
    "public".available_runtime, "public".attune_migrations, "public".definition_mark, "public".action, "public".sensor,
    "public".attune_token, "public".attune_session, "public".attune_audit
    FROM attune_reader, attune_worker, attune_fleet, attune_operator, attune_server;

-- For `attune workers list|show|history`, `attune explain`, placement.
GRANT SELECT ON "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".worker_label, "public".worker_taint,
    "public".worker_cordon, "public".worker_operator_taint,
    "public".capability_change, "public".attune_migrations, "public".definition_mark
    TO attune_reader, attune_fleet, attune_operator, attune_server;
GRANT SELECT ON "public".worker_sweep, "public".available_runtime TO attune_reader, attune_fleet, attune_operator;
GRANT SELECT ON "public".pack TO attune_reader, attune_operator, attune_server;
-- What actions and sensors need of workers, but not their config.
GRANT SELECT (id, ref, pack_ref, runtime, runtime_version_constraint,
        required_worker_runtimes, worker_selector, worker_tolerations, worker_affinity)
    ON "public".action, "public".sensor TO attune_reader, attune_operator, attune_server;
GRANT SELECT (pack) ON "public".action, "public".sensor TO attune_reader, attune_operator;

-- For `worker run`, `sensor run` and `worker register`, which read the definitions and write the
-- reports of workers. These roles cannot define what runs on a host, request verifications of
-- others, delete a worker or rewrite the history. The database sets IDs and the times of the
-- history. The view has no grant here because it shows every worker in spite of the policies
-- below. Hosts do not need the config of packs. They see cordons and taints of operators, and cannot
-- lift them.
GRANT SELECT ON "public".runtime, "public".runtime_version,
    "public".worker, "public".worker_runtime, "public".worker_label, "public".worker_taint,
    "public".worker_cordon, "public".worker_operator_taint,
    "public".capability_change, "public".attune_migrations, "public".definition_mark
    TO attune_worker; -- a trigger with the owner's rights writes labels and taints of hosts
GRANT SELECT (id, ref) ON "public".pack TO attune_worker, attune_fleet;
-- The database sets the times of worker, so a heartbeat writes only instance.
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
-- A heartbeat runs with the login's own rights. Sweeps and prunes run with the owner's, and
-- only the clock decides.
GRANT EXECUTE ON FUNCTION "public".worker_heartbeat(bigint, text), "public".sweep_workers(interval, integer, timestamptz, timestamptz),
    "public".prune_changes(interval, interval, integer) TO attune_worker, attune_fleet;

-- For `attune packs load` and `attune workers refresh`.
GRANT INSERT, UPDATE, DELETE ON "public".pack, "public".runtime, "public".runtime_version TO attune_operator;
GRANT USAGE ON SEQUENCE "public".pack_id_seq, "public".runtime_id_seq, "public".runtime_version_id_seq TO attune_operator;
GRANT UPDATE (refresh_requested), DELETE ON "public".worker TO attune_operator;

-- For `attune workers cordon|uncordon|taint|untaint`. The database sets who wrote a row and when. A
-- changed row is a deleted and an inserted one, so nobody needs UPDATE.
GRANT INSERT (worker, reason), DELETE ON "public".worker_cordon TO attune_operator, attune_server;
GRANT INSERT (worker, key, value, effect), DELETE ON "public".worker_operator_taint TO attune_operator, attune_server;
-- The requirements of actions and sensors. The guards check them.
GRANT UPDATE (runtime_version_constraint, required_worker_runtimes, worker_selector, worker_tolerations, worker_affinity)
    ON "public".action, "public".sensor TO attune_operator;

-- `attune workers delete`, `attune runtimes delete` and `attune packs unload` need the
-- DELETE above. They read which actions and sensors refer to a runtime, but not their config.
-- If a table of the platform refers to a runtime, a pack or a worker ON DELETE CASCADE, the
-- operator must be able to read its foreign key, because nothing is deleted unseen.

-- For `attune serve`: it reads what a reader does and the tokens, asks workers to verify again,
-- cordons and taints them as above, and writes on whose behalf. It can neither make tokens nor change the audit.
GRANT UPDATE (refresh_requested) ON "public".worker TO attune_server;
GRANT SELECT, UPDATE (last_used) ON "public".attune_token TO attune_server;
GRANT SELECT, INSERT (secret, token, expires), DELETE ON "public".attune_session TO attune_server;
GRANT SELECT, INSERT (principal, operation, subject, detail) ON "public".attune_audit TO attune_server;
GRANT USAGE ON SEQUENCE "public".attune_session_id_seq, "public".attune_audit_id_seq TO attune_server;

-- For `attune tokens create|list|revoke`.
GRANT SELECT, INSERT (name, secret, scope, expires), UPDATE (revoked) ON "public".attune_token TO attune_operator;
GRANT SELECT ON "public".attune_audit TO attune_operator;
GRANT USAGE ON SEQUENCE "public".attune_token_id_seq TO attune_operator;

-- The rows of each role. Other roles see all rows as before, and the owner of the tables
-- bypasses all policies. If a table already had row-level security, its own policies still
-- decide for other roles.
--
-- From here on pg_dump needs the owner, a superuser, a role with BYPASSRLS, or
-- --enable-row-security.
DO $$
DECLARE
    target regclass;
    everybody text;
BEGIN
    FOREACH target IN ARRAY ARRAY['"public".worker', '"public".worker_runtime', '"public".worker_label', '"public".worker_taint',
                                   '"public".worker_cordon', '"public".worker_operator_taint', '"public".capability_change']::regclass[] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_policy WHERE polrelid = target AND polname = 'attune_granted') THEN
            SELECT CASE WHEN relrowsecurity THEN 'attune_reader, attune_worker, attune_fleet, attune_operator, attune_server' ELSE 'PUBLIC' END
                INTO everybody FROM pg_catalog.pg_class WHERE oid = target;
            EXECUTE pg_catalog.format('CREATE POLICY attune_granted ON %s TO %s USING (true)', target, everybody);
            EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
        END IF;
        EXECUTE pg_catalog.format('DROP POLICY IF EXISTS attune_own ON %s', target);
    END LOOP;
END
$$;

CREATE POLICY attune_own ON "public".worker AS RESTRICTIVE TO attune_worker
    USING (name = current_user AND current_user <> 'attune_worker') -- every member can become it
    WITH CHECK (name = current_user AND current_user <> 'attune_worker' AND identity IN ('action/' || name, 'sensor/' || name));
CREATE POLICY attune_own ON "public".worker_runtime AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_runtime.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".worker_label AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_label.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".worker_taint AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_taint.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".worker_cordon AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_cordon.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".worker_operator_taint AS RESTRICTIVE TO attune_worker
    USING (EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = worker_operator_taint.worker AND w.name = current_user)
        AND current_user <> 'attune_worker');
CREATE POLICY attune_own ON "public".capability_change AS RESTRICTIVE TO attune_worker
    USING (worker_name = current_user AND current_user <> 'attune_worker')
    WITH CHECK (worker_name = current_user AND current_user <> 'attune_worker'
        AND EXISTS (SELECT 1 FROM "public".worker w WHERE w.id = capability_change.worker AND w.name = current_user));

COMMIT;

-- To undo it, before `attune migrate down` undoes the unification:
--
--     DROP OWNED BY attune_reader, attune_worker, attune_fleet, attune_operator, attune_server;
--     DROP ROLE attune_reader, attune_worker, attune_fleet, attune_operator, attune_server;
--     DROP POLICY attune_granted ON "public".worker;
--     DROP POLICY attune_granted ON "public".worker_runtime;
--     DROP POLICY attune_granted ON "public".worker_label;
--     DROP POLICY attune_granted ON "public".worker_taint;
--     DROP POLICY attune_granted ON "public".worker_cordon;
--     DROP POLICY attune_granted ON "public".worker_operator_taint;
--     DROP POLICY attune_granted ON "public".capability_change;
--     ALTER TABLE "public".worker DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_runtime DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_label DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_taint DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_cordon DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".worker_operator_taint DISABLE ROW LEVEL SECURITY;
--     ALTER TABLE "public".capability_change DISABLE ROW LEVEL SECURITY;
