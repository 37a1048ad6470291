package database

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
)

// busyTimeout is how long a statement waits for a lock of somebody else. A
// variable for the tests alone.
var busyTimeout = 5 * time.Second

const sqliteMaxConns = 4

var uriParameter = regexp.MustCompile(`\?[A-Za-z_]+=`)

func openSQLite(ctx context.Context, path string, create bool) (*bun.DB, error) {
	if path == ":memory:" {
		return openMemory(ctx)
	}
	path, err := sqlitePath(path)
	if err != nil {
		return nil, err
	}
	if err := checkFile(path, create); err != nil {
		return nil, err
	}

	access := asItIs
	made := false
	if create {
		access, made = toCreate, makeFile(path)
	}
	db, err := openFile(ctx, fileDSN(path, access))
	if err != nil && made {
		_ = os.Remove(path)
	}
	if errors.Is(Classify(err), ErrReadOnly) {
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

// sqlitePath makes the path absolute, so that every message names the file
// and not the folder one happened to stand in.
func sqlitePath(path string) (string, error) {
	switch {
	case path == "":
		return "", fmt.Errorf("%w: the path is missing; %s", ErrURL, forms)
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return "", fmt.Errorf("%w: after sqlite: comes the path alone; write sqlite:%s", ErrURL, strings.TrimLeft(path, "/"))
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("%w: the path has a NUL in it", ErrURL)
	case uriParameter.MatchString(path):
		return "", fmt.Errorf("%w: parameters after ? are not supported for SQLite", ErrURL)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrURL, err)
	}
	return abs, nil
}

// checkFile refuses what SQLite would hang on or describe badly.
func checkFile(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case create && errors.Is(err, fs.ErrNotExist):
		return checkFolder(path)
	case err != nil:
		return fmt.Errorf("%w; check the path and its permissions", err)
	case info.IsDir():
		return fmt.Errorf("%w: %s is a folder; name a file in it, such as %s", ErrURL, path, filepath.Join(path, "attune.db"))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a regular file", ErrURL, path)
	}
	return nil
}

// makeFile makes a file that its user alone can read, and reports whether it did:
// SQLite would make one that the umask decides on. Its journal gets the same mode.
// Where it cannot be made, SQLite says so better.
func makeFile(path string) bool {
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

// access is what a file is opened for.
type access int

const (
	// toCreate makes it a database of ours: one that is read while it is written.
	toCreate access = iota
	// asItIs writes what statements write, and nothing before.
	asItIs
	toRead
)

// fileDSN escapes the path and carries everything that each connection of the
// pool must have: a PRAGMA that is executed reaches one connection only.
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
	sqldb.SetMaxOpenConns(sqliteMaxConns)
	sqldb.SetMaxIdleConns(sqliteMaxConns)
	sqldb.SetConnMaxIdleTime(idleTime)

	if err := firstQuestion(ctx, sqldb); err != nil {
		_ = sqldb.Close() // the first error is the one that counts
		return nil, err
	}
	return bun.NewDB(sqldb, sqlitedialect.New()), nil
}

// firstQuestion makes SQLite read the file: opening alone does not. Two
// processes that turn a new file into WAL mode collide without SQLite waiting,
// so being locked out is tried again for as long as a statement would wait.
func firstQuestion(ctx context.Context, db *sql.DB) error {
	deadline := time.Now().Add(busyTimeout)
	for {
		var tables int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables)
		if !errors.Is(Classify(err), ErrLocked) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fileFault says what is wrong with the file, and what to try.
func fileFault(path string, err error) error {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch kind := Classify(err); {
	case errors.Is(kind, ErrCorrupt) && lite.Code()&0xff != sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w; %s", kind, lite, fileRemedy(lite, kind, path, filepath.Dir(path)))
	case kind != nil:
		return fmt.Errorf("%w: %s", kind, fileRemedy(lite, kind, path, filepath.Dir(path)))
	case lite.Code()&0xff == sqlite3.SQLITE_CANTOPEN:
		return cannotOpen(path, err)
	}
	return err
}

// cannotOpen finds the reason behind SQLite's "unable to open database file"
// by asking the system.
func cannotOpen(path string, err error) error {
	folder := filepath.Dir(path)
	file, why := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case why == nil: // it can be created after all: leave no trace
		_ = file.Close()
		_ = os.Remove(path)
		return err
	case errors.Is(why, syscall.ENOSPC), errors.Is(why, syscall.EDQUOT):
		return fmt.Errorf("%w; make room for it", why)
	case errors.Is(why, fs.ErrPermission), errors.Is(why, syscall.EROFS), errors.Is(why, fs.ErrNotExist): // in /proc nothing can exist
		return fmt.Errorf("%w: %w; give this user write access to the folder %s", ErrReadOnly, why, folder)
	case !errors.Is(why, fs.ErrExist): // a file system may find a name too long when the file is made, and not before
		return fmt.Errorf("%w; check the path and its permissions", why)
	}
	if file, why = os.Open(path); why != nil {
		return fmt.Errorf("%w; give this user access to the file", why)
	}
	_ = file.Close()
	return fmt.Errorf("%w: its journal needs write access to the folder %s; give it, or use a copy elsewhere", ErrReadOnly, folder)
}
