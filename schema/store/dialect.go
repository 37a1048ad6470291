package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/schema/layout"
	"github.com/attune-go/attune/schema/statement"
)

// A dialect holds the fragments of SQL in which Postgres and SQLite differ, and the layout,
// which says where the tables are. Everything that Postgres looks up in search_path is qualified with its
// schema, including functions, types and collations. Operands have exactly the types of
// an operator in pg_catalog, and attune's own functions are called with casts. Postgres
// would otherwise prefer an exact match that another role may have created.
type dialect struct {
	db       bun.IDB
	postgres bool
	schema   string
	layout   *layout.Layout
	logger   *slog.Logger // nil means slog.Default()
}

func newDialect(db bun.IDB, cfg Config) dialect {
	l := cfg.Layout
	if l == nil {
		l = layout.OfOwn(db, cfg.Schema)
	}
	return dialect{db: db, postgres: db.Dialect().Name() == bundialect.PG, schema: l.Schema, layout: l, logger: cfg.Logger}
}

// log returns the logger that names rows that are left out.
func (d dialect) log() *slog.Logger { return cmp.Or(d.logger, slog.Default()) }

// of returns the table that rows of a model are written to.
func (d dialect) of(model string) bun.Safe { return bun.Safe(d.layout.Table(model)) }

// rows returns what rows of a model are read from. It needs an alias.
func (d dialect) rows(model string) bun.Safe { return bun.Safe(d.layout.Rows(model)) }

// function returns the name of one of attune's functions.
func (d dialect) function(name string) bun.Safe { return bun.Safe(d.layout.Function(name)) }

// state returns the table that holds the status and the heartbeats of attune's workers, and
// its column with the worker's id.
func (d dialect) state() (table, key bun.Safe) {
	t, k := d.layout.State()
	return bun.Safe(t), bun.Safe(k)
}

// now returns the database's time at the start of the transaction, in the format of the
// columns' defaults.
func (d dialect) now() bun.Safe {
	if d.postgres {
		return "CURRENT_TIMESTAMP"
	}
	return "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
}

// clock returns the database's current time, also late in a long transaction. Heartbeats
// and their age use it.
func (d dialect) clock() bun.Safe {
	if d.postgres {
		return "pg_catalog.statement_timestamp()"
	}
	return d.now()
}

// ago returns the time of clock minus a duration.
func (d dialect) ago(while time.Duration) any {
	if d.postgres {
		return bun.SafeQuery("pg_catalog.statement_timestamp() - ?", d.interval(while))
	}
	return bun.SafeQuery("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("-%.3f seconds", while.Seconds()))
}

// interval returns a duration as an interval of Postgres.
func (d dialect) interval(span time.Duration) any {
	return bun.SafeQuery("pg_catalog.make_interval(secs => ?)", span.Seconds())
}

// setUpdated returns the assignment of the current time to updated. On Postgres it is empty:
// a trigger does it when a worker's status or capabilities change, and the login of a
// host may not write the column.
func (d dialect) setUpdated() bun.Safe {
	return bun.Safe(d.pick("", ", updated = "+string(d.now())))
}

// bytewise returns a text column that sorts by bytes, as SQLite and Go sort. The collation
// of a Postgres database can differ.
func (d dialect) bytewise(column string) bun.Safe {
	if d.postgres {
		return d.text(column) + ` COLLATE pg_catalog."C"`
	}
	return bun.Safe(column)
}

// text returns an enum or varchar column as text. A comparison with an unknown value of an
// enum then does not fail, and one of varchar uses the operator of pg_catalog.
func (d dialect) text(column string) bun.Safe {
	return bun.Safe(d.pick("CAST("+column+" AS pg_catalog.text)", column))
}

// pick returns the fragment for the dialect.
func (d dialect) pick(postgres, sqlite string) string {
	if d.postgres {
		return postgres
	}
	return sqlite
}

// readByID reads rows about workers into dest. query returns the statement for a list of IDs. A statement about one worker
// is prepared.
func (d dialect) readByID(ctx context.Context, ids []int64, query func(ids any) any, dest any) error {
	if len(ids) == 1 && d.postgres {
		ctx = statement.WithParameters(ctx, d.db.NewRaw("?", query(bun.Safe("$1"))).String(), ids[0])
	}
	return d.db.NewRaw("?", query(bun.List(ids))).Scan(ctx, dest)
}
