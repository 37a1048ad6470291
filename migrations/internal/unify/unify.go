// Package unify is the migration 20260203000001_unify_runtimes on Postgres: it
// turns the legacy schema, where actions and sensors each have runtimes of
// their own, into the unified one, and back.
//
// It runs on installations that others made, so nothing is assumed that the
// catalog can say: names are resolved once, then everything goes by OID, and
// what is dropped is put back from definitions that were read before.
//
// All functions run in the caller's transaction and leave its settings as they
// found them, save that every deferrable constraint is immediate afterwards.
// After an error other than an obstacle or a loss the transaction must be rolled
// back.
//
// Three tables keep what [Down] needs: runtime_unification has each legacy row
// whole and the id it became, runtime_unification_ledger has the key and the
// old values of every row of another table that was re-pointed, and
// runtime_unification_catalog has the SQL that undoes each change of the
// catalog.
package unify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
)

// DefaultLockTimeout is how long a lock is waited for where Options say
// nothing.
const DefaultLockTimeout = 10 * time.Second

var (
	// ErrObstacles: something stands in the way that must be cleared by hand.
	ErrObstacles = errors.New("the runtimes cannot be unified as the database is")
	// ErrLocked: somebody else held a table for longer than the lock timeout.
	ErrLocked = errors.New("a table is in use")
	// ErrNoRecord: the record of what was unified is not there, so it cannot be undone.
	ErrNoRecord = errors.New("there is no record of what was unified")
	// ErrLoss: undoing would give up what has no legacy form.
	ErrLoss = errors.New("what was added since has no legacy form")
)

// Options of a run.
type Options struct {
	// LockTimeout bounds each wait for a lock. Zero is DefaultLockTimeout.
	LockTimeout time.Duration
	// Logger is told of each step. Nil is silence.
	Logger *slog.Logger
	// Force gives up what has no legacy form; only Down knows it.
	Force bool
}

// Report says what was done.
type Report struct {
	Schema string `json:"schema"`
	// Before and After are how many rows runtime had and has.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	// Tables has the re-pointed rows of each column, in the order of the work.
	Tables []Repointed `json:"tables"`
	// Losses are what Down gave up.
	Losses []Loss `json:"losses,omitempty"`
}

// Repointed says how many rows of a column were re-pointed.
type Repointed struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
}

// Rows is how many rows of other tables were re-pointed.
func (r *Report) Rows() int64 {
	var n int64
	for _, t := range r.Tables {
		n += t.Rows
	}
	return n
}

// Examine returns what [Up] would do and what stands in its way. It writes nothing,
// and works in a read-only transaction; given a *bun.DB it begins one.
func Examine(ctx context.Context, db bun.IDB, schema string) (*Plan, error) {
	var plan *Plan
	err := reading(ctx, db, func(db bun.IDB) error {
		return with(ctx, db, schema, Options{}, func(s *session) (err error) {
			if !s.legacy() {
				return errUnified
			}
			plan, err = s.examine(ctx)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("plan the unification of schema %q: %w", schema, err)
	}
	return plan, nil
}

// Up unifies a legacy schema. The error is an [*ObstacleError] where something
// stands in the way, and wraps [ErrLocked] where a lock was not granted in time.
func Up(ctx context.Context, tx bun.IDB, schema string, opts Options) (*Report, error) {
	report, err := up(ctx, tx, schema, opts)
	if err != nil {
		return nil, fmt.Errorf("unify the runtimes of schema %q: %w", schema, err)
	}
	return report, nil
}

// reading runs fn in a transaction that sees one moment and cannot write, or in
// the one that the caller brought.
func reading(ctx context.Context, db bun.IDB, fn func(db bun.IDB) error) error {
	pool, ok := db.(*bun.DB)
	if !ok {
		return fn(db)
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return fn(tx)
}

// errUnified is the error of a schema that is not legacy.
var errUnified = errors.New("runtime has no column runtime_type: it is unified already")

func up(ctx context.Context, tx bun.IDB, schema string, opts Options) (report *Report, err error) {
	err = with(ctx, tx, schema, opts, func(s *session) error {
		if !s.legacy() {
			return errUnified
		}
		if err := s.lock(ctx); err != nil {
			return err
		}
		obstacles, err := s.obstacles(ctx)
		if err != nil {
			return err
		}
		if len(obstacles) > 0 {
			return &ObstacleError{Obstacles: obstacles}
		}
		report, err = s.unify(ctx)
		return err
	})
	return report, err
}
