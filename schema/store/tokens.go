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
	err := t.db.NewRaw(`SELECT ?, revoked IS NULL AND (expires IS NULL OR expires > ?) AS valid FROM ? AS attune_token
		WHERE ? ORDER BY attune_token.id`,
		t.qualifiedColumns(), t.clock(), t.rows(t.name), condition).Scan(ctx, &found)
	for i := range found {
		utc(&found[i].Token)
	}
	return found, err
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
