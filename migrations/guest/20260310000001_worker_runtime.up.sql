-- requires: 0.1.0
-- The runtimes of each worker's host, in addition to a platform's own table of workers. Two words in
-- braces are replaced: version_key by the function of that name in this migration's file for
-- Postgres, and core_names by a list (alias, ref) of the core pack's names.
--
-- The platform's worker gets one trigger, which fires only when capabilities are written. Other columns
-- of the platform are named only in the text of functions, so that the platform can change them.

-- A row for each of attune's workers; the platform's workers have none here. If mirrored, status and
-- heartbeats are written to worker as well. Otherwise they are only in this table, so that the
-- platform's scheduler finds nothing to use. former is the original row of a worker that attune took
-- over (--takeover).
CREATE TABLE {schema}.attune_worker_state (
    worker             bigint CONSTRAINT attune_worker_state_pkey PRIMARY KEY
                              CONSTRAINT attune_worker_state_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    identity           text NOT NULL CONSTRAINT attune_worker_state_identity_key UNIQUE,
    instance           text,
    status             text NOT NULL DEFAULT 'inactive'
                              CONSTRAINT attune_worker_state_status_check CHECK (status IN ('active', 'inactive', 'busy', 'error')),
    heartbeat_interval integer,
    last_heartbeat     timestamptz,
    refresh_requested  timestamptz,
    mirrored           boolean NOT NULL DEFAULT false,
    former             jsonb,
    CONSTRAINT attune_worker_state_size_check CHECK (octet_length(identity) <= 4096 AND octet_length(instance) <= 4096),
    CONSTRAINT attune_worker_state_times_check CHECK (
            last_heartbeat >= '0001-01-03 00:00:00+00' AND last_heartbeat < '9999-12-30 00:00:00+00'
        AND refresh_requested >= '0001-01-03 00:00:00+00' AND refresh_requested < '9999-12-30 00:00:00+00')
) WITH (fillfactor = 50);

-- Like worker_runtime in attune's own schemas. Rows of the platform's workers hold what their
-- capabilities declare. They are active; the worker's own row has its status.
CREATE TABLE {schema}.attune_worker_runtime (
    id                bigserial CONSTRAINT attune_worker_runtime_pkey PRIMARY KEY,
    worker            bigint NOT NULL CONSTRAINT attune_worker_runtime_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    runtime           bigint CONSTRAINT attune_worker_runtime_runtime_fkey REFERENCES {schema}.runtime (id) ON DELETE SET NULL,
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
    CONSTRAINT attune_worker_runtime_sort_key_check CHECK ((version = '') = (sort_key IS NULL)),
    CONSTRAINT attune_worker_runtime_times_check CHECK (
            verified_at >= '0001-01-03 00:00:00+00' AND verified_at < '9999-12-30 00:00:00+00'
        AND unconfirmed_since >= '0001-01-03 00:00:00+00' AND unconfirmed_since < '9999-12-30 00:00:00+00'
        AND created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'
        AND updated >= '0001-01-03 00:00:00+00' AND updated < '9999-12-30 00:00:00+00'),
    CONSTRAINT attune_worker_runtime_size_check CHECK (
            octet_length(runtime_ref) + octet_length(name) + octet_length(outcome) + octet_length(source) + octet_length(version)
          + octet_length(version_raw) + octet_length(path) + octet_length(real_path)
          + coalesce(octet_length(sort_key), 0) + coalesce(octet_length(detail), 0) + coalesce(octet_length(hint), 0) <= 1048576)
) WITH (fillfactor = 80, toast_tuple_target = 256);
CREATE INDEX attune_worker_runtime_available_idx ON {schema}.attune_worker_runtime (runtime_ref, sort_key NULLS FIRST, worker)
    WHERE active AND outcome = 'available';
CREATE INDEX attune_worker_runtime_worker_idx ON {schema}.attune_worker_runtime (worker, runtime_ref);
CREATE INDEX attune_worker_runtime_runtime_idx ON {schema}.attune_worker_runtime (runtime);

