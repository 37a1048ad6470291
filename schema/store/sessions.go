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

// Delete ends the session with a secret, if there is one.
func (s *Sessions) Delete(ctx context.Context, secret string) error {
	if _, err := s.db.NewRaw("DELETE FROM ? WHERE secret = ?", s.of(s.name), secret).Exec(ctx); err != nil {
		return fmt.Errorf("delete session: %w", s.classify("delete", err))
	}
	return nil
}
