package database

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
)

// idleInTransaction is the setting with which a server ends a transaction whose client is
// silent. Otherwise a client that loses its network within a transaction would keep rows
// locked for hours, against itself too.
const idleInTransaction = "idle_in_transaction_session_timeout"

// limitTransaction sets it for one transaction only. A pooler passes the settings of a
// session on to other clients, and refuses the setting as a parameter of the connection.
const limitTransaction = "SET LOCAL " + idleInTransaction + " = '30s'"

// BeginTx begins and limits a transaction, in one round trip if opts is zero.
func (c *session) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if !c.limited {
		return c.pgxConn.BeginTx(ctx, opts)
	}
	if opts == (driver.TxOptions{}) && !c.Conn().IsClosed() {
		tx, err := c.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: "BEGIN; " + limitTransaction})
		if err != nil {
			return nil, err
		}
		return transaction{func() error { return tx.Commit(ctx) }, func() error { return tx.Rollback(ctx) }}, nil
	}
	tx, err := c.pgxConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	if _, err := c.Conn().Exec(ctx, limitTransaction); err != nil {
		_ = tx.Rollback() // the first error counts
		return nil, err
	}
	return tx, nil
}

type transaction struct{ commit, rollback func() error }

func (t transaction) Commit() error   { return t.commit() }
func (t transaction) Rollback() error { return t.rollback() }
