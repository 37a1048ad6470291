package store

import (
	"context"
	"slices"
	"time"

	"github.com/attune-go/attune/schema"
)

// gap is where ids of the history are missing: drawn by transactions that were
// rolled back, or by some that are not committed yet.
type gap struct {
	// settled is an id up to which no transaction will commit any more.
	settled int64
	// upTo is the highest id above the gap when it was first seen, and writers are
	// those since then who may have drawn the missing ones. Nil: there is no gap.
	upTo    int64
	writers []string
}

// before is how many of the rows follow the one of an id without a gap.
func (g *gap) before(last int64, rows []schema.CapabilityChange) int {
	for i := range rows {
		if rows[i].ID != last+1 && rows[i].ID > g.settled {
			return i
		}
		last = rows[i].ID
	}
	return len(rows)
}

// closed reports whether nobody can fill the gap any more. Then it can be read
// what was committed meanwhile. The writers were asked for after the rows were
// read of which last is the highest.
func (g *gap) closed(last int64, writers []string) bool {
	if g.writers == nil {
		g.upTo, g.writers = last, writers
	} else {
		g.writers = slices.DeleteFunc(g.writers, func(w string) bool { return !slices.Contains(writers, w) })
	}
	if len(g.writers) > 0 {
		return false
	}
	g.settled, g.writers = g.upTo, nil
	return true
}

// settle waits until nobody can commit an id up to this one any more, which is
// that of a row that can be read.
func (c *Changes) settle(ctx context.Context, id int64) error {
	var g gap
	for {
		writers, err := c.writers(ctx)
		if err != nil || g.closed(id, writers) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// writers are the other transactions that write to the history of a Postgres. Who
// draws an id holds this lock of the table by then, and until his end; a snapshot
// would not show him before he has written.
func (c *Changes) writers(ctx context.Context) ([]string, error) {
	found := []string{}
	err := c.db.NewRaw(`SELECT l.virtualtransaction FROM pg_catalog.pg_locks l
		JOIN pg_catalog.pg_class t ON t.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
		JOIN pg_catalog.pg_database d ON d.oid = l.database
		WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
		  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
		  AND d.datname = pg_catalog.current_database() AND n.nspname = ? AND t.relname = ?`, c.schema, c.name).Scan(ctx, &found)
	return found, err
}
