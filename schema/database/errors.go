package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrURL is a URL that names no database: the fault of whoever wrote it.
	ErrURL = errors.New("wrong database URL")
	// ErrUnreachable is a server that is away, starting, stopping or full:
	// trying again later can help.
	ErrUnreachable = errors.New("database not reachable")
	// ErrRefused is a server that answers and does not let us in.
	ErrRefused = errors.New("database refused access")
	// ErrLocked is a database that somebody else holds locked.
	ErrLocked = errors.New("database is locked")
	// ErrReadOnly is a database that can be read and not written.
	ErrReadOnly = errors.New("database is read-only")
	// ErrCorrupt is a file that is damaged or not a SQLite database at all.
	ErrCorrupt = errors.New("database file is not usable")
)

// Classify names what a failed statement says about the database as a whole:
// ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly or ErrCorrupt. It is nil
// for everything else, such as a broken constraint or an ended context.
func Classify(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return classifyPostgres(pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return classifySQLite(lite.Code())
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &connect), errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed):
		return ErrUnreachable
	}
	return nil
}

// classifyPostgres goes by SQLSTATE: appendix A of Postgres' manual.
func classifyPostgres(code string) error {
	switch code {
	case "25006": // read_only_sql_transaction
		return ErrReadOnly
	case "55P03": // lock_not_available
		return ErrLocked
	case "53300", // too_many_connections
		"57P01", "57P02", "57P03": // admin_shutdown, crash_shutdown, cannot_connect_now
		return ErrUnreachable
	case "3D000", // invalid_catalog_name
		"42501": // insufficient_privilege
		return ErrRefused
	}
	switch {
	case strings.HasPrefix(code, "08"): // connection exception
		return ErrUnreachable
	case strings.HasPrefix(code, "28"): // invalid authorization specification
		return ErrRefused
	}
	return nil
}

// classifySQLite goes by the primary result code: the low byte.
func classifySQLite(code int) error {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrLocked
	case sqlite3.SQLITE_READONLY:
		return ErrReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrCorrupt
	}
	return nil
}
