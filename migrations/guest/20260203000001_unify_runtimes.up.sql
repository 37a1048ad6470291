-- requires: 0.1.0
-- What attune stores about runtimes, actions and sensors in addition to the tables of a platform that
-- has unified them itself. The platform's tables stay as they are.

-- The values of an attune pack's runtime for which the platform's table has no suitable column.
CREATE TABLE {schema}.attune_runtime_state (
    runtime          bigint CONSTRAINT attune_runtime_state_pkey PRIMARY KEY
                            CONSTRAINT attune_runtime_state_runtime_fkey REFERENCES {schema}.runtime (id) ON DELETE CASCADE,
    aliases          jsonb NOT NULL DEFAULT '[]',
    execution_config jsonb NOT NULL DEFAULT '{}',
    digest           text
);

-- The versions in such a pack. Those in a platform's own runtime_version are read as well, and never
-- written.
CREATE TABLE {schema}.attune_runtime_version (
    id               bigserial CONSTRAINT attune_runtime_version_pkey PRIMARY KEY,
    runtime          bigint NOT NULL
                            CONSTRAINT attune_runtime_version_runtime_fkey REFERENCES {schema}.runtime (id) ON DELETE CASCADE,
    version          text NOT NULL,
    sort_key         text COLLATE "C" NOT NULL,
    is_default       boolean NOT NULL DEFAULT false,
    distributions    jsonb NOT NULL DEFAULT '{}',
    execution_config jsonb NOT NULL DEFAULT '{}',
    meta             jsonb NOT NULL DEFAULT '{}',
    created          timestamptz NOT NULL DEFAULT now(),
    updated          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attune_runtime_version_runtime_version_key UNIQUE (runtime, version)
);

-- What an action or a sensor needs of a host if the platform's table has no column for it. The columns
-- have the names that later shapes of the platform use.
CREATE TABLE {schema}.attune_requirement (
    id                         bigserial CONSTRAINT attune_requirement_pkey PRIMARY KEY,
    action                     bigint CONSTRAINT attune_requirement_action_key UNIQUE
                                      CONSTRAINT attune_requirement_action_fkey REFERENCES {schema}.action (id) ON DELETE CASCADE,
    sensor                     bigint CONSTRAINT attune_requirement_sensor_key UNIQUE
                                      CONSTRAINT attune_requirement_sensor_fkey REFERENCES {schema}.sensor (id) ON DELETE CASCADE,
    runtime_version_constraint text,
    required_worker_runtimes   jsonb NOT NULL DEFAULT '{}',
    worker_selector            jsonb NOT NULL DEFAULT '{}',
    worker_tolerations         jsonb NOT NULL DEFAULT '[]',
    worker_affinity            jsonb NOT NULL DEFAULT '{}',
    created                    timestamptz NOT NULL DEFAULT now(),
    updated                    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attune_requirement_owner_check CHECK (num_nonnulls(action, sensor) = 1)
);
