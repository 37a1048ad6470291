// Package transaction lets attune work inside a transaction that a platform began with
// database/sql or pgx: store, migrations and install take what it returns. The platform
// commits or rolls back. A transaction of bun needs no conversion.
package transaction

import (
	"context"
	"database/sql"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"
)

// FromSQL returns tx as bun's. The dialect must fit the database: pgdialect.New() or
// sqlitedialect.New(). The error is the one of ctx, if it has ended.
//
// Like tx, the result is for one goroutine at a time. Transactions that attune begins on it
// are savepoints, which end with ctx.
func FromSQL(ctx context.Context, tx *sql.Tx, dialect schema.Dialect) (bun.IDB, error) {
	outer, err := bun.NewDB(unconnected(), dialect).BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	own := outer.Tx
	outer.Tx = tx
	_ = own.Rollback() // ends its goroutine
	return outer, nil
}

// FromPgx returns tx, such as one of a pgxpool.Pool, as bun's. Call release when attune's
// part is done, before or after the end of tx. Statements use the simple protocol, because
// bun writes arguments into the statement. The error is the one of ctx, if it has ended.
//
// Like tx, the result is for one goroutine at a time. It ends with ctx, and transactions that
// attune begins on it are savepoints.
func FromPgx(ctx context.Context, tx pgx.Tx) (db bun.IDB, release func(), err error) {
	pool := bun.NewDB(sql.OpenDB(connector{tx}), pgdialect.New())
	outer, err := pool.BeginTx(ctx, nil)
	if err != nil {
		_ = pool.Close()
		return nil, nil, err
	}
	return outer, func() {
		_ = outer.Rollback() // sends nothing: see conn.BeginTx
		_ = pool.Close()
	}, nil
}

// unconnected returns a pool whose connections only begin transactions, without sending
// anything.
var unconnected = sync.OnceValue(func() *sql.DB { return sql.OpenDB(connector{}) })
