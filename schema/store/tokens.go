package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Tokens is the repository of the tokens of the HTTP API.
type Tokens struct{ table[schema.Token] }

// A TokenState is a token with its state at the time of the query.
type TokenState struct {
	schema.Token
	// Valid reports whether the token is neither revoked nor expired, by the database's clock.
	Valid bool
}

// Create adds a token that is valid for a time, or without an end if it is 0. secret is the SHA-256
// of what the client keeps, in hexadecimal. Errors: ErrInvalid.
func (t *Tokens) Create(ctx context.Context, name, secret, scope string, valid time.Duration) (*schema.Token, error) {
	if !storable(name) {
		return nil, t.fail("insert", name, ErrInvalid)
	}
	var expires any = bun.Safe("NULL")
	if valid > 0 {
		expires = t.later(valid)
	}
	row := new(schema.Token)
	err := t.db.NewRaw("INSERT INTO ? (name, secret, scope, expires) VALUES (?, ?, ?, ?) RETURNING ?",
		t.of(t.name), name, secret, scope, expires, t.columns()).Scan(ctx, row)
	if err != nil {
		return nil, t.fail("insert", name, err)
	}
	utc(row)
	return row, nil
}

// Get returns a token. Errors: ErrNotFound.
func (t *Tokens) Get(ctx context.Context, id int64) (*TokenState, error) {
	found, err := t.states(ctx, bun.SafeQuery("attune_token.id = ?", id))
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, t.fail("get", id, err)
	}
	return &found[0], nil
}

// Some returns the tokens with some IDs that exist, ordered by ID.
func (t *Tokens) Some(ctx context.Context, ids ...int64) ([]TokenState, error) {
	if len(ids) == 0 {
		return []TokenState{}, nil
	}
	found, err := t.states(ctx, bun.SafeQuery("attune_token.id IN (?)", bun.List(ids)))
	if err != nil {
		return nil, fmt.Errorf("get tokens: %w", t.classify("get", err))
	}
	return found, nil
}

// List returns all tokens, ordered by ID.
func (t *Tokens) List(ctx context.Context) ([]TokenState, error) {
	found, err := t.states(ctx, bun.Safe("true"))
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", t.classify("find", err))
	}
	return found, nil
}

func (t *Tokens) states(ctx context.Context, condition any) ([]TokenState, error) {
	found := []TokenState{}
	err := t.db.NewRaw("SELECT ? FROM ? AS attune_token WHERE ? ORDER BY attune_token.id",
		t.state(), t.rows(t.name), condition).Scan(ctx, &found)
	for i := range found {
		utc(&found[i].Token)
	}
	return found, err
}

// state returns the columns of a TokenState.
func (t *Tokens) state() any {
	return bun.SafeQuery("?, attune_token.revoked IS NULL AND (attune_token.expires IS NULL OR attune_token.expires > ?) AS valid",
		t.qualifiedColumns(), t.clock())
}

// OfSessions returns the tokens of sessions, by the secrets of the sessions. It leaves out sessions that do not exist or have
// expired. A session may be used while its token is valid.
func (t *Tokens) OfSessions(ctx context.Context, secrets ...string) (map[string]TokenState, error) {
	tokens := map[string]TokenState{}
	if len(secrets) == 0 {
		return tokens, nil
	}
	found := []struct {
		Session string
		TokenState
	}{}
	err := t.db.NewRaw(`SELECT attune_session.secret AS session, ? FROM ? AS attune_session JOIN ? AS attune_token ON attune_token.id = attune_session.token
		WHERE attune_session.secret IN (?) AND attune_session.expires > ?`,
		t.state(), t.rows("attune_session"), t.rows(t.name), bun.List(secrets), t.clock()).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("get tokens of sessions: %w", t.classify("get", err))
	}
	for i := range found {
		utc(&found[i].Token)
		tokens[found[i].Session] = found[i].TokenState
	}
	return tokens, nil
}

// MarkUsed writes that tokens are used now, unless it was written within the last minute.
func (t *Tokens) MarkUsed(ctx context.Context, ids ...int64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := t.db.NewRaw("UPDATE ? SET last_used = ? WHERE id IN (?) AND (last_used IS NULL OR last_used < ?)",
		t.of(t.name), t.clock(), bun.List(ids), t.ago(time.Minute)).Exec(ctx)
	return t.fail("use", ids[0], err)
}

// ErrRevoked means that a token was revoked before.
var ErrRevoked = errors.New("already revoked")

// Revoke ends a token. Errors: ErrNotFound, ErrRevoked.
func (t *Tokens) Revoke(ctx context.Context, id int64) error {
	result, err := t.db.NewRaw("UPDATE ? SET revoked = ? WHERE id = ? AND revoked IS NULL", t.of(t.name), t.clock(), id).Exec(ctx)
	if err != nil {
		return t.fail("revoke", id, err)
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		if _, err = t.Get(ctx, id); err == nil {
			err = ErrRevoked
		}
	}
	return t.fail("revoke", id, err)
}

// later returns the time of clock plus a duration.
func (d dialect) later(while time.Duration) any {
	if d.postgres {
		return bun.SafeQuery("pg_catalog.statement_timestamp() + ?", d.interval(while))
	}
	return bun.SafeQuery("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("+%.3f seconds", while.Seconds()))
}

// Audits is the repository of what the HTTP API changed.
type Audits struct{ table[schema.Audit] }

// Add adds a row and sets its ID and its time.
func (a *Audits) Add(ctx context.Context, row *schema.Audit) error {
	return a.fail("insert", row.Operation, a.insert(ctx, row))
}

// List returns the newest rows, newest first. Zero returns all.
func (a *Audits) List(ctx context.Context, limit int) ([]schema.Audit, error) {
	return a.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if limit > 0 {
			q = q.Limit(int64(limit))
		}
		return q.OrderExpr("attune_audit.id DESC")
	})
}
