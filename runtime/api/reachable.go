package api

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
)

// isConnection reports whether an error means that the database cannot be reached.
func isConnection(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &network)
}

// isRefused reports whether Postgres does not allow the server's login what it was asked to do.
func isRefused(err error) bool {
	var coded interface{ SQLState() string }
	return errors.As(err, &coded) && coded.SQLState() == "42501"
}
