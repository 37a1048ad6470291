-- requires: 0.1.0
-- What `attune serve` keeps: its tokens, the sessions of its page, and the audit of what it changed on
-- behalf of others. Only the owner may use these tables until docs/roles.sql grants them: a role that
-- reads workers must not read the tokens.

-- id stands in the token in plain text. secret is the SHA-256 of the rest in hexadecimal.
CREATE TABLE {schema}.attune_token (
    id        bigserial CONSTRAINT attune_token_pkey PRIMARY KEY,
    name      text NOT NULL CONSTRAINT attune_token_name_check CHECK (name <> '' AND octet_length(name) <= 255),
    secret    text NOT NULL CONSTRAINT attune_token_secret_check CHECK (octet_length(secret) = 64),
    scope     text NOT NULL CONSTRAINT attune_token_scope_check CHECK (scope IN ('read', 'operate')),
    expires   timestamptz,
    revoked   timestamptz,
    last_used timestamptz,
    created   timestamptz NOT NULL DEFAULT now()
);

-- secret is the SHA-256 of the cookie in hexadecimal.
CREATE TABLE {schema}.attune_session (
    id      bigserial CONSTRAINT attune_session_pkey PRIMARY KEY,
    secret  text NOT NULL CONSTRAINT attune_session_secret_key UNIQUE,
    token   bigint NOT NULL CONSTRAINT attune_session_token_fkey REFERENCES {schema}.attune_token (id) ON DELETE CASCADE,
    expires timestamptz NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attune_session_token_idx ON {schema}.attune_session (token);

-- principal is the name of a token, or a user of the platform that mounts the API. It refers to
-- nothing, so that a row outlives what it is about.
CREATE TABLE {schema}.attune_audit (
    id        bigserial CONSTRAINT attune_audit_pkey PRIMARY KEY,
    principal text NOT NULL,
    operation text NOT NULL,
    subject   text NOT NULL,
    detail    jsonb,
    created   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attune_audit_subject_idx ON {schema}.attune_audit (subject, id);
