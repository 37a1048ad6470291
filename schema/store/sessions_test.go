package store_test

import (
	"strings"
	"testing"
	"time"
)

// TestSessions: a session ends by itself, when it is deleted, or when its token has too many.
func TestSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		hash := func(letter string) string { return strings.Repeat(letter, 64) }
		token, err := e.Tokens.Create(t.Context(), "ops", hash("0"), "operate", 0)
		if err != nil {
			t.Fatal(err)
		}
		create := func(secret string, valid time.Duration) {
			t.Helper()
			row, err := e.Sessions.Create(t.Context(), secret, token.ID, valid)
			if err != nil || row.Token != token.ID || row.Secret != secret || row.Expires.Before(row.Created) {
				t.Fatalf("%v: %+v", err, row)
			}
		}
		exists := func(secret string) bool {
			t.Helper()
			found, err := e.Tokens.OfSessions(t.Context(), secret)
			if err != nil {
				t.Fatal(err)
			}
			return found[secret].ID == token.ID && found[secret].Valid
		}
		rows := func() int {
			t.Helper()
			var ids []int64
			if err := e.NewRaw("SELECT id FROM "+e.Layout().Table("attune_session")).Scan(t.Context(), &ids); err != nil {
				t.Fatal(err)
			}
			return len(ids)
		}
		create(hash("a"), time.Hour)
		create(hash("b"), time.Hour)
		if !exists(hash("a")) || !exists(hash("b")) || exists(hash("c")) || exists("' OR true --") {
			t.Error("two sessions exist, and no other one")
		}
		for range 2 {
			if err := e.Sessions.Delete(t.Context(), hash("a")); err != nil {
				t.Fatal(err)
			}
		}
		if exists(hash("a")) || !exists(hash("b")) {
			t.Error("one of two sessions was deleted")
		}
		create(hash("d"), time.Millisecond)
		time.Sleep(5 * time.Millisecond)
		if exists(hash("d")) {
			t.Error("a session has expired, and exists")
		}
		if create(hash("e"), time.Hour); rows() != 2 {
			t.Errorf("%d rows, want 2 without the expired one", rows())
		}
		for i := range 100 {
			create(strings.Repeat("f", 62)+string(rune('a'+i/26))+string(rune('a'+i%26)), time.Hour)
		}
		if exists(hash("b")) || exists(hash("e")) || rows() != 100 {
			t.Errorf("the token has %d sessions, want the newest 100", rows())
		}
		if _, err := e.Sessions.Create(t.Context(), hash("g"), token.ID+1, time.Hour); err == nil {
			t.Error("a session of no token was created")
		}
	})
}
