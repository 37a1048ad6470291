package database_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/database"
)

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open %s: %v", database.Redact(url), err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// openFails checks that Open fails with an error that wraps want and has no password.
func openFails(t *testing.T, url string, want error) error {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err == nil {
		_ = db.Close()
		t.Fatalf("open %q succeeded, want %v", url, want)
	}
	if !errors.Is(err, want) {
		t.Errorf("open %q: %v, want %v", url, err, want)
	}
	for _, part := range []string{"s3cret", "\n"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("open %q: %q is in the error: %v", url, part, err)
		}
	}
	return err
}

func contains(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want %q in it", err, part)
		}
	}
}

func run(t *testing.T, db *bun.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
