// Package sqlite adds support for embedded SQLite to package database. Importing it is
// enough:
//
//	import _ "github.com/attune-go/attune/schema/database/sqlite"
//
// It registers the driver "sqlite" of modernc.org/sqlite with database/sql, as that
// package does. A program cannot link another driver of that name.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	neturl "net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/internal/backend"
)

func init() {
	backend.SQLite = &backend.Backend{Open: open, Classify: classify, Remedy: remedy}
}

// busyTimeout is how long a statement waits for a lock. Only tests change it.
var busyTimeout = 5 * time.Second

const (
	maxConns = 4
	idleTime = 5 * time.Minute
)

var uriParameter = regexp.MustCompile(`\?[A-Za-z_]+=`)

func open(ctx context.Context, path string, create bool) (*bun.DB, error) {
	if path == ":memory:" {
		return openMemory(ctx)
	}
	path, err := filePath(path)
	if err != nil {
		return nil, err
	}
	if err := checkFile(path, create); err != nil {
		return nil, err
	}

	access := asItIs
	created := false
	if create {
		access, created = toCreate, createFile(path)
	}
	db, err := openFile(ctx, fileDSN(path, access))
	if err != nil && created {
		_ = os.Remove(path)
	}
	if errors.Is(database.Classify(err), database.ErrReadOnly) {
		var readErr error
		if db, readErr = openFile(ctx, fileDSN(path, toRead)); readErr == nil {
			return db, nil
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fileFault(path, err)
	}
	return db, nil
}

// filePath returns the path of the file as an absolute one, which messages then name.
func filePath(path string) (string, error) {
	switch {
	case path == "":
		return "", fmt.Errorf("%w: the path is missing; write sqlite::memory: or sqlite:PATH", database.ErrURL)
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return "", fmt.Errorf("%w: only the path can follow sqlite:; write sqlite:%s", database.ErrURL, strings.TrimLeft(path, "/"))
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("%w: the path contains NUL", database.ErrURL)
	case uriParameter.MatchString(path):
		return "", fmt.Errorf("%w: parameters after ? are not supported for SQLite", database.ErrURL)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", database.ErrURL, err)
	}
	return abs, nil
}

// checkFile refuses files on which SQLite would hang or return a poor message.
func checkFile(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case create && errors.Is(err, fs.ErrNotExist):
		return checkFolder(path)
	case err != nil:
		return fmt.Errorf("%w; check the path and its permissions", err)
	case info.IsDir():
		return fmt.Errorf("%w: %s is a folder; name a file in it, such as %s", database.ErrURL, path, filepath.Join(path, "attune.db"))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a regular file", database.ErrURL, path)
	}
	return nil
}

// createFile creates a file that only its user can read, and reports whether it did. The
// file's mode does not depend on the umask then, and its journal gets the same mode. If
// the file cannot be created, SQLite's own error is better.
func createFile(path string) bool {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	return file.Close() == nil
}

func checkFolder(path string) error {
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("%w; create the folder with: mkdir -p %s", err, folder)
	}
	return nil
}

// An access is the purpose of opening a file.
type access int

const (
	// toCreate makes it a database that can be read while it is written.
	toCreate access = iota
	// asItIs changes nothing before a statement writes.
	asItIs
	// toRead refuses to write.
	toRead
)

