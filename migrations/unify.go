package migrations

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// unify runs UnifyRuntimes on Postgres.
func (m *Migrator) unify(ctx context.Context, tx bun.IDB, in *inspection) (report *unify.Report, err error) {
	err = onCallersPath(ctx, tx, func() (err error) {
		report, err = unify.Up(ctx, tx, in.name, m.unifyOptions())
		return wrapLocked(err)
	})
	return report, err
}

// separate undoes UnifyRuntimes on Postgres.
func (m *Migrator) separate(ctx context.Context, tx bun.IDB, in *inspection) (report *unify.Report, err error) {
	err = onCallersPath(ctx, tx, func() (err error) {
		report, err = unify.Down(ctx, tx, in.name, m.unifyOptions())
		return wrapLocked(err)
	})
	return report, err
}

func (m *Migrator) unifyOptions() unify.Options {
	return unify.Options{LockTimeout: m.cfg.LockTimeout, Logger: m.cfg.Logger, Force: m.cfg.Force}
}

// wrapLocked turns unify's error for a lock timeout into this package's.
func wrapLocked(err error) error {
	if errors.Is(err, unify.ErrLocked) {
		return fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return err
}
