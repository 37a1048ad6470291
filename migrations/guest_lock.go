package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// The time for which lockPlatform waits for one table and between attempts. All tables together take
// less than deadlock_timeout, which is a second by default, so that the platform's transactions never
// end in a deadlock.
const (
	lockAttempt = 100 * time.Millisecond
	lockPause   = 50 * time.Millisecond
)

// lockPlatform locks all tables of a platform that a migration will lock, before it changes anything. The
// platform's own migrations may lock them in another order. So it gives all of them back after a short
// wait, and tries again until Config.LockTimeout is over. Without the right to lock them, the statements
// of the migration do.
func (m *Migrator) lockPlatform(ctx context.Context, tx bun.IDB, in *inspection, mode string) error {
	var tables []string
	for _, name := range append(slices.Clone(referred), versionTable) {
		if r := in.relations[name]; r != nil && r.table {
			tables = append(tables, table(in.name, name))
		}
	}
	statement := fmt.Sprintf("SET LOCAL lock_timeout = %d; LOCK TABLE %s IN %s MODE", lockAttempt.Milliseconds(), strings.Join(tables, ", "), mode)
	for end := time.Now().Add(m.cfg.LockTimeout); ; {
		err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
		switch state := sqlState(err); {
		case state == codePrivilege || state == codeNoTable:
			return nil
		case err == nil:
			return m.limitLocks(ctx, tx)
		case state != codeLockTimeout || time.Now().After(end):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// limitLocks makes the statements of a transaction wait for Config.LockTimeout at most.
func (m *Migrator) limitLocks(ctx context.Context, tx bun.IDB) error {
	_, err := tx.NewRaw(`SELECT pg_catalog.set_config('lock_timeout', ?, true)`, fmt.Sprintf("%dms", max(m.cfg.LockTimeout.Milliseconds(), 1))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("set the lock timeout: %w", err)
	}
	return nil
}