-- Labels and taints of every worker, for queries that read no document.
CREATE TABLE {schema}.attune_worker_label (
    worker bigint CONSTRAINT attune_worker_label_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key    text COLLATE "C",
    value  text COLLATE "C" NOT NULL,
    CONSTRAINT attune_worker_label_pkey PRIMARY KEY (worker, key)
);
CREATE INDEX attune_worker_label_key_idx ON {schema}.attune_worker_label (key, value, worker);
CREATE TABLE {schema}.attune_worker_taint (
    id     bigserial CONSTRAINT attune_worker_taint_pkey PRIMARY KEY,
    worker bigint NOT NULL CONSTRAINT attune_worker_taint_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key    text COLLATE "C" NOT NULL,
    value  text COLLATE "C",
    effect text NOT NULL CONSTRAINT attune_worker_taint_effect_check CHECK (effect IN ('no_schedule', 'prefer_no_schedule'))
);
CREATE INDEX attune_worker_taint_worker_idx ON {schema}.attune_worker_taint (worker);

-- The history, like capability_change in attune's own schemas.
CREATE TABLE {schema}.attune_capability_change (
    id          bigserial CONSTRAINT attune_capability_change_pkey PRIMARY KEY,
    worker      bigint CONSTRAINT attune_capability_change_worker_fkey REFERENCES {schema}.worker (id) ON DELETE SET NULL,
    worker_name text NOT NULL,
    worker_role text NOT NULL,
    runtime_ref text COLLATE "C" NOT NULL,
    name        text NOT NULL,
    kind        text NOT NULL CONSTRAINT attune_capability_change_kind_check CHECK (kind IN ('gained', 'lost', 'version_changed')),
    old_version text,
    new_version text,
    detail      text,
    created     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attune_capability_change_times_check CHECK (
            created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00'),
    CONSTRAINT attune_capability_change_size_check CHECK (
            octet_length(worker_name) + octet_length(worker_role) + octet_length(runtime_ref) + octet_length(name)
          + coalesce(octet_length(old_version), 0) + coalesce(octet_length(new_version), 0) + coalesce(octet_length(detail), 0) <= 1048576)
);
CREATE INDEX attune_capability_change_worker_idx ON {schema}.attune_capability_change (worker);
CREATE INDEX attune_capability_change_name_idx ON {schema}.attune_capability_change (worker_name, id);

-- One row, like worker_sweep in attune's own schemas.
CREATE TABLE {schema}.attune_worker_sweep (
    id        integer NOT NULL DEFAULT 1 CONSTRAINT attune_worker_sweep_pkey PRIMARY KEY
                      CONSTRAINT attune_worker_sweep_id_check CHECK (id = 1),
    swept     timestamptz NOT NULL,
    pruned    timestamptz NOT NULL,
    pruned_to bigint NOT NULL
);
INSERT INTO {schema}.attune_worker_sweep (id, swept, pruned, pruned_to) VALUES (1, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00', 0);

{version_key}

-- Documents are measured when they are written, as by worker_bound_documents in attune's own schemas.
CREATE FUNCTION {schema}.attune_bound_evidence() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    IF pg_catalog.octet_length(NEW.evidence::pg_catalog.text) OPERATOR(pg_catalog.>) 16777216 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'attune_worker_runtime: evidence has at most 16 MiB';
    END IF;
    RETURN NEW;
END
$attune$;
CREATE TRIGGER attune_bound_evidence BEFORE INSERT OR UPDATE OF evidence ON {schema}.attune_worker_runtime
    FOR EACH ROW EXECUTE FUNCTION {schema}.attune_bound_evidence();

-- A row whose outcome is set to '' is deleted, as by worker_runtime_delete in attune's own schemas.
CREATE FUNCTION {schema}.attune_worker_runtime_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.attune_worker_runtime$table$::regclass THEN
        RAISE EXCEPTION 'function attune_worker_runtime_delete does not work for %', TG_RELID::regclass;
    END IF;
    DELETE FROM {schema}.attune_worker_runtime WHERE id = NEW.id;
    RETURN NULL;
END
$attune$;
CREATE TRIGGER attune_worker_runtime_delete AFTER UPDATE OF outcome ON {schema}.attune_worker_runtime
    FOR EACH ROW WHEN (NEW.outcome = '') EXECUTE FUNCTION {schema}.attune_worker_runtime_delete();

-- The database sets the time of a heartbeat. Writing the instance is a heartbeat.
CREATE FUNCTION {schema}.attune_stamp_heartbeat() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    NEW.last_heartbeat := pg_catalog.statement_timestamp();
    RETURN NEW;
END
$attune$;
CREATE TRIGGER attune_stamp_first_heartbeat BEFORE INSERT ON {schema}.attune_worker_state
    FOR EACH ROW WHEN (NEW.instance IS NOT NULL AND NEW.last_heartbeat IS NULL)
    EXECUTE FUNCTION {schema}.attune_stamp_heartbeat();
CREATE TRIGGER attune_stamp_heartbeat BEFORE UPDATE OF instance ON {schema}.attune_worker_state
    FOR EACH ROW WHEN (NEW.instance IS NOT NULL AND NEW.last_heartbeat IS NOT DISTINCT FROM OLD.last_heartbeat)
    EXECUTE FUNCTION {schema}.attune_stamp_heartbeat();

-- Copies a worker's status to its rows. A worker that becomes attune's no longer declares runtimes.
CREATE FUNCTION {schema}.attune_worker_state_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.attune_worker_state$table$::regclass THEN
        RAISE EXCEPTION 'function attune_worker_state_follow does not work for %', TG_RELID::regclass;
    END IF;
    IF TG_OP = 'INSERT' THEN
        DELETE FROM {schema}.attune_worker_runtime WHERE worker = NEW.worker;
        DELETE FROM {schema}.attune_worker_label WHERE worker = NEW.worker;
        DELETE FROM {schema}.attune_worker_taint WHERE worker = NEW.worker;
    ELSE
        UPDATE {schema}.attune_worker_runtime SET active = NOT active
        WHERE worker = NEW.worker AND active <> (NEW.status = 'active') AND outcome = 'available';
    END IF;
    RETURN NULL;
END
$attune$;
CREATE TRIGGER attune_worker_state_insert AFTER INSERT ON {schema}.attune_worker_state
    FOR EACH ROW EXECUTE FUNCTION {schema}.attune_worker_state_follow();
CREATE TRIGGER attune_worker_state_status AFTER UPDATE OF status ON {schema}.attune_worker_state
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION {schema}.attune_worker_state_follow();

-- Writes a worker's own values to its row in worker, with the caller's rights and search_path, which
-- triggers of the platform may need. Sweeps do not call it, so a worker that stopped looks to the
-- platform like one of its own. The status is a literal, because the platform's column may be an enum
-- or text.
CREATE FUNCTION {schema}.attune_worker_mirror() RETURNS trigger LANGUAGE plpgsql AS $attune$
BEGIN
    EXECUTE pg_catalog.concat($update$UPDATE {schema}.worker SET last_heartbeat = $2, status = $update$, pg_catalog.quote_literal(NEW.status), ' WHERE id OPERATOR(pg_catalog.=) $1')
    USING NEW.worker, NEW.last_heartbeat;
    RETURN NULL;
END
$attune$;
CREATE TRIGGER attune_worker_mirror AFTER INSERT OR UPDATE OF instance, mirrored ON {schema}.attune_worker_state
    FOR EACH ROW WHEN (NEW.mirrored) EXECUTE FUNCTION {schema}.attune_worker_mirror();

-- Writes a heartbeat, like worker_heartbeat in attune's own schemas.
CREATE FUNCTION {schema}.attune_worker_heartbeat(worker_id bigint, worker_instance text) RETURNS timestamptz
LANGUAGE plpgsql AS $attune$
DECLARE
    asked timestamptz;
BEGIN
    UPDATE {schema}.attune_worker_state AS s SET instance = s.instance
    WHERE s.worker OPERATOR(pg_catalog.=) worker_id AND s.instance OPERATOR(pg_catalog.=) worker_instance
      AND s.status OPERATOR(pg_catalog.<>) 'inactive'
    RETURNING coalesce(s.refresh_requested, 'epoch') INTO asked;
    RETURN asked;
END
$attune$;

-- Works like sweep_workers in attune's own schemas. It never sweeps the platform's workers.
CREATE FUNCTION {schema}.attune_sweep_workers(every interval, at_most integer, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (id bigint, name text, worker_role text, host text, last_heartbeat timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    seen constant timestamptz := least(until, statement_timestamp());
BEGIN
    PERFORM FROM {schema}.attune_worker_sweep s
    WHERE s.swept <= statement_timestamp() - every OR s.swept > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE {schema}.attune_worker_sweep SET swept = statement_timestamp();
    RETURN QUERY
    WITH swept AS (
        UPDATE {schema}.attune_worker_state AS s SET status = 'inactive'
        WHERE s.worker IN (
            SELECT stale.worker FROM {schema}.attune_worker_state AS stale
            WHERE stale.status IN ('active', 'busy')
              AND stale.last_heartbeat <= seen - make_interval(secs => 3 * stale.heartbeat_interval::double precision)
              AND (since IS NULL OR since <= seen - make_interval(secs => 3 * stale.heartbeat_interval::double precision))
            ORDER BY stale.worker LIMIT at_most FOR UPDATE SKIP LOCKED)
        RETURNING s.worker, s.last_heartbeat)
    SELECT w.id::bigint, w.name::text, w.worker_role::text, w.host::text, greatest(swept.last_heartbeat, 'epoch')
    FROM swept JOIN {schema}.worker w ON w.id = swept.worker;
END
$attune$;

-- Works like prune_changes in attune's own schemas.
CREATE FUNCTION {schema}.attune_prune_changes(every interval, keep interval, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    before constant timestamptz := least(statement_timestamp() - keep, statement_timestamp() - interval '1 day');
    since  bigint;
    up_to  bigint;
    seen   bigint;
    gone   bigint;
BEGIN
    SELECT s.pruned_to INTO since FROM {schema}.attune_worker_sweep s
    WHERE s.pruned <= statement_timestamp() - every OR s.pruned > statement_timestamp() FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT count(*), max(old.id) INTO seen, up_to
    FROM (SELECT c.id, c.created FROM {schema}.attune_capability_change c WHERE c.id > since ORDER BY c.id LIMIT at_most) AS old
    WHERE old.created < before;
    DELETE FROM {schema}.attune_capability_change c
    WHERE c.id > since AND c.id <= up_to AND c.created < before
      AND (c.worker IS NULL OR EXISTS (
          SELECT 1 FROM {schema}.attune_capability_change newer
          WHERE newer.worker = c.worker AND newer.runtime_ref = c.runtime_ref AND newer.name = c.name AND newer.id > c.id));
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE {schema}.attune_worker_sweep SET pruned = statement_timestamp(), pruned_to = CASE WHEN seen < at_most THEN 0 ELSE up_to END;
    RETURN gone;
END
$attune$;

-- Writes what a worker of the platform declares: labels, taints, and each name in runtimes, in any case,
-- as the runtime that it means, once for each version. At most 1000 names, versions, labels and taints
-- count. Values of another shape are left out.
--
-- A name is a ref, else a definition's first alias, its name or the last part of its ref, else another
-- alias, else one of the core pack's names. The core pack takes precedence, then the order of the refs.
-- A row of runtime may lack all columns but id, ref and name.
CREATE FUNCTION {schema}.attune_declare_worker(worker_id bigint, document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    DELETE FROM {schema}.attune_worker_runtime WHERE worker = worker_id;
    DELETE FROM {schema}.attune_worker_label WHERE worker = worker_id;
    DELETE FROM {schema}.attune_worker_taint WHERE worker = worker_id;
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RETURN;
    END IF;

    INSERT INTO {schema}.attune_worker_label (worker, key, value)
    SELECT worker_id, l.key, l.value #>> '{}'
    FROM jsonb_each(CASE jsonb_typeof(document->'labels') WHEN 'object' THEN document->'labels' ELSE '{}' END) l
    WHERE jsonb_typeof(l.value) IN ('string', 'number', 'boolean') AND octet_length(l.key) + octet_length(l.value::text) <= 1024
    ORDER BY l.key COLLATE "C" LIMIT 1000;

    INSERT INTO {schema}.attune_worker_taint (worker, key, value, effect)
    SELECT worker_id, t.value->>'key', t.value->>'value', t.value->>'effect'
    FROM jsonb_array_elements(CASE jsonb_typeof(document->'taints') WHEN 'array' THEN document->'taints' ELSE '[]' END) t
    WHERE jsonb_typeof(t.value->'key') = 'string' AND t.value->>'effect' IN ('no_schedule', 'prefer_no_schedule')
      AND octet_length(t.value::text) <= 1024
    LIMIT 1000;

    WITH declared AS MATERIALIZED (
        SELECT lower(d.value #>> '{}') AS name, min(d.value #>> '{}') AS written
        FROM jsonb_array_elements(CASE jsonb_typeof(document->'runtimes') WHEN 'array' THEN document->'runtimes' ELSE '[]' END) d
        WHERE jsonb_typeof(d.value) = 'string' AND octet_length(d.value #>> '{}') BETWEEN 1 AND 255
        GROUP BY 1 ORDER BY 1 LIMIT 1000
    ), definition AS MATERIALIZED (
        SELECT r.id::bigint AS id, r.ref::text AS ref, lower(r.name::text) AS name, to_jsonb(r) AS line
        FROM {schema}.runtime r
    ), alias AS (
        SELECT d.id, lower(a.alias) AS alias, a.place
        FROM definition d LEFT JOIN {schema}.attune_runtime_state s ON s.runtime = d.id
        CROSS JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(coalesce(s.aliases, d.line->'aliases'))
            WHEN 'array' THEN coalesce(s.aliases, d.line->'aliases') ELSE '[]' END) WITH ORDINALITY a (alias, place)
    ), meaning AS (
        SELECT d.id, d.ref, m.name, m.rank
        FROM definition d CROSS JOIN LATERAL (
            SELECT d.ref, 0
            UNION ALL SELECT d.name, 1
            UNION ALL SELECT substring(d.ref FROM '[^.]+$'), 1
            UNION ALL SELECT a.alias, CASE a.place WHEN 1 THEN 1 ELSE 2 END FROM alias a WHERE a.id = d.id
            UNION ALL SELECT c.alias, 3 FROM (VALUES {core_names}) c (alias, ref) WHERE c.ref = d.ref) m (name, rank)
        WHERE d.line->>'retired_at' IS NULL
    ), resolved AS (
        SELECT DISTINCT ON (d.name) d.name, m.id, coalesce(m.ref, '') AS ref,
               coalesce((SELECT a.alias FROM alias a WHERE a.id = m.id AND a.place = 1), substring(m.ref FROM '[^.]+$'), d.name) AS shown
        FROM declared d LEFT JOIN meaning m ON m.name = d.name
        ORDER BY d.name, m.rank, m.ref NOT LIKE 'core.%', m.ref COLLATE "C"
    ), version AS (
        SELECT DISTINCT lower(v.key) AS name, e.value #>> '{}' AS raw
        FROM jsonb_each(CASE jsonb_typeof(document->'runtime_versions') WHEN 'object' THEN document->'runtime_versions' ELSE '{}' END) v
        CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(v.value) WHEN 'array' THEN v.value ELSE jsonb_build_array(v.value) END) e
        WHERE jsonb_typeof(e.value) IN ('string', 'number') AND octet_length(e.value::text) <= 258
        LIMIT 1000
    ), installation AS (
        SELECT r.id, r.ref, r.shown, coalesce(v.raw, '') AS raw, {schema}.attune_version_key(v.raw) AS key
        FROM resolved r LEFT JOIN version v ON v.name = r.name
    )
    INSERT INTO {schema}.attune_worker_runtime (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key)
    SELECT DISTINCT ON (i.ref, CASE i.ref WHEN '' THEN i.shown END, coalesce(i.key, i.raw))
           worker_id, i.id, i.ref, i.shown, true, 'available', 'declared',
           -- A key is numbers, each behind a letter for its length, and behind a hyphen the pre-release.
           coalesce(btrim(regexp_replace(substring(i.key FROM '^[^-]+'), 'Z[0-9]{3}|[A-Y]', '.', 'g'), '.')
               || coalesce('-' || translate(regexp_replace(substring(i.key FROM '-(.*)$'), 'Z[0-9]{3}|[A-Y]', '', 'g'), ',', '.'), ''), ''),
           i.raw, coalesce(strpos(i.key, '-') > 0, false), i.key
    FROM installation i
    ORDER BY i.ref, CASE i.ref WHEN '' THEN i.shown END, coalesce(i.key, i.raw), i.raw;
END
$attune$;

-- It never raises an error, because the platform must be able to write its rows.
CREATE FUNCTION {schema}.attune_worker_declares() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    IF TG_RELID <> $table${schema}.worker$table$::regclass THEN
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NEW.capabilities::text IS NOT DISTINCT FROM OLD.capabilities::text THEN -- json has no equality
            RETURN NULL;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM {schema}.attune_worker_state s WHERE s.worker = NEW.id) THEN
        PERFORM {schema}.attune_declare_worker(NEW.id, NEW.capabilities::text::jsonb);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'attune: read the capabilities of worker %: %', NEW.id, SQLERRM;
    RETURN NULL;
END
$attune$;
CREATE TRIGGER attune_worker_declares AFTER INSERT OR UPDATE OF capabilities ON {schema}.worker
    FOR EACH ROW EXECUTE FUNCTION {schema}.attune_worker_declares();

DO $attune$
BEGIN
    PERFORM {schema}.attune_declare_worker(w.id, w.capabilities::text::jsonb) FROM {schema}.worker w;
END
$attune$;

-- A function that is inlined into the query, instead of a query in the view, because a view would keep
-- the platform from changing the columns that it reads. Its operators are those of pg_catalog, regardless
-- of the caller's search_path.
CREATE FUNCTION {schema}.attune_available_runtime()
RETURNS TABLE (worker bigint, role text, ref text, name text, version text, key text, path text, prerelease boolean, worker_name text)
LANGUAGE sql STABLE AS $attune$
    SELECT r.worker, CAST(w.worker_role AS pg_catalog.text), r.runtime_ref, r.name,
           CASE WHEN r.version OPERATOR(pg_catalog.<>) '' THEN r.version END, r.sort_key,
           CASE WHEN r.path OPERATOR(pg_catalog.<>) '' THEN r.path END, r.prerelease, CAST(w.name AS pg_catalog.text)
    FROM {schema}.attune_worker_runtime r
    JOIN {schema}.worker w ON w.id OPERATOR(pg_catalog.=) r.worker
    LEFT JOIN {schema}.attune_worker_state s ON s.worker OPERATOR(pg_catalog.=) r.worker
    WHERE r.active AND r.outcome OPERATOR(pg_catalog.=) 'available'
      AND CASE WHEN s.worker IS NULL
          THEN CAST(w.status AS pg_catalog.text) OPERATOR(pg_catalog.=) 'active'
               AND w.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => 90))
          ELSE s.status OPERATOR(pg_catalog.=) 'active'
               AND s.last_heartbeat OPERATOR(pg_catalog.>) (pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-)
                   pg_catalog.make_interval(secs => 3 OPERATOR(pg_catalog.*) CAST(s.heartbeat_interval AS pg_catalog.float8))) END
$attune$;
CREATE VIEW {schema}.available_runtime AS SELECT * FROM {schema}.attune_available_runtime();

-- Go grants sweeping and pruning to the roles that may write worker.
REVOKE ALL ON FUNCTION {schema}.attune_bound_evidence(), {schema}.attune_worker_runtime_delete(), {schema}.attune_stamp_heartbeat(),
    {schema}.attune_worker_state_follow(), {schema}.attune_worker_mirror(), {schema}.attune_declare_worker(bigint, jsonb), {schema}.attune_worker_declares(),
    {schema}.attune_sweep_workers(interval, integer, timestamptz, timestamptz),
    {schema}.attune_prune_changes(interval, interval, integer) FROM PUBLIC;