// fileDSN returns the DSN with the settings of every connection of the pool. A PRAGMA
// statement would reach one connection only.
func fileDSN(path string, to access) string {
	q := connectionSettings()
	switch to {
	case toCreate:
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(NORMAL)")
	case asItIs:
		q.Set("mode", "rw")
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "synchronous(NORMAL)")
	case toRead:
		q.Set("mode", "ro")
	}
	return "file://" + (&neturl.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func connectionSettings() neturl.Values {
	return neturl.Values{
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_pragma":       {"foreign_keys(1)"},
		"_time_format":  {"sqlite"},
		"_timezone":     {"UTC"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
	}
}

func openFile(ctx context.Context, dsn string) (*bun.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return openPool(ctx, connector)
}

func openPool(ctx context.Context, connector driver.Connector) (*bun.DB, error) {
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(maxConns)
	sqldb.SetMaxIdleConns(maxConns)
	sqldb.SetConnMaxIdleTime(idleTime)

	if err := firstQuery(ctx, sqldb); err != nil {
		_ = sqldb.Close() // the first error counts
		return nil, err
	}
	return bun.NewDB(sqldb, sqlitedialect.New()), nil
}

// firstQuery makes SQLite read the file, which opening does not. SQLite does not wait when
// two processes turn a new file into WAL mode at once, so firstQuery tries again for as
// long as a statement would wait.
func firstQuery(ctx context.Context, db *sql.DB) error {
	deadline := time.Now().Add(busyTimeout)
	for {
		var tables int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables)
		if !errors.Is(database.Classify(err), database.ErrLocked) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fileFault returns the reason why a file cannot be opened, with a remedy.
func fileFault(path string, err error) error {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch kind := database.Classify(err); {
	case errors.Is(kind, database.ErrCorrupt) && lite.Code()&0xff != sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w; %s", kind, lite, fileRemedy(lite, kind, path, filepath.Dir(path)))
	case kind != nil:
		return fmt.Errorf("%w: %s", kind, fileRemedy(lite, kind, path, filepath.Dir(path)))
	case lite.Code()&0xff == sqlite3.SQLITE_CANTOPEN:
		return cannotOpen(path, err)
	}
	return err
}

// cannotOpen asks the system for the reason of SQLite's "unable to open database file".
func cannotOpen(path string, err error) error {
	folder := filepath.Dir(path)
	file, reason := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case reason == nil: // it can be created now; remove it again
		_ = file.Close()
		_ = os.Remove(path)
		return err
	case errors.Is(reason, syscall.ENOSPC), errors.Is(reason, syscall.EDQUOT):
		return fmt.Errorf("%w; make room for it", reason)
	case errors.Is(reason, fs.ErrPermission), errors.Is(reason, syscall.EROFS),
		errors.Is(reason, fs.ErrNotExist): // as in /proc
		return fmt.Errorf("%w: %w; give this user write access to the folder %s", database.ErrReadOnly, reason, folder)
	case !errors.Is(reason, fs.ErrExist): // such as a name that is too long, on some file systems
		return fmt.Errorf("%w; check the path and its permissions", reason)
	}
	if file, reason = os.Open(path); reason != nil {
		return fmt.Errorf("%w; give this user access to the file", reason)
	}
	_ = file.Close()
	return fmt.Errorf("%w: its journal needs write access to the folder %s; grant it, or use a copy elsewhere",
		database.ErrReadOnly, folder)
}

// classify classifies an error of SQLite by its primary result code, which is the low byte.
func classify(err error) (ok bool, kind error) {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return false, nil
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true, database.ErrLocked
	case sqlite3.SQLITE_READONLY:
		return true, database.ErrReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true, database.ErrCorrupt
	}
	return true, nil
}

// remedy returns a remedy for the error of a statement, which does not name its file.
func remedy(err, kind error) (text string, ok bool) {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return "", false
	}
	return fileRemedy(lite, kind, "FILE", "its folder"), true
}

// fileRemedy returns what to do about an error of the given kind.
func fileRemedy(lite *sqlite.Error, kind error, file, folder string) string {
	switch {
	case errors.Is(kind, database.ErrLocked):
		return "another process holds it; wait for it to end, or find it with: fuser " + file
	case lite.Code()&0xff == sqlite3.SQLITE_NOTADB:
		return "it is not a SQLite database, or it is encrypted; name another file"
	case errors.Is(kind, database.ErrCorrupt):
		return fmt.Sprintf("it is damaged; restore a copy, or recover what is readable with: sqlite3 %s .recover", file)
	case lite.Code() == sqlite3.SQLITE_READONLY:
		return "this user cannot write it; grant write access to the file, or use a copy elsewhere"
	}
	return fmt.Sprintf("its journal needs write access to the folder %s; grant it, or use a copy elsewhere", folder)
}
