package database

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// idleInTransaction is the setting by which a server ends a transaction whose
// client is silent. A client that the network cut off in the middle of one would
// keep its rows locked for hours otherwise, against itself too.
const idleInTransaction = "idle_in_transaction_session_timeout"

// limitTransaction sets it for one transaction alone: a pooler hands what a
// session is set to on to others, and refuses it as a parameter of the connection.
const limitTransaction = "SET LOCAL " + idleInTransaction + " = '30s'"

// limiting makes connections that are limited.
type limiting struct{ driver.Connector }

func (l *limiting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := l.Connector.Connect(ctx)
	if c, ok := conn.(*stdlib.Conn); ok {
		return limited{c}, err
	}
	return conn, err
}

// pgxConn lets limited have its method Conn too.
type pgxConn = stdlib.Conn

// limited is a connection whose transactions are.
type limited struct{ *pgxConn }

// BeginTx begins and limits a transaction, in one round trip where nothing
// special is asked for.
func (c limited) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
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
		_ = tx.Rollback() // the first error is the one that counts
		return nil, err
	}
	return tx, nil
}

type transaction struct{ commit, rollback func() error }

func (t transaction) Commit() error   { return t.commit() }
func (t transaction) Rollback() error { return t.rollback() }
