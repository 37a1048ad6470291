package api

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
)

// isConnection reports whether an error means that the database cannot be reached.
func isConnection(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &network) || isAway(stateOf(err))
}

// isAway reports whether a SQLSTATE means that Postgres starts, stops or has no connection left. The client may come back.
func isAway(state string) bool {
	switch state {
	case "53300", // too_many_connections
		"57P01", "57P02", "57P03": // admin_shutdown, crash_shutdown, cannot_connect_now
		return true
	}
	return strings.HasPrefix(state, "08") // connection exception
}

// stateOf returns the SQLSTATE of an error, or nothing.
func stateOf(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// isRefused reports whether Postgres does not allow the server's login what it was asked to do.
func isRefused(err error) bool {
	return stateOf(err) == "42501"
}
