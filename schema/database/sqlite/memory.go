package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync/atomic"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"
)

// memoryDatabases counts the databases in memory. The number makes their names distinct.
var memoryDatabases atomic.Int64

// openMemory opens a database that only the connections of its pool share.
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
	return openPool(ctx, &anchoredConnector{Connector: base, anchor: anchor})
}

// An anchoredConnector holds a connection while the pool is open. A database in memory ends with its
// last connection, and the pool can close all of its own.
type anchoredConnector struct {
	driver.Connector
	anchor driver.Conn
}

// Close ends the database. sql.DB.Close calls it.
func (a *anchoredConnector) Close() error { return a.anchor.Close() }
