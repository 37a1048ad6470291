// Package database opens the database that a URL names: Postgres, or an
// embedded SQLite file.
//
// It is wiring: cmd and the test support import it, nothing else does. What it
// returns is an ordinary *bun.DB, so an embedder who has one already needs
// nothing of this package, except perhaps Explain and Listen.
package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// Memory is the URL of a database that lives in this process and ends with it.
// Each Open of it gives another database.
const Memory = "sqlite::memory:"

// Open opens the database and asks it one question, so that what is wrong is
// said here and not by the first statement. The URL is one of
//
//	postgres://user:password@host:5432/name   (or postgresql://)
//	sqlite:PATH                               a file; it is created if its folder exists
//	sqlite::memory:                           see Memory
//
// A Postgres URL that has no connect_timeout gets five seconds for each
// address. A SQLite file that cannot be written is opened for reading, and the
// first write fails with what Classify calls ErrReadOnly.
//
// The error wraps ErrURL, ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly or
// ErrCorrupt, or fs.ErrNotExist or fs.ErrPermission for a file; or ctx.Err().
// Passwords are in no error.
func Open(ctx context.Context, url string) (*bun.DB, error) { return openNamed(ctx, url, true) }

// OpenExisting is Open that leaves a SQLite file as it is until a statement
// writes: it creates none, and makes no empty file a database.
func OpenExisting(ctx context.Context, url string) (*bun.DB, error) {
	return openNamed(ctx, url, false)
}

func openNamed(ctx context.Context, url string, create bool) (*bun.DB, error) {
	db, err := open(ctx, url, create)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", name(url), err)
	}
	return db, nil
}

func open(ctx context.Context, url string, create bool) (*bun.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok {
		scheme = ""
	}
	switch strings.ToLower(scheme) {
	case "postgres", "postgresql":
		return openPostgres(ctx, strings.ToLower(scheme)+":"+rest)
	case "sqlite":
		return openSQLite(ctx, rest, create)
	default:
		return nil, wrongScheme(url)
	}
}

// name is how an error calls the database.
func name(url string) string {
	if strings.TrimSpace(url) == "" {
		return `""`
	}
	return Redact(url)
}

const forms = "write postgres://user@host:5432/name, sqlite:PATH or sqlite::memory:"

// wrongScheme explains a URL that is of no database we know.
func wrongScheme(url string) error {
	scheme, _, hasScheme := strings.Cut(url, ":")
	switch {
	case strings.TrimSpace(url) == "":
		return fmt.Errorf("%w: the URL is empty; %s", ErrURL, forms)
	case keywordPassword.MatchString(url) || keywordDSN.MatchString(url):
		return fmt.Errorf("%w: this is a list of keywords; %s", ErrURL, forms)
	case scheme == "file", scheme == "sqlite3":
		return fmt.Errorf("%w: %s: is not a scheme here; write sqlite:PATH", ErrURL, scheme)
	case hasScheme && schemeName.MatchString(scheme) && len(scheme) > 1:
		return fmt.Errorf("%w: databases of the kind %q are not supported; %s", ErrURL, scheme, forms)
	default:
		return fmt.Errorf("%w: it has no scheme; for a file write sqlite:%s", ErrURL, Redact(url))
	}
}
