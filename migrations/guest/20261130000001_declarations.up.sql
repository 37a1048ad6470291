-- requires: 0.1.0
-- A name that a worker of the platform declares may mean another runtime when the platform changes its
-- definitions. attune_declare_workers finds these workers and writes their rows again, some at a time, beside
-- sweeps. The platform's own statements do nothing more than before.

-- One row. A round reads all workers of the platform in the order of their ids. mark is the number of changes
-- of definitions that were looked at, names a digest of all names with what they mean, and up_to the last
-- worker that the round has read, or NULL between rounds. The next round begins when a name means another
-- runtime, or when it is due: a minute later for transactions that wrote capabilities meanwhile, else after an
-- hour for what the trigger could not write.
CREATE TABLE {schema}.attune_declaration_round (
    id    integer NOT NULL DEFAULT 1 CONSTRAINT attune_declaration_round_pkey PRIMARY KEY
                  CONSTRAINT attune_declaration_round_id_check CHECK (id = 1),
    mark  text NOT NULL DEFAULT '',
    names text NOT NULL DEFAULT '',
    up_to bigint,
    due   timestamptz NOT NULL DEFAULT 'epoch'
);
INSERT INTO {schema}.attune_declaration_round DEFAULT VALUES;

-- Returns some of the names that mean a runtime, in lower case, or all of them without a list. A name is a
-- ref, else a definition's first alias, its name or the last part of its ref, else another alias, else one of
-- the core pack's names. The core pack takes precedence, then the order of the refs. A row of runtime may lack
-- all columns but id, ref and name. shown is the name for people.
CREATE FUNCTION {schema}.attune_runtime_names(wanted text[]) RETURNS TABLE (name text, id bigint, ref text, shown text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
    WITH definition AS MATERIALIZED (
        SELECT r.id::bigint AS id, r.ref::text AS ref, lower(r.name::text) AS name, to_jsonb(r) AS line, s.aliases
        FROM {schema}.runtime r LEFT JOIN {schema}.attune_runtime_state s ON s.runtime = r.id
    ), aliased AS MATERIALIZED (
        SELECT d.id, d.ref, d.name,
               CASE jsonb_typeof(coalesce(d.aliases, d.line->'aliases')) WHEN 'array' THEN coalesce(d.aliases, d.line->'aliases') ELSE '[]' END AS aliases
        FROM definition d WHERE d.line->>'retired_at' IS NULL
    )
    SELECT DISTINCT ON (m.name) m.name, d.id, d.ref, coalesce(lower(d.aliases->>0), substring(d.ref FROM '[^.]+$'), m.name)
    FROM aliased d CROSS JOIN LATERAL (
        SELECT d.ref, 0
        UNION ALL SELECT d.name, 1
        UNION ALL SELECT substring(d.ref FROM '[^.]+$'), 1
        UNION ALL SELECT lower(a.alias), CASE a.place WHEN 1 THEN 1 ELSE 2 END FROM jsonb_array_elements_text(d.aliases) WITH ORDINALITY a (alias, place)
        UNION ALL SELECT c.alias, 3 FROM (VALUES {core_names}) c (alias, ref) WHERE c.ref = d.ref) m (name, rank)
    WHERE wanted IS NULL OR m.name = ANY (wanted)
    ORDER BY m.name, m.rank, d.ref NOT LIKE 'core.%', d.ref COLLATE "C"
$attune$;

-- Returns the names that a worker declares, in lower case.
CREATE FUNCTION {schema}.attune_declared_names(document jsonb) RETURNS TABLE (name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
    SELECT lower(d.value #>> '{}')
    FROM jsonb_array_elements(CASE jsonb_typeof(document->'runtimes') WHEN 'array' THEN document->'runtimes' ELSE '[]' END) d
    WHERE jsonb_typeof(d.value) = 'string' AND octet_length(d.value #>> '{}') BETWEEN 1 AND 255
    GROUP BY 1 ORDER BY 1 LIMIT 1000
$attune$;

-- Writes the runtimes that workers of the platform declare: each name as the runtime that it means, once for
-- each version. If one of two names for a runtime has a version, the other one says nothing more.
CREATE FUNCTION {schema}.attune_declare_runtimes(workers bigint[], documents jsonb[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    DELETE FROM {schema}.attune_worker_runtime WHERE worker = ANY (workers);
    WITH given AS MATERIALIZED (
        SELECT g.worker, g.document FROM unnest(workers, documents) g (worker, document)
    ), declared AS MATERIALIZED (
        SELECT g.worker, d.name FROM given g CROSS JOIN LATERAL {schema}.attune_declared_names(g.document) d
    ), resolved AS (
        SELECT d.worker, d.name, m.id, coalesce(m.ref, '') AS ref, coalesce(m.shown, d.name) AS shown
        FROM declared d LEFT JOIN {schema}.attune_runtime_names(ARRAY(SELECT DISTINCT n.name FROM declared n)) m ON m.name = d.name
    ), version AS (
        SELECT g.worker, v.name, v.raw
        FROM given g CROSS JOIN LATERAL (
            SELECT DISTINCT lower(v.key) AS name, e.value #>> '{}' AS raw
            FROM jsonb_each(CASE jsonb_typeof(g.document->'runtime_versions') WHEN 'object' THEN g.document->'runtime_versions' ELSE '{}' END) v
            CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(v.value) WHEN 'array' THEN v.value ELSE jsonb_build_array(v.value) END) e
            WHERE jsonb_typeof(e.value) IN ('string', 'number') AND octet_length(e.value::text) <= 258
            LIMIT 1000) v
    ), installation AS (
        SELECT r.worker, r.id, r.ref, r.shown, coalesce(v.raw, '') AS raw, {schema}.attune_version_key(v.raw) AS key,
               bool_or(v.raw <> '') OVER (PARTITION BY r.worker, r.ref) AS versioned
        FROM resolved r LEFT JOIN version v ON v.worker = r.worker AND v.name = r.name
    )
    INSERT INTO {schema}.attune_worker_runtime (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw, prerelease, sort_key)
    SELECT DISTINCT ON (i.worker, i.ref, CASE i.ref WHEN '' THEN i.shown END, coalesce(i.key, i.raw))
           i.worker, i.id, i.ref, i.shown, true, 'available', 'declared',
           -- A key is numbers, each behind a letter for its length, and behind a hyphen the pre-release.
           coalesce(btrim(regexp_replace(substring(i.key FROM '^[^-]+'), 'Z[0-9]{3}|[A-Y]', '.', 'g'), '.')
               || coalesce('-' || translate(regexp_replace(substring(i.key FROM '-(.*)$'), 'Z[0-9]{3}|[A-Y]', '', 'g'), ',', '.'), ''), ''),
           i.raw, coalesce(strpos(i.key, '-') > 0, false), i.key
    FROM installation i
    WHERE i.ref = '' OR i.raw <> '' OR i.versioned IS NOT TRUE
    ORDER BY i.worker, i.ref, CASE i.ref WHEN '' THEN i.shown END, coalesce(i.key, i.raw), i.raw;
END
$attune$;

CREATE OR REPLACE FUNCTION {schema}.attune_declare_worker(worker_id bigint, document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
BEGIN
    PERFORM {schema}.attune_copy_labels(worker_id, document);
    PERFORM {schema}.attune_declare_runtimes(ARRAY[worker_id], ARRAY[document]);
END
$attune$;

-- Goes on with a round, or begins one if a name means another runtime. It reads at_most workers, writes the rows
-- of those whose names mean another runtime, at most a hundred, and returns whether there may be more. A worker
-- that the platform is writing is left to its own trigger. The platform waits for the locks on the others until
-- the end of the transaction.
CREATE FUNCTION {schema}.attune_declare_workers(at_most integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $attune$
DECLARE
    counted   text;
    this      {schema}.attune_declaration_round;
    digest    text;
    chunk     bigint[];
    different bigint[];
    locked    bigint[];
    documents jsonb[];
BEGIN
    SELECT concat(count(*), '+', sum(m.changes)) INTO counted FROM {schema}.attune_definition_mark m;
    PERFORM FROM {schema}.attune_declaration_round r
    WHERE r.up_to IS NOT NULL OR r.mark <> counted OR r.due <= statement_timestamp();
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT r.* INTO this FROM {schema}.attune_declaration_round r FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF this.mark <> counted OR this.up_to IS NULL AND this.due <= statement_timestamp() THEN
        SELECT coalesce(md5(string_agg(concat_ws(' ', n.name, n.id, n.ref, n.shown), E'\n' ORDER BY n.name COLLATE "C")), '') INTO digest
        FROM {schema}.attune_runtime_names(NULL) n;
        IF digest <> this.names THEN
            this.up_to := 0;
            this.due := statement_timestamp() + interval '1 minute';
        ELSIF this.up_to IS NULL AND this.due <= statement_timestamp() THEN
            this.up_to := 0;
            this.due := statement_timestamp() + interval '1 hour';
        END IF;
        this.mark := counted;
        this.names := digest;
    END IF;

    IF this.up_to IS NOT NULL THEN
        chunk := ARRAY(SELECT w.id::bigint FROM {schema}.worker w WHERE w.id > this.up_to ORDER BY w.id LIMIT at_most);
        WITH given AS MATERIALIZED (
            SELECT w.id::bigint AS worker, w.capabilities::text::jsonb AS document FROM {schema}.worker w
            WHERE w.id = ANY (chunk) AND NOT EXISTS (SELECT FROM {schema}.attune_worker_state s WHERE s.worker = w.id)
        ), declared AS MATERIALIZED (
            SELECT g.worker, d.name FROM given g CROSS JOIN LATERAL {schema}.attune_declared_names(g.document) d
        ), meaning AS (
            SELECT d.worker, string_agg(DISTINCT concat_ws(' ', coalesce(m.id, 0), m.ref, coalesce(m.shown, d.name)), E'\n') AS names
            FROM declared d LEFT JOIN {schema}.attune_runtime_names(ARRAY(SELECT DISTINCT n.name FROM declared n)) m ON m.name = d.name
            GROUP BY d.worker
        ), stored AS (
            SELECT r.worker, string_agg(DISTINCT concat_ws(' ', coalesce(r.runtime, 0), nullif(r.runtime_ref, ''), r.name), E'\n') AS names
            FROM {schema}.attune_worker_runtime r WHERE r.worker = ANY (chunk) GROUP BY r.worker
        )
        SELECT array_agg(d.worker) INTO different FROM (
            SELECT g.worker FROM given g LEFT JOIN meaning m ON m.worker = g.worker LEFT JOIN stored s ON s.worker = g.worker
            WHERE m.names IS DISTINCT FROM s.names ORDER BY g.worker LIMIT 100) d;
        IF different IS NOT NULL THEN
            SELECT array_agg(w.worker), array_agg(w.document) INTO locked, documents FROM (
                SELECT w.id::bigint AS worker, w.capabilities::text::jsonb AS document FROM {schema}.worker w
                WHERE w.id = ANY (different) ORDER BY w.id FOR NO KEY UPDATE SKIP LOCKED) w
            WHERE NOT EXISTS (SELECT FROM {schema}.attune_worker_state s WHERE s.worker = w.worker);
            PERFORM {schema}.attune_declare_runtimes(locked, documents);
        END IF;
        this.up_to := CASE WHEN cardinality(different) = 100 THEN different[100] WHEN cardinality(chunk) = at_most THEN chunk[at_most] END;
    END IF;
    UPDATE {schema}.attune_declaration_round r SET mark = this.mark, names = this.names, up_to = this.up_to, due = this.due;
    RETURN this.up_to IS NOT NULL;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$attune$;
REVOKE ALL ON FUNCTION {schema}.attune_runtime_names(text[]), {schema}.attune_declared_names(jsonb),
    {schema}.attune_declare_runtimes(bigint[], jsonb[]), {schema}.attune_declare_workers(integer) FROM PUBLIC;

-- A session keeps the plan of a function: see 20261129000011_lookups. A round waits less for a lock than
-- deadlock_timeout, so that the platform's transactions never end in a deadlock.
ALTER FUNCTION {schema}.attune_declare_runtimes(bigint[], jsonb[]) SET enable_seqscan = off;
ALTER FUNCTION {schema}.attune_declare_workers(integer) SET enable_seqscan = off;
ALTER FUNCTION {schema}.attune_declare_workers(integer) SET lock_timeout = 100;
