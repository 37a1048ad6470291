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
