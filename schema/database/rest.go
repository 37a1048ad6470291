package database

import (
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// Rest closes the connections of a pool that nobody uses at this moment, for a
// process that will not need one for a while. The next statement opens another.
// It is for a pool that Open opened. SQLite's stay: nobody is waiting for them,
// and a database in memory would be gone.
func Rest(db *bun.DB) {
	if db.Dialect().Name() != dialect.PG {
		return
	}
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(postgresMaxIdle)
}
