package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync/atomic"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"
)

// memoryDatabases counts them: the number keeps one Open's database from
// another's.
var memoryDatabases atomic.Int64

// openMemory opens a database that all connections of this pool share, and
// nobody else.
func openMemory(ctx context.Context) (*bun.DB, error) {
	q := connectionSettings()
	q.Set("vfs", "memdb")
	q.Set("_txlock", "immediate")
	base, err := sqlite.NewConnector(fmt.Sprintf("file:///attune-%d?%s", memoryDatabases.Add(1), q.Encode()))
	if err != nil {
		return nil, err
	}
	anchor, err := base.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return openPool(ctx, &anchored{Connector: base, anchor: anchor})
}

// anchored keeps one connection of its own while the pool is open: a database
// in memory ends with its last connection, and the pool may close any of its.
type anchored struct {
	driver.Connector
	anchor driver.Conn
}

// Close ends the database; sql.DB.Close calls it.
func (a *anchored) Close() error { return a.anchor.Close() }
