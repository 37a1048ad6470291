-- requires: 0.1.0
-- The legacy schema of databases that other migrations made. New databases begin with it too, so
-- that every database has the same history. {schema} stands for the quoted name of the schema.

CREATE TYPE {schema}.runtime_type_enum AS ENUM ('action', 'sensor');
CREATE TYPE {schema}.worker_type_enum AS ENUM ('local', 'remote', 'container');
CREATE TYPE {schema}.worker_status_enum AS ENUM ('active', 'inactive', 'busy', 'error');
CREATE TYPE {schema}.worker_role_enum AS ENUM ('action', 'sensor', 'hybrid');

CREATE TABLE {schema}.pack (
    id           bigserial PRIMARY KEY,
    ref          text NOT NULL CONSTRAINT pack_ref_key UNIQUE,
    label        text NOT NULL,
    description  text,
    version      text NOT NULL,
    conf_schema  jsonb NOT NULL DEFAULT '{}',
    config       jsonb NOT NULL DEFAULT '{}',
    meta         jsonb NOT NULL DEFAULT '{}',
    tags         text[] NOT NULL DEFAULT '{}',
    runtime_deps text[] NOT NULL DEFAULT '{}',
    is_standard  boolean NOT NULL DEFAULT false,
    created      timestamptz NOT NULL DEFAULT now(),
    updated      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {schema}.runtime (
    id            bigserial PRIMARY KEY,
    ref           text NOT NULL CONSTRAINT runtime_ref_key UNIQUE,
    pack          bigint CONSTRAINT runtime_pack_fkey REFERENCES {schema}.pack (id) ON DELETE CASCADE,
    pack_ref      text,
    description   text,
    runtime_type  {schema}.runtime_type_enum NOT NULL,
    name          text NOT NULL,
    distributions jsonb NOT NULL,
    installation  jsonb,
    created       timestamptz NOT NULL DEFAULT now(),
    updated       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT runtime_ref_lowercase CHECK (ref = lower(ref)),
    CONSTRAINT runtime_ref_format CHECK (ref ~ '^[^.]+[.](action|sensor)[.][^.]+$')
);

CREATE INDEX idx_runtime_ref ON {schema}.runtime (ref);
CREATE INDEX idx_runtime_pack ON {schema}.runtime (pack);
CREATE INDEX idx_runtime_created ON {schema}.runtime (created DESC);
CREATE INDEX idx_runtime_type ON {schema}.runtime (runtime_type);
CREATE INDEX idx_runtime_pack_type ON {schema}.runtime (pack, runtime_type);
CREATE INDEX idx_runtime_type_created ON {schema}.runtime (runtime_type, created DESC);
CREATE INDEX idx_runtime_type_sensor ON {schema}.runtime (runtime_type) WHERE runtime_type = 'sensor';

CREATE TABLE {schema}.action (
    id           bigserial PRIMARY KEY,
    ref          text NOT NULL CONSTRAINT action_ref_key UNIQUE,
    pack         bigint NOT NULL CONSTRAINT action_pack_fkey REFERENCES {schema}.pack (id) ON DELETE CASCADE,
    pack_ref     text NOT NULL,
    label        text NOT NULL,
    description  text,
    entrypoint   text NOT NULL,
    runtime      bigint CONSTRAINT action_runtime_fkey REFERENCES {schema}.runtime (id),
    param_schema jsonb,
    out_schema   jsonb,
    created      timestamptz NOT NULL DEFAULT now(),
    updated      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_action_pack ON {schema}.action (pack);
CREATE INDEX idx_action_runtime ON {schema}.action (runtime);

CREATE TABLE {schema}.sensor (
    id           bigserial PRIMARY KEY,
    ref          text NOT NULL CONSTRAINT sensor_ref_key UNIQUE,
    pack         bigint CONSTRAINT sensor_pack_fkey REFERENCES {schema}.pack (id) ON DELETE CASCADE,
    pack_ref     text,
    label        text NOT NULL,
    description  text,
    entrypoint   text NOT NULL,
    runtime      bigint NOT NULL CONSTRAINT sensor_runtime_fkey REFERENCES {schema}.runtime (id) ON DELETE CASCADE,
    runtime_ref  text NOT NULL,
    enabled      boolean NOT NULL DEFAULT true,
    param_schema jsonb,
    config       jsonb,
    created      timestamptz NOT NULL DEFAULT now(),
    updated      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_sensor_pack ON {schema}.sensor (pack);
CREATE INDEX idx_sensor_runtime ON {schema}.sensor (runtime);

CREATE TABLE {schema}.worker (
    id             bigserial PRIMARY KEY,
    name           text NOT NULL,
    worker_type    {schema}.worker_type_enum NOT NULL,
    worker_role    {schema}.worker_role_enum NOT NULL DEFAULT 'action',
    runtime        bigint CONSTRAINT worker_runtime_fkey REFERENCES {schema}.runtime (id),
    host           text,
    port           integer,
    status         {schema}.worker_status_enum DEFAULT 'inactive',
    capabilities   jsonb,
    meta           jsonb,
    last_heartbeat timestamptz,
    created        timestamptz NOT NULL DEFAULT now(),
    updated        timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_worker_name ON {schema}.worker (name);
CREATE INDEX idx_worker_runtime ON {schema}.worker (runtime);
