// Package migrations brings a database to the schema that this release needs, and back, one
// recorded step at a time.
//
// The steps are the SQL files of the folders postgres and sqlite, with the same IDs in both.
// On Postgres, Go code replaces the file 20260203000001_unify_runtimes. Applied steps are
// recorded in the table attune_migrations of the same schema.
//
// # Guests
//
// A schema that a platform has unified itself stays the platform's. There the files of the
// folder guest replace those in postgres. They create tables named attune_… and change none of
// the platform's.
//
// # Why not bun's migrate package or goose
//
// The record of a step must be written by the step's own transaction, which begins by taking a
// transaction-level lock and reading the state again. A schema that others made must be
// adopted. A record must name the oldest program that can read it. Planning must write
// nothing.
//
// Bun's migrator records through its *bun.DB, outside of the migration's transaction, locks
// with a row that survives a killed process, and undoes groups. Goose's provider with a custom
// store does record in the transaction. But it creates its table (with a row for version 0)
// before, even when only asked for the status. It decides what is pending before any
// transaction begins, and locks by session. Its store receives only a version number. Inside
// either, every promise above would be a hook that works around its host. So this package has
// its own migrator.
package migrations

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune"
)

// The migrations, oldest first.
const (
	Baseline      = "20260203000000_baseline"
	UnifyRuntimes = "20260203000001_unify_runtimes"
	WorkerRuntime = "20260310000001_worker_runtime"
	SafeFunctions = "20261128000001_safe_functions"
	Fleet         = "20261129000001_fleet"
	WorkerLabels  = "20261129000002_worker_labels"
	Placement     = "20261129000003_placement"
	Lookups       = "20261129000011_lookups"
	Server        = "20261129000020_server"
	Declarations  = "20261130000001_declarations"
)

// DefaultLockTimeout bounds each wait for a lock.
const DefaultLockTimeout = 10 * time.Second

//go:embed postgres/*.sql guest/*.sql sqlite/*.sql
var files embed.FS

// Files returns the SQL of every migration: ID.up.sql and ID.down.sql in the folders postgres
// and sqlite. In a guest the files of the folder guest replace those in postgres.
func Files() fs.FS { return files }

// A Config configures a Migrator. Its zero value is usable.
type Config struct {
	// Schema holds attune's tables. Defaults to the only schema that has them, else to
	// public. SQLite only has main.
	Schema string
	// LockTimeout bounds each wait for a lock. Defaults to DefaultLockTimeout.
	LockTimeout time.Duration
	// Force lets Down drop what cannot be brought back. Dropping a baseline with rows also needs
	// Undo. Defaults to false.
	Force bool
	// Undo is the migration that Down undoes. Down refuses to undo any other. Defaults to the newest
	// one.
	Undo string
	// Guards is the guards' reaction to wrong metadata. Up stores it in the database. Defaults to the
	// stored one, else to GuardingWarn in a guest and GuardingRefuse elsewhere.
	Guards Guarding
	// Logger logs each step. Nil disables logging.
	Logger *slog.Logger
}

// A Migrator moves one schema up and down. It has no state of its own and is as safe for
// concurrent use as its database. New returns one; its zero value cannot be used.
type Migrator struct {
	db    bun.IDB
	cfg   Config
	steps []step
}

// New returns a Migrator for db, which must be Postgres or SQLite. It does not connect.
//
// If db is a bun.Tx, such as one of package transaction, everything happens in that
// transaction, and nothing lasts unless its owner commits it. It must be able to write, and
// its isolation must be read committed; else the error is ErrTransaction. The migrators' lock
// and locks on tables stay until its end. Unifying makes deferred constraints immediate for
// the rest of it.
func New(db bun.IDB, cfg Config) (*Migrator, error) {
	if cfg.LockTimeout == 0 {
		cfg.LockTimeout = DefaultLockTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	folder, err := folderOf(db.Dialect().Name())
	if err != nil {
		return nil, err
	}
	if err := checkGuarding(folder, cfg.Guards); err != nil {
		return nil, err
	}
	if folder == "sqlite" && cfg.Schema != "" && cfg.Schema != sqliteSchema {
		return nil, fmt.Errorf("schema %q: SQLite has no schemas; leave it unset", cfg.Schema)
	}
	steps, err := load(folder)
	if err != nil {
		return nil, err
	}
	return &Migrator{db: db, cfg: cfg, steps: steps}, nil
}

func folderOf(name dialect.Name) (string, error) {
	switch name {
	case dialect.PG:
		return "postgres", nil
	case dialect.SQLite:
		return "sqlite", nil
	}
	return "", fmt.Errorf("migrations: %s is neither Postgres nor SQLite", name)
}

// A step is one migration of one dialect.
type step struct {
	id string
	// requires is the oldest program that runs on a database with this step.
	requires string
	up, down string
	// guestUp and guestDown replace up and down in a guest. Both are empty if a guest needs nothing.
	guestUp, guestDown string
}

// load reads the steps of one folder, oldest first.
func load(folder string) ([]step, error) {
	names, err := fs.Glob(files, folder+"/*.up.sql")
	if err != nil {
		return nil, err
	}
	steps := make([]step, 0, len(names))
	for _, name := range names {
		s := step{id: strings.TrimSuffix(path.Base(name), ".up.sql")}
		up, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		down, err := files.ReadFile(path.Join(folder, s.id+".down.sql"))
		if err != nil {
			return nil, err
		}
		s.up, s.down = string(up), string(down)
		first, _, _ := strings.Cut(s.up, "\n")
		requires, ok := strings.CutPrefix(first, "-- requires: ")
		if !ok {
			return nil, fmt.Errorf("%s: the first line must be \"-- requires: VERSION\"", name)
		}
		s.requires = requires
		if folder == "postgres" {
			if err := s.loadGuest(); err != nil {
				return nil, err
			}
		}
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.id, b.id) })
	return steps, nil
}

// step returns a migration that this program knows.
func (m *Migrator) step(id string) (step, bool) {
	for _, s := range m.steps {
		if s.id == id {
			return s, true
		}
	}
	return step{}, false
}

func (m *Migrator) postgres() bool { return m.db.Dialect().Name() == dialect.PG }

// program is the version that is recorded with each step.
const program = attune.Version

// quote returns a name as an SQL identifier.
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
