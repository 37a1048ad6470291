-- requires: 0.1.0
-- The runtimes of each worker's host, in addition to the capability document. There is one row for
-- each installation, one for each executable that was found but does not count (another outcome,
-- with a path, or with the version_raw of a declared version), and one for the last absence of each
-- runtime (without path and version_raw). {schema} stands for the quoted name of the schema.

-- A runtime whose definition is deleted keeps its rows until the worker verifies again and the loss
-- becomes history. So deleting a definition and creating it again takes no capability from a fleet.
--
-- active follows worker.status by the trigger below, so that the index contains no rows of
-- workers that are gone. An empty path or version is unknown. An unknown version has no sort_key.
CREATE TABLE {schema}.worker_runtime (
    id                bigserial PRIMARY KEY,
    worker            bigint NOT NULL CONSTRAINT worker_runtime_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    runtime           bigint CONSTRAINT worker_runtime_runtime_fkey REFERENCES {schema}.runtime (id) ON DELETE SET NULL,
    runtime_ref       text COLLATE "C" NOT NULL,
    name              text NOT NULL,
    active            boolean NOT NULL DEFAULT false,
    outcome           text NOT NULL,
    source            text NOT NULL DEFAULT '',
    version           text NOT NULL DEFAULT '',
    version_raw       text NOT NULL DEFAULT '',
    prerelease        boolean NOT NULL DEFAULT false,
    sort_key          text COLLATE "C",
    path              text NOT NULL DEFAULT '',
    real_path         text NOT NULL DEFAULT '',
    detail            text,
    hint              text,
    evidence          jsonb,
    verified_at       timestamptz,
    unconfirmed_since timestamptz,
    created           timestamptz NOT NULL DEFAULT now(),
    updated           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT worker_runtime_sort_key_check CHECK ((version = '') = (sort_key IS NULL))
) WITH (fillfactor = 80, toast_tuple_target = 256);

CREATE INDEX idx_worker_runtime_available ON {schema}.worker_runtime (runtime_ref, sort_key NULLS FIRST, worker)
    WHERE active AND outcome = 'available';
CREATE INDEX idx_worker_runtime_worker ON {schema}.worker_runtime (worker, runtime_ref);
CREATE INDEX idx_worker_runtime_runtime ON {schema}.worker_runtime (runtime);

CREATE FUNCTION {schema}.worker_runtime_follow_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    UPDATE {schema}.worker_runtime SET active = NOT active
    WHERE worker = NEW.id AND active <> coalesce(NEW.status = 'active', false);
    RETURN NULL;
END
$attune$;

CREATE TRIGGER worker_runtime_follow_status AFTER UPDATE OF status ON {schema}.worker
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION {schema}.worker_runtime_follow_status();

-- A row whose outcome is set to '' is deleted. So a role that may write rows may delete them
-- without the privilege DELETE, which would let it lock the table against everybody.
CREATE FUNCTION {schema}.worker_runtime_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    DELETE FROM {schema}.worker_runtime WHERE id = NEW.id;
    RETURN NULL;
END
$attune$;

CREATE TRIGGER worker_runtime_delete AFTER UPDATE OF outcome ON {schema}.worker_runtime
    FOR EACH ROW WHEN (NEW.outcome = '') EXECUTE FUNCTION {schema}.worker_runtime_delete();

