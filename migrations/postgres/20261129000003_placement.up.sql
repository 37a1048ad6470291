-- requires: 0.1.0
-- What operators say about workers. Registration, reports and heartbeats write neither of these tables.
-- A role that may insert rows needs no right to created_by and created: the database knows who it is.
CREATE TABLE {schema}.worker_cordon (
    worker     bigint CONSTRAINT worker_cordon_pkey PRIMARY KEY
                      CONSTRAINT worker_cordon_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    reason     text CONSTRAINT worker_cordon_reason_check CHECK (char_length(reason) BETWEEN 1 AND 1024),
    created_by text DEFAULT session_user,
    created    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT worker_cordon_times_check CHECK (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
);
CREATE TABLE {schema}.worker_operator_taint (
    worker     bigint NOT NULL CONSTRAINT worker_operator_taint_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL CONSTRAINT worker_operator_taint_key_check CHECK (key <> ''),
    value      text COLLATE "C" NOT NULL DEFAULT '',
    effect     text NOT NULL CONSTRAINT worker_operator_taint_effect_check CHECK (effect IN ('no_schedule', 'prefer_no_schedule')),
    created_by text DEFAULT session_user,
    created    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT worker_operator_taint_pkey PRIMARY KEY (worker, key, effect),
    CONSTRAINT worker_operator_taint_size_check CHECK (octet_length(key) + octet_length(value) <= 1024),
    CONSTRAINT worker_operator_taint_times_check CHECK (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
);

-- What actions and sensors need of a worker, besides their runtime and its versions. Guards check the
-- documents. A database that a former release adopted can have columns of the platform's with these
-- names, which stay as they are. The comments tell which ones attune added.
DO $attune$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT t.name AS relation, c.name, c.empty
        FROM (VALUES ('action'), ('sensor')) t (name),
             (VALUES ('required_worker_runtimes', '{}'), ('worker_selector', '{}'), ('worker_tolerations', '[]'), ('worker_affinity', '{}')) c (name, empty)
        WHERE NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
                          WHERE r.relnamespace = $schema${schema}$schema$::regnamespace AND r.relname = t.name AND a.attname = c.name)
    LOOP
        EXECUTE format('ALTER TABLE %s.%I ADD COLUMN %I jsonb NOT NULL DEFAULT %L', $schema${schema}$schema$, wanted.relation, wanted.name, wanted.empty);
        EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L', $schema${schema}$schema$, wanted.relation, wanted.name, 'attune');
    END LOOP;
END
$attune$;
