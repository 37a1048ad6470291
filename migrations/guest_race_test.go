package migrations_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/migrations"
)

// TestGuestRacesWithThePlatform: two migrators move in and out while the platform changes its tables in any
// order and its workers beat. No statement of the platform fails, and a migration ends well, waited too long, or was
// undone by the other migrator.
func TestGuestRacesWithThePlatform(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.A)
	before := platform.Theirs(platform.Snapshot(t, db))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	each := func(statements ...string) {
		theirs := open(t, db.URL)
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := theirs.ExecContext(context.WithoutCancel(ctx), statements[i%len(statements)]); err != nil {
					t.Errorf("%s: %v", statements[i%len(statements)], err)
					return
				}
				time.Sleep(30 * time.Millisecond)
			}
		})
	}
	each(`BEGIN; ALTER TABLE attune.worker ADD COLUMN os text; ALTER TABLE attune.runtime ADD COLUMN os text; SELECT pg_sleep(0.02); COMMIT`,
		`BEGIN; ALTER TABLE attune.worker DROP COLUMN os; SELECT pg_sleep(0.02); ALTER TABLE attune.runtime DROP COLUMN os; COMMIT`)
	each(`BEGIN; LOCK TABLE attune.sensor; SELECT pg_sleep(0.02); LOCK TABLE attune.action; COMMIT`)
	each(`UPDATE attune.worker SET last_heartbeat = last_heartbeat WHERE id = 1`)

	var migrating sync.WaitGroup
	for range 2 {
		m := migrator(t, open(t, db.URL), migrations.Config{Schema: platform.Schema, Force: true, LockTimeout: 3 * time.Second})
		migrating.Go(func() {
			for range 2 {
				_, err := m.Up(t.Context())
				for err == nil {
					_, err = m.Down(t.Context())
				}
				if !errors.Is(err, migrations.ErrNothingApplied) && !errors.Is(err, migrations.ErrLocked) && !errors.Is(err, migrations.ErrUndone) {
					t.Error(err)
				}
			}
		})
	}
	migrating.Wait()
	stop()
	group.Wait()
	run(t, db, `ALTER TABLE attune.worker DROP COLUMN IF EXISTS os`, `ALTER TABLE attune.runtime DROP COLUMN IF EXISTS os`)
	up(t, db.DB, migrations.Config{})
	if st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context()); err != nil || !st.AsExpected() {
		t.Errorf("status = %+v, %v", st, err)
	}
	downTo(t, db.DB, migrations.Baseline, migrations.Config{})
	if diff := cmp.Diff(withoutWorkers(before), withoutWorkers(platform.Snapshot(t, db))); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// withoutWorkers leaves out the rows of workers and their history, which heartbeats change.
func withoutWorkers(lines []string) (kept []string) {
	for _, line := range lines {
		if !strings.HasPrefix(line, "rows worker") {
			kept = append(kept, line)
		}
	}
	return kept
}
