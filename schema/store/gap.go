package store

import (
	"context"
	"slices"
	"time"

	"github.com/attune-go/attune/schema"
)

// A gap is a range of missing ids in the history. Transactions drew them that were rolled
// back or are not committed yet.
type gap struct {
	// settled is the id up to which no transaction can still commit.
	settled int64
	// upTo is the highest id above the gap when it was first seen. writers are the open
	// transactions that may have drawn the missing ids; nil means that there is no gap.
	upTo    int64
	writers []string
}

// before returns how many of the rows follow the id last without a gap.
func (g *gap) before(last int64, rows []schema.CapabilityChange) int {
	for i := range rows {
		if rows[i].ID != last+1 && rows[i].ID > g.settled {
			return i
		}
		last = rows[i].ID
	}
	return len(rows)
}

// closed reports whether no transaction can still fill the gap. Then every id up to last
// can be read. The caller lists writers after it has read the row last.
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

// settle waits until no transaction can still commit an id up to id. The row with that id
// is already visible.
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

// writers returns the other transactions that write to the history, on Postgres. A
// transaction holds this lock of the table before it draws an id and until it ends. A
// snapshot would not show it before its first write.
func (c *Changes) writers(ctx context.Context) ([]string, error) {
	found := []string{}
	err := c.db.NewRaw(`SELECT l.virtualtransaction FROM pg_catalog.pg_locks l
		JOIN pg_catalog.pg_class t ON t.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
		JOIN pg_catalog.pg_database d ON d.oid = l.database
		WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
		  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
		  AND d.datname = pg_catalog.current_database() AND n.nspname = ? AND t.relname = ?`, c.schema, c.layout.Relation(c.name)).Scan(ctx, &found)
	return found, err
}
