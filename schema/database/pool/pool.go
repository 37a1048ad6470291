// Package pool listens on a connection of a Postgres pool, and closes idle connections.
// The pool can be one that package database opened, or another one of pgx.
package pool

import "github.com/uptrace/bun"

// Rest closes the idle connections of a pool that package database opened, for a process
// that will not need them for a while. The next statement opens another connection, and the
// limit of idle connections is the one of Open. Rest leaves every other pool alone, as it
// would lose that pool's own limit. It leaves SQLite alone too, where no server waits for
// connections.
func Rest(db *bun.DB) {
	opened, ok := db.Driver().(interface{ MaxIdleConns() int })
	if !ok {
		return
	}
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(opened.MaxIdleConns())
}
