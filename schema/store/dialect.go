package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"
)

// dialect is what Postgres and SQLite do not have in common, as fragments of
// SQL, and where the tables are. What Postgres would look up in search_path is
// named with its schema: functions, types and collations too. Operators are used
// for the very types that pg_catalog has them for, and functions of attune's own
// are called with casts: Postgres would prefer an operator or function for the
// types as they are, which others may be able to create, to one of its own that
// takes them after a conversion.
type dialect struct {
	db       bun.IDB
	postgres bool
	schema   string
	logger   *slog.Logger // nil: slog.Default()
}

func newDialect(db bun.IDB, cfg Config) dialect {
	if db.Dialect().Name() != bundialect.PG {
		return dialect{db: db, schema: "main", logger: cfg.Logger}
	}
	return dialect{db: db, postgres: true, schema: cmp.Or(cfg.Schema, "public"), logger: cfg.Logger}
}

// log is where rows that are left out are named.
func (d dialect) log() *slog.Logger { return cmp.Or(d.logger, slog.Default()) }

// of is a table's qualified name. Its parts are quoted one by one: a schema may
// have a dot in its name.
func (d dialect) of(table string) any {
	return bun.SafeQuery("?.?", bun.Name(d.schema), bun.Name(table))
}

// now is the database's time, in the form that the columns' defaults have.
func (d dialect) now() bun.Safe {
	if d.postgres {
		return "CURRENT_TIMESTAMP"
	}
	return "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
}

// clock is the database's time now, also late in a long transaction: what
// heartbeats and their age are told by.
func (d dialect) clock() bun.Safe {
	if d.postgres {
		return "pg_catalog.statement_timestamp()"
	}
	return d.now()
}

// ago is the clock's time a while before.
func (d dialect) ago(while time.Duration) any {
	if d.postgres {
		return bun.SafeQuery("pg_catalog.statement_timestamp() - ?", d.interval(while))
	}
	return bun.SafeQuery("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("-%.3f seconds", while.Seconds()))
}

// interval is a span of time of Postgres.
func (d dialect) interval(span time.Duration) any {
	return bun.SafeQuery("pg_catalog.make_interval(secs => ?)", span.Seconds())
}

// touched sets updated to the time. On Postgres a trigger does where a worker's status or
// capabilities are written, and a login of one host has no right to the column.
func (d dialect) touched() bun.Safe {
	return bun.Safe(d.pick("", ", updated = "+string(d.now())))
}

// bytewise is a text column in the order of its bytes. On Postgres a database's
// own collation may order refs otherwise than SQLite and Go do.
func (d dialect) bytewise(column string) bun.Safe {
	if d.postgres {
		return bun.Safe(column + ` COLLATE pg_catalog."C"`)
	}
	return bun.Safe(column)
}

// text is an enum as text, so that a word that the enum does not have is no
// error.
func (d dialect) text(column string) bun.Safe {
	return bun.Safe(d.pick("CAST("+column+" AS pg_catalog.text)", column))
}

// pick is one of two fragments.
func (d dialect) pick(postgres, sqlite string) string {
	if d.postgres {
		return postgres
	}
	return sqlite
}
