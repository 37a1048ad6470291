// Package database opens the database that a URL names: Postgres, or an embedded SQLite
// file.
//
// Programs and test support use it. Open returns an ordinary *bun.DB, so a platform with
// its own connections needs only Classify and Explain, and package pool.
//
// Support for SQLite is linked by importing package sqlite:
//
//	import _ "github.com/attune-go/attune/schema/database/sqlite"
package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/database/internal/backend"
)

// Memory is the URL of a database in the memory of this process. Each Open of it creates
// another database, which ends when it is closed.
const Memory = "sqlite::memory:"

// Open opens a database and queries it once, so that it fails for any database that
// cannot be used. The URL is one of
//
//	postgres://user:password@host:5432/name   (or postgresql://)
//	sqlite:PATH                               a file; created if its folder exists
//	sqlite::memory:                           see Memory
//
// For Postgres, connect_timeout defaults to 5 seconds per address. Open opens a SQLite
// file that cannot be written for reading; the first write then fails with an error that
// Classify calls ErrReadOnly.
//
// The error wraps ErrURL, ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly or
// ErrCorrupt, or fs.ErrNotExist or fs.ErrPermission for a file, or ctx.Err(). It contains
// no password.
func Open(ctx context.Context, url string) (*bun.DB, error) { return openNamed(ctx, url, true) }

// OpenExisting opens a database like Open, but leaves a SQLite file unchanged until a
// statement writes: it creates no file, and does not turn an empty file into a database.
func OpenExisting(ctx context.Context, url string) (*bun.DB, error) {
	return openNamed(ctx, url, false)
}

// CheckURL returns an error that wraps ErrURL for a URL that Open could never open. It
// opens nothing, and the error contains no password.
func CheckURL(url string) error {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme = strings.ToLower(scheme); scheme {
	case "postgres", "postgresql":
		_, _, err := postgresConfig(scheme + ":" + rest)
		return err
	case "sqlite":
		return nil
	}
	return wrongScheme(url)
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
		if backend.SQLite == nil {
			return nil, fmt.Errorf("%w: this program has no support for SQLite; "+
				`add import _ "github.com/attune-go/attune/schema/database/sqlite"`, ErrURL)
		}
		return backend.SQLite.Open(ctx, rest, create)
	default:
		return nil, wrongScheme(url)
	}
}

// name returns the name of the database for an error.
func name(url string) string {
	if strings.TrimSpace(url) == "" {
		return `""`
	}
	return Redact(url)
}

const forms = "write postgres://user@host:5432/name, sqlite:PATH or sqlite::memory:"

// wrongScheme returns an error for a URL without a supported scheme.
func wrongScheme(url string) error {
	scheme, _, hasScheme := strings.Cut(url, ":")
	switch {
	case strings.TrimSpace(url) == "":
		return fmt.Errorf("%w: the URL is empty; %s", ErrURL, forms)
	case keywordPassword.MatchString(url) || keywordDSN.MatchString(url):
		return fmt.Errorf("%w: this is a list of keywords; %s", ErrURL, forms)
	case scheme == "file", scheme == "sqlite3":
		return fmt.Errorf("%w: the scheme %s: is not supported; write sqlite:PATH", ErrURL, scheme)
	case hasScheme && schemeName.MatchString(scheme) && len(scheme) > 1:
		return fmt.Errorf("%w: databases of the kind %q are not supported; %s", ErrURL, scheme, forms)
	default:
		return fmt.Errorf("%w: the scheme is missing; for a file write sqlite:%s", ErrURL, Redact(url))
	}
}
