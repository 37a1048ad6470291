-- requires: 0.1.0
-- What operators say about workers, of attune and of the platform. The file for Postgres has the
-- reasons. Where the platform's table has the column cordoned, cordons are written there. Rows of
-- attune_worker_cordon from before count as well.
CREATE TABLE {schema}.attune_worker_cordon (
    worker     bigint CONSTRAINT attune_worker_cordon_pkey PRIMARY KEY
                      CONSTRAINT attune_worker_cordon_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    reason     text CONSTRAINT attune_worker_cordon_reason_check CHECK (char_length(reason) BETWEEN 1 AND 1024),
    created_by text DEFAULT session_user,
    created    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attune_worker_cordon_times_check CHECK (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
);
CREATE TABLE {schema}.attune_worker_operator_taint (
    worker     bigint NOT NULL CONSTRAINT attune_worker_operator_taint_worker_fkey REFERENCES {schema}.worker (id) ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL CONSTRAINT attune_worker_operator_taint_key_check CHECK (key <> ''),
    value      text COLLATE "C" NOT NULL DEFAULT '',
    effect     text NOT NULL CONSTRAINT attune_worker_operator_taint_effect_check CHECK (effect IN ('no_schedule', 'prefer_no_schedule')),
    created_by text DEFAULT session_user,
    created    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attune_worker_operator_taint_pkey PRIMARY KEY (worker, key, effect),
    CONSTRAINT attune_worker_operator_taint_size_check CHECK (octet_length(key) + octet_length(value) <= 1024),
    CONSTRAINT attune_worker_operator_taint_times_check CHECK (created >= '0001-01-03 00:00:00+00' AND created < '9999-12-30 00:00:00+00')
);
