// Package unify is the migration 20260203000001_unify_runtimes on Postgres. It turns the legacy schema,
// in which actions and sensors have separate runtimes, into the unified one, and back.
//
// It runs in schemas that others made, so it assumes nothing that the catalog can answer. Names are
// resolved once, and then everything goes by OID. Dropped objects are restored from definitions that
// were read before.
//
// All functions run in the caller's transaction and restore its settings, except that deferrable
// constraints are immediate afterwards. After any error but obstacles and losses the transaction must
// be rolled back.
//
// Three tables keep what [Down] needs. runtime_unification has each legacy row in full and the ID that
// it became. runtime_unification_ledger has the key and the old values of every re-pointed row of other
// tables. runtime_unification_catalog has the SQL that undoes each change of the catalog.
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

var (
	// ErrObstacles means that there are obstacles to be cleared by hand.
	ErrObstacles = errors.New("the runtimes of this database cannot be unified yet")
	// ErrLocked means that a lock was not granted within the lock timeout.
	ErrLocked = errors.New("a table is in use")
	// ErrNoRecord means that the record of the unification is missing, so that it cannot be undone.
	ErrNoRecord = errors.New("the record of the unification is missing")
	// ErrLoss means that undoing would give up data without a legacy form.
	ErrLoss = errors.New("data that was added since has no legacy form")
)

// Options configures a run.
type Options struct {
	// LockTimeout bounds each wait for a lock. Zero keeps the lock_timeout of the session.
	LockTimeout time.Duration
	// Logger logs each step. Nil disables logging.
	Logger *slog.Logger
	// Force lets Down give up what has no legacy form. Defaults to false.
	Force bool
}

// A Report is what a run did.
type Report struct {
	Schema string `json:"schema"`
	// Before and After are the numbers of rows in runtime.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	// Tables counts the re-pointed rows of each column, in the order of the work.
	Tables []Repointed `json:"tables"`
	// Losses lists what Down gave up.
	Losses []Loss `json:"losses,omitempty"`
}

// A Repointed counts the re-pointed rows of a column.
type Repointed struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
}

// Rows returns the number of re-pointed rows in other tables.
func (r *Report) Rows() int64 {
	var n int64
	for _, t := range r.Tables {
		n += t.Rows
	}
	return n
}

// Examine returns what [Up] would do and its obstacles. It writes nothing, and works in a read-only
// transaction. With a *bun.DB it begins one.
func Examine(ctx context.Context, db bun.IDB, schema string) (*Plan, error) {
	var plan *Plan
	err := reading(ctx, db, func(db bun.IDB) error {
		return with(ctx, db, schema, Options{}, func(s *session) (err error) {
			if !s.isLegacy() {
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

// Up unifies a legacy schema. The error is an [*ObstacleError] if there are obstacles, and wraps
// [ErrLocked] if a lock was not granted in time.
func Up(ctx context.Context, tx bun.IDB, schema string, opts Options) (*Report, error) {
	report, err := up(ctx, tx, schema, opts)
	if err != nil {
		return nil, fmt.Errorf("unify the runtimes of schema %q: %w", schema, err)
	}
	return report, nil
}

// reading runs fn in the caller's transaction, or in a read-only one with a single snapshot.
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

// errUnified means that the schema is not legacy.
var errUnified = errors.New("runtime has no column runtime_type, so it is already unified")

func up(ctx context.Context, tx bun.IDB, schema string, opts Options) (report *Report, err error) {
	err = with(ctx, tx, schema, opts, func(s *session) error {
		if !s.isLegacy() {
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
