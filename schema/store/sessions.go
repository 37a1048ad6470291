package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// maxSessions is the number of sessions that a token may have. Older ones end.
const maxSessions = 100

// Sessions is the repository of the sessions of the page.
type Sessions struct{ table[schema.Session] }

// Create adds a session of a token that is valid for a time, and deletes sessions that have ended. secret
// is the SHA-256 of what the client keeps, in hexadecimal. If the token has too many sessions, the oldest
// ones end.
func (s *Sessions) Create(ctx context.Context, secret string, token int64, valid time.Duration) (*schema.Session, error) {
	row := new(schema.Session)
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		newest := bun.SafeQuery("SELECT s.id FROM ? AS s WHERE s.token = ? ORDER BY s.id DESC LIMIT ?", s.of(s.name), token, maxSessions-1)
		_, err := tx.NewRaw("DELETE FROM ? WHERE expires <= ? OR token = ? AND id NOT IN (?)",
			s.of(s.name), s.clock(), token, newest).Exec(ctx)
		if err != nil {
			return err
		}
		return tx.NewRaw("INSERT INTO ? (secret, token, expires) VALUES (?, ?, ?) RETURNING ?",
			s.of(s.name), secret, token, s.later(valid), s.columns()).Scan(ctx, row)
	})
	if err != nil {
		return nil, s.fail("insert", token, err)
	}
	utc(row)
	return row, nil
}

// Get returns the session with a secret, until it expires. The session may be used while its token is
// valid. Errors: ErrNotFound.
func (s *Sessions) Get(ctx context.Context, secret string) (*schema.Session, error) {
	found := []schema.Session{}
	err := s.db.NewRaw("SELECT ? FROM ? AS attune_session WHERE attune_session.secret = ? AND attune_session.expires > ?",
		s.qualifiedColumns(), s.rows(s.name), secret, s.clock()).Scan(ctx, &found)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get session: %w", s.classify("get", err))
	}
	utc(&found[0])
	return &found[0], nil
}

// Delete ends the session with a secret, if there is one.
func (s *Sessions) Delete(ctx context.Context, secret string) error {
	if _, err := s.db.NewRaw("DELETE FROM ? WHERE secret = ?", s.of(s.name), secret).Exec(ctx); err != nil {
		return fmt.Errorf("delete session: %w", s.classify("delete", err))
	}
	return nil
}
