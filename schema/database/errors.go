package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attune-go/attune/schema/database/internal/backend"
)

var (
	// ErrURL reports a URL that names no database.
	ErrURL = errors.New("wrong database URL")
	// ErrUnreachable reports a server that is away, starting, stopping or full. Trying
	// again later can help.
	ErrUnreachable = errors.New("database not reachable")
	// ErrRefused reports a server that denies access.
	ErrRefused = errors.New("database refused access")
	// ErrLocked reports a database that another process has locked.
	ErrLocked = errors.New("database is locked")
	// ErrReadOnly reports a database that can be read but not written.
	ErrReadOnly = errors.New("database is read-only")
	// ErrCorrupt reports a file that is damaged or not a SQLite database.
	ErrCorrupt = errors.New("database file is not usable")
)

// Classify returns what the error of a statement means for the database as a whole:
// ErrUnreachable, ErrRefused, ErrLocked, ErrReadOnly or ErrCorrupt. It returns nil for
// other errors, such as a violated constraint or a cancelled context.
func Classify(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return classifyPostgres(pg.Code)
	}
	if backend.SQLite != nil {
		if ok, kind := backend.SQLite.Classify(err); ok {
			return kind
		}
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

// IsPermanent reports whether waiting cannot help against an error of Open, or of a statement:
// a wrong URL, access that is refused, a database that is read-only or damaged, a file or
// folder that is missing or protected. A full disk, and other exhausted resources of the
// system, can recover.
func IsPermanent(err error) bool {
	kind := Classify(err)
	if errors.Is(kind, ErrUnreachable) {
		return false // also where the server's socket is gone
	}
	for _, sentinel := range []error{
		ErrURL, ErrRefused, ErrReadOnly, ErrCorrupt,
		// The file, or a folder on the way to it.
		fs.ErrNotExist, fs.ErrPermission, syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.ENAMETOOLONG,
	} {
		if errors.Is(err, sentinel) || errors.Is(kind, sentinel) {
			return true
		}
	}
	return false
}

// classifyPostgres classifies a SQLSTATE (Postgres manual, appendix A).
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