-- The history.
CREATE TABLE {schema}.capability_change (
    id          bigserial PRIMARY KEY,
    worker      bigint CONSTRAINT capability_change_worker_fkey REFERENCES {schema}.worker (id) ON DELETE SET NULL,
    worker_name text NOT NULL,
    worker_role text NOT NULL,
    runtime_ref text COLLATE "C" NOT NULL,
    name        text NOT NULL,
    kind        text NOT NULL CONSTRAINT capability_change_kind_check CHECK (kind IN ('gained', 'lost', 'version_changed')),
    old_version text,
    new_version text,
    detail      text,
    created     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_capability_change_worker ON {schema}.capability_change (worker);
CREATE INDEX idx_capability_change_name ON {schema}.capability_change (worker_name, id);

-- One row: the time of the last sweep of stale workers, the time of the last pruning of changes, and
-- the ID up to which changes were pruned.
CREATE TABLE {schema}.worker_sweep (
    id        integer NOT NULL DEFAULT 1 CONSTRAINT worker_sweep_pkey PRIMARY KEY CONSTRAINT worker_sweep_id_check CHECK (id = 1),
    swept     timestamptz NOT NULL,
    pruned    timestamptz NOT NULL,
    pruned_to bigint NOT NULL
);
INSERT INTO {schema}.worker_sweep (id, swept, pruned, pruned_to) VALUES (1, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00', 0);

-- Marks active and busy workers inactive that missed three of their own heartbeat intervals, at most
-- at_most of them, and returns them. It does nothing if somebody else does so at this moment or has
-- done so within every. A future time in worker_sweep is ignored: it dates from before the server's
-- clock was set back. A worker that is being written to is left for later.
--
-- The caller itself missed no heartbeat from since to until, which is two of its intervals. Workers are
-- judged by their state at until, and only if their three intervals lie within that time: before it
-- the database may have been unreachable for them. Without since and until, all workers are judged by
-- their present state.
--
-- The caller needs no right to the rows of other workers and gets none, because the clock alone
-- decides. The schema is in the path for triggers that others have on worker.
CREATE FUNCTION {schema}.sweep_workers(every interval, at_most integer, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (id bigint, name text, worker_role text, host text, last_heartbeat timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp AS $attune$
DECLARE
    seen constant timestamptz := least(until, statement_timestamp());
BEGIN
    PERFORM FROM {schema}.worker_sweep s
    WHERE s.swept <= statement_timestamp() - every OR s.swept > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE {schema}.worker_sweep SET swept = statement_timestamp();
    RETURN QUERY
    UPDATE {schema}.worker AS w SET status = 'inactive', updated = now()
    WHERE w.id IN (
        SELECT stale.id FROM {schema}.worker AS stale
        WHERE stale.status IN ('active', 'busy')
          AND stale.last_heartbeat <= seen - stale.heartbeat_interval * interval '3 seconds'
          AND (since IS NULL OR since <= seen - stale.heartbeat_interval * interval '3 seconds')
        ORDER BY stale.id LIMIT at_most FOR UPDATE SKIP LOCKED)
    RETURNING w.id, w.name::text, w.worker_role::text, w.host::text, w.last_heartbeat;
END
$attune$;

-- Deletes changes that are older than keep, which is at least a day, and returns their number. The
-- newest change of each runtime of an existing worker stays at any age. One call looks at a limited
-- number of changes, beginning where the previous call ended. It does nothing if somebody else does so
-- at this moment or has done so within every.
--
-- The caller needs no right to delete changes and gets none, because the clock alone decides.
CREATE FUNCTION {schema}.prune_changes(every interval, keep interval, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp AS $attune$
DECLARE
    before constant timestamptz := statement_timestamp() - greatest(keep, interval '1 day');
    since  bigint;
    up_to  bigint;
    seen   bigint;
    gone   bigint;
BEGIN
    SELECT s.pruned_to INTO since FROM {schema}.worker_sweep s
    WHERE s.pruned <= statement_timestamp() - every OR s.pruned > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT count(*), max(old.id) INTO seen, up_to
    FROM (SELECT c.id, c.created FROM {schema}.capability_change c WHERE c.id > since ORDER BY c.id LIMIT at_most) AS old
    WHERE old.created < before;
    DELETE FROM {schema}.capability_change c
    WHERE c.id > since AND c.id <= up_to AND c.created < before
      AND (c.worker IS NULL OR EXISTS (
          SELECT 1 FROM {schema}.capability_change newer
          WHERE newer.worker = c.worker AND newer.runtime_ref = c.runtime_ref AND newer.name = c.name AND newer.id > c.id));
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE {schema}.worker_sweep SET pruned = statement_timestamp(), pruned_to = CASE WHEN seen < at_most THEN 0 ELSE up_to END;
    RETURN gone;
END
$attune$;

ALTER TABLE {schema}.worker ADD COLUMN refresh_requested timestamptz;

-- Writes a heartbeat. Returns NULL if the row does not belong to the instance or is inactive. Otherwise
-- it returns the time of the last request to verify the worker in full, or the epoch without one.
--
-- A function keeps its plan for the session, even if a pooler breaks prepared statements, and a fleet
-- calls it all day. It runs with the caller's rights and without SET, which would cost what the plan
-- saves.
CREATE FUNCTION {schema}.worker_heartbeat(worker_id bigint, worker_instance text) RETURNS timestamptz
LANGUAGE plpgsql AS $attune$
DECLARE
    asked timestamptz;
BEGIN
    UPDATE {schema}.worker AS w SET last_heartbeat = pg_catalog.statement_timestamp()
    WHERE w.id = worker_id AND w.instance = worker_instance AND w.status <> 'inactive'
    RETURNING coalesce(w.refresh_requested, 'epoch') INTO asked;
    RETURN asked;
END
$attune$;

CREATE VIEW {schema}.available_runtime AS
SELECT r.worker, w.worker_role AS role, r.runtime_ref AS ref, r.name, nullif(r.version, '') AS version,
       r.sort_key AS key, nullif(r.path, '') AS path, r.prerelease, w.name AS worker_name
FROM {schema}.worker_runtime r
JOIN {schema}.worker w ON w.id = r.worker
WHERE r.active AND r.outcome = 'available' AND w.status = 'active'
  AND w.last_heartbeat > statement_timestamp() - w.heartbeat_interval * interval '3 seconds';

-- The sort key of a version, as in schema/version. It is NULL for other texts.
CREATE FUNCTION {schema}.version_key(version text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    m       text[] := regexp_match(btrim(version, E' \t\r\n'), '^(?:(?:[gG][oO]|[vV])(?=[0-9]))?([0-9]+(?:[.][0-9]+)*)(.*)$');
    numbers text[];
    rest    text := m[2];
    java    boolean := true;
    tail    text;
    pre     text;
    part    text;
    key     text := '';
BEGIN
    IF m IS NULL OR octet_length(btrim(version, E' \t\r\n')) > 256 THEN
        RETURN NULL;
    END IF;
    FOREACH part IN ARRAY string_to_array(m[1], '.') LOOP
        numbers := numbers || regexp_replace(part, '^0+(?=[0-9])', '');
    END LOOP;

    -- Java before 9: 1.N.M_U and NuU.
    IF cardinality(numbers) = 3 AND numbers[1] = '1' AND rest ~ '^_[0-9]' THEN
        numbers := numbers[2:3] || regexp_replace(substring(rest FROM '^_([0-9]+)'), '^0+(?=[0-9])', '');
        rest := regexp_replace(rest, '^_[0-9]+', '');
    ELSIF cardinality(numbers) = 1 AND rest ~ '^u[0-9]' THEN
        numbers := numbers || '0'::text || regexp_replace(substring(rest FROM '^u([0-9]+)'), '^0+(?=[0-9])', '');
        rest := regexp_replace(rest, '^u[0-9]+', '');
    ELSE
        java := false;
    END IF;

    m := regexp_match(rest, '^([-~._]?)([A-Za-z]+)(.*)$');
    IF m[2] ~ '^[abcmABCM]$' AND m[3] ~ '^[0-9]' AND NOT java
       OR lower(m[2] COLLATE "C") IN (
            'alpha', 'beta', 'rc', 'cr', 'pre', 'preview', 'prerelease', 'dev', 'devel', 'development', 'internal',
            'nightly', 'daily', 'snapshot', 'canary', 'next', 'ea', 'eap', 'insiders', 'milestone',
            'unstable', 'experimental', 'trunk') THEN
        tail := CASE m[1] WHEN '~' THEN substring(m[3] FROM '^(?:[0-9A-Za-z]|[.](?=[0-9A-Za-z]))*')
                          ELSE substring(m[3] FROM '^(?:[-0-9A-Za-z]|[.](?=[-0-9A-Za-z]))*') END;
        pre := lower((m[2] || tail) COLLATE "C");
        rest := substr(m[3], length(tail) + 1);
    END IF;
    -- A suffix of a distribution or a builder has no meaning.
    IF rest !~ '^([(][0-9]+[)])?(([A-Za-z]{2,}|[pP])[0-9]+)?([-+~_][-0-9A-Za-z.+~_:()]+|[+])?$' THEN
        RETURN NULL;
    END IF;

    WHILE cardinality(numbers) > 3 AND numbers[cardinality(numbers)] = '0' LOOP
        numbers := numbers[:cardinality(numbers) - 1];
    END LOOP;
    WHILE cardinality(numbers) < 3 LOOP
        numbers := numbers || '0'::text;
    END LOOP;
    FOREACH part IN ARRAY numbers LOOP
        key := key || CASE WHEN length(part) < 26 THEN chr(64 + length(part)) ELSE 'Z' || lpad(length(part)::text, 3, '0') END || part;
    END LOOP;
    IF pre IS NULL THEN
        RETURN key || '.';
    END IF;
    key := key || '-';
    FOR part IN SELECT p[1] FROM regexp_matches(pre, '[0-9]+|[^0-9]', 'g') AS p LOOP
        IF part ~ '^[0-9]' THEN
            part := regexp_replace(part, '^0+(?=[0-9])', '');
            part := CASE WHEN length(part) < 26 THEN chr(64 + length(part)) ELSE 'Z' || lpad(length(part)::text, 3, '0') END || part;
        END IF;
        key := key || CASE part WHEN '.' THEN ',' ELSE part END;
    END LOOP;
    RETURN key;
END
$attune$;

-- Reports whether a text is a version constraint, as schema/version does.
CREATE FUNCTION {schema}.version_constraint_valid(version_constraint text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    blank   constant text := E'[ \t\r\n]';
    words   constant text := '(?:alpha|beta|rc|cr|pre|preview|prerelease|dev|devel|development|internal|'
        || 'nightly|daily|snapshot|canary|next|ea|eap|insiders|milestone|unstable|experimental|trunk)(?![a-z])';
    letters constant text := '(?:' || words || '|[abcm](?=[0-9]))';
    hyphens constant text := '(?:[-0-9a-z]|[.](?=[-0-9a-z]))*';
    plain   constant text := '(?:[0-9a-z]|[.](?=[0-9a-z]))*';
    java    constant text := '(?:0*1[.][0-9]+[.][0-9]+_[0-9]+|[0-9]+u[0-9]+)'
        || '(?:[-._]?' || words || hyphens || '|~' || words || plain || '|[.][*])?';
    other   constant text := '[0-9]+(?:[.][0-9]+)*'
        || '(?:[-._]?' || letters || hyphens || '|~' || letters || plain || '|[.][*])?';
    version constant text := '(?:go|v)?(?:' || java || '|' || other || ')';
    term    constant text := '(?:(?:!=|>=|<=|[=<>~^])?' || blank || '*' || version
        || '|=?' || blank || '*[*]'
        || '|(?:[*]|' || version || ')' || blank || '+-' || blank || '+(?:[*]|' || version || '))';
    terms   constant text := term || '(?:(?:' || blank || '*,' || blank || '*|' || blank || '+)' || term || ')*';
BEGIN
    RETURN octet_length(version_constraint) <= 1024
       AND version_constraint ~ ('(?i)^' || blank || '*' || terms
               || '(?:' || blank || '*[|][|]' || blank || '*' || terms || ')*' || blank || '*$')
       -- Java's u must be lower case, and a version has at most 256 bytes.
       AND NOT EXISTS (
               SELECT 1 FROM regexp_split_to_table(version_constraint, E'[ \t\r\n,|]+') AS word
               WHERE word ~ '^[=!<>~^]*([gG][oO]|[vV])?[0-9]+U[0-9]'
                  OR octet_length(regexp_replace(word, '^[=!<>~^]+|[.][*]$', '', 'g')) > 256);
END
$attune$;

-- NOT VALID: existing rows are checked when they are written next.
ALTER TABLE {schema}.action ADD CONSTRAINT action_runtime_version_constraint_check
    CHECK ({schema}.version_constraint_valid(runtime_version_constraint)) NOT VALID;
ALTER TABLE {schema}.sensor ADD CONSTRAINT sensor_runtime_version_constraint_check
    CHECK ({schema}.version_constraint_valid(runtime_version_constraint)) NOT VALID;
