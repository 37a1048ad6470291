// Package store reads and writes packs, runtimes, their versions, workers and
// what their hosts have.
//
// It works over any bun.IDB: a *bun.DB, a bun.Conn, or the transaction of a
// platform that embeds it. Every statement names the schema of its tables, so
// nothing depends on search_path and tables of the same names elsewhere are
// never touched. Times that it writes are the database's.
//
// Errors say the operation and the key, and wrap one of ErrNotFound,
// ErrDuplicate, ErrReferenced, ErrInvalid, ErrLive and ErrSuperseded where one of
// them is the reason;
// both databases give the same. A duplicate leaves a transaction usable, and so
// does anything a Delete refuses; another error ends a Postgres transaction, as
// always there.
package store

import (
	"log/slog"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Config is what a Store may be told.
type Config struct {
	// Schema that holds the tables on Postgres. Empty is "public";
	// migrations.FindSchema says where an installation really is. SQLite has no
	// schemas: there it is always "main".
	Schema string
	// Logger is told of rows that are left out of a list because they hold a time that
	// cannot be read, such as infinity. Nil is slog.Default().
	Logger *slog.Logger
}

// Store gives access to the tables of one installation. It holds no state, and
// goroutines may share it as they may share its database.
type Store struct {
	Packs           *Packs
	Runtimes        *Runtimes
	RuntimeVersions *RuntimeVersions
	Workers         *Workers
	WorkerRuntimes  *WorkerRuntimes
	Changes         *Changes
}

// New returns a Store over db, which speaks Postgres or SQLite. It does not
// reach for the database.
func New(db bun.IDB, cfg Config) *Store {
	d := newDialect(db, cfg)
	versions := &RuntimeVersions{table[schema.RuntimeVersion]{
		dialect: d, name: "runtime_version", noun: "runtime version",
		unique: []string{"runtime", "version"},
	}}
	runtimes := WorkerRuntimes{table[schema.WorkerRuntime]{
		dialect: d, name: "worker_runtime", noun: "worker runtime",
	}}
	changes := Changes{table[schema.CapabilityChange]{
		dialect: d, name: "capability_change", noun: "capability change",
	}}
	return &Store{
		Packs: &Packs{table[schema.Pack]{
			dialect: d, name: "pack", noun: "pack", unique: []string{"ref"},
		}},
		Runtimes: &Runtimes{table[schema.Runtime]{
			dialect: d, name: "runtime", noun: "runtime", unique: []string{"ref"},
		}, versions},
		RuntimeVersions: versions,
		Workers: &Workers{table[schema.Worker]{
			dialect: d, name: "worker", noun: "worker", unique: []string{"identity"},
		}, runtimes, changes},
		WorkerRuntimes: &runtimes,
		Changes:        &changes,
	}
}

// Page asks for a part of a list that is ordered by ref.
type Page struct {
	// After is the ref after which the part begins: the last ref of the part
	// before. Empty is the beginning.
	After string
	// Limit is the most rows that are returned. Zero is all.
	Limit int
}
