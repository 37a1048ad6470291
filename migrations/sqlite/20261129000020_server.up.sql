-- requires: 0.1.0
-- What `attune serve` keeps: its tokens, the sessions of its page, and the audit of what it changed on
-- behalf of others.

CREATE TABLE main.attune_token (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL CHECK (name <> '' AND length(CAST(name AS BLOB)) <= 255),
    secret    TEXT NOT NULL CHECK (length(CAST(secret AS BLOB)) = 64),
    scope     TEXT NOT NULL CHECK (scope IN ('read', 'operate')),
    expires   TIMESTAMP,
    revoked   TIMESTAMP,
    last_used TIMESTAMP,
    created   TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))
);

CREATE TABLE main.attune_session (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    secret  TEXT NOT NULL UNIQUE,
    token   INTEGER NOT NULL REFERENCES attune_token (id) ON DELETE CASCADE,
    expires TIMESTAMP NOT NULL,
    created TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))
);
CREATE INDEX main.attune_session_token_idx ON attune_session (token);

CREATE TABLE main.attune_audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    principal TEXT NOT NULL,
    operation TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT CHECK (json_valid(detail)),
    created   TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))
);
CREATE INDEX main.attune_audit_subject_idx ON attune_audit (subject, id);
