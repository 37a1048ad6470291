// Package store reads and writes packs, runtimes, their versions, workers and the
// capabilities of their hosts.
//
// It works over any bun.IDB: a *bun.DB, a bun.Conn, or the transaction of a platform that
// embeds it; package transaction joins those of database/sql and pgx. Every statement
// qualifies its tables with their schema, so the store does not depend on search_path and
// never touches tables of the same names in other schemas. It writes the database's time.
//
// Errors contain the operation and the key. They wrap ErrNotFound, ErrDuplicate,
// ErrReferenced, ErrInvalid, ErrLive, ErrSuperseded, ErrTaken or ErrForeign, the same on both databases. A
// transaction stays usable after a duplicate and after a refused deletion. Other errors
// abort a transaction of Postgres.
package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/layout"
)

// A Config configures a Store.
type Config struct {
	// Schema holds the tables on Postgres. Defaults to "public"; migrations.FindSchema finds
	// the schema of an installation. SQLite has no schemas and ignores it.
	Schema string
	// Layout says where the tables of a database are that a platform may have made; it
	// includes the schema. Defaults to tables of attune's own in Schema. Open reads it.
	Layout *layout.Layout
	// ReportOnly keeps executions of a platform away from the workers that are registered.
	// Defaults to whether the layout has a table of executions.
	ReportOnly *bool
	// Logger receives the rows that lists leave out because Go cannot represent their
	// times, such as infinity. Defaults to slog.Default().
	Logger *slog.Logger
}

// A Store gives access to the tables of one schema. It holds no state; goroutines can share
// it as they can share its database. New and Open return one. Its zero value and those of
// its fields' types cannot be used.
type Store struct {
	Packs           *Packs
	Runtimes        *Runtimes
	RuntimeVersions *RuntimeVersions
	Workers         *Workers
	WorkerRuntimes  *WorkerRuntimes
	Changes         *Changes
	Subjects        *Subjects
	Tokens          *Tokens
	Sessions        *Sessions
	Audits          *Audits

	config Config
}

// Open returns a Store over a database of Postgres or SQLite, with the layout that it reads
// from the catalog.
func Open(ctx context.Context, db bun.IDB, cfg Config) (*Store, error) {
	l, err := layout.Read(ctx, db, cfg.Schema)
	if err != nil {
		return nil, err
	}
	cfg.Layout = l
	return New(db, cfg), nil
}

// New returns a Store over a database of Postgres or SQLite. It does not connect. A database
// whose tables a platform made needs Config.Layout.
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
		config: cfg,
		Packs: &Packs{table[schema.Pack]{
			dialect: d, name: "pack", noun: "pack", unique: []string{"ref"},
		}},
		Runtimes: &Runtimes{table[schema.Runtime]{
			dialect: d, name: "runtime", noun: "runtime", unique: []string{"ref"},
		}, versions},
		RuntimeVersions: versions,
		Workers: &Workers{table[schema.Worker]{
			dialect: d, name: "worker", noun: "worker", unique: []string{"identity"},
		}, runtimes, changes, d.isReportOnly(cfg), false},
		WorkerRuntimes: &runtimes,
		Changes:        &changes,
		Subjects:       &Subjects{d},
		Tokens: &Tokens{table[schema.Token]{
			dialect: d, name: "attune_token", noun: "token",
		}},
		Sessions: &Sessions{table[schema.Session]{
			dialect: d, name: "attune_session", noun: "session",
		}},
		Audits: &Audits{table[schema.Audit]{
			dialect: d, name: "attune_audit", noun: "audit row", unique: []string{"id"},
		}},
	}
}

// Layout returns where the tables are.
func (s *Store) Layout() *layout.Layout { return s.Packs.layout }

// Now returns the database's time.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	if err := s.Packs.db.NewRaw("SELECT ?", s.Packs.clock()).Scan(ctx, &now); err != nil {
		return now, fmt.Errorf("read the database's time: %w", s.Packs.classify("find", err))
	}
	return now.UTC(), nil
}

// Identity returns a text that all stores of one database and schema have in common, also those of its standbys. It is
// empty if nothing identifies the database, as an SQLite database in memory.
func (s *Store) Identity(ctx context.Context) (id string, err error) {
	d := s.Packs.dialect
	if d.postgres {
		err = d.db.NewRaw(`SELECT pg_catalog.concat((SELECT system_identifier FROM pg_catalog.pg_control_system()), ' ',
			(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()), ' ',
			CAST(CAST(? AS pg_catalog.regclass) AS pg_catalog.oid))`, string(d.of("worker"))).Scan(ctx, &id)
	} else {
		var seq int
		var name string
		err = d.db.NewRaw("PRAGMA database_list").Scan(ctx, &seq, &name, &id) // main is the first
	}
	if err != nil {
		return "", fmt.Errorf("identify the database: %w", d.classify("find", err))
	}
	return id, nil
}

// InTx calls fn with a Store in a transaction, or in a savepoint if s is in one. The
// transaction is rolled back if fn returns an error.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context, s *Store) error) error {
	return s.Packs.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return fn(ctx, New(tx, s.config))
	})
}

// A Page selects a part of a list that is ordered by ref.
type Page struct {
	// After is the last ref of the previous page. Empty starts at the beginning.
	After string
	// Limit is the maximum number of rows. Zero returns all.
	Limit int
}
