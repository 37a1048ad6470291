package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// oddities lists peculiarities of databases close to the shapes of the platform.
var oddities = []string{
	`ALTER TABLE attune.worker ADD COLUMN identity integer`,
	`ALTER TABLE attune.worker ADD COLUMN instance jsonb NOT NULL DEFAULT '{}', ADD COLUMN heartbeat_interval text`,
	`ALTER TABLE attune.runtime ADD COLUMN digest integer`,
	`ALTER TABLE attune.worker ALTER COLUMN name TYPE varchar(80), ALTER COLUMN worker_role TYPE text`,
	`ALTER TABLE attune.worker ALTER COLUMN capabilities TYPE json`,
	`ALTER TABLE attune.worker ALTER COLUMN port TYPE bigint`,
	`DROP INDEX attune.idx_runtime_verification; ALTER TABLE attune.runtime ALTER COLUMN distributions TYPE json`,
	`ALTER TABLE attune.runtime DROP CONSTRAINT runtime_ref_lowercase`,
	`ALTER TABLE attune.worker ENABLE ROW LEVEL SECURITY`,
	`ALTER TABLE attune.runtime ADD COLUMN "odd ""name""" text`,
	`CREATE TABLE attune.worker_runtime (id text)`,
	`CREATE TABLE attune.runtime_unification_ledger (id text)`,
	`CREATE VIEW attune.workers AS SELECT * FROM attune.worker`,
	`CREATE INDEX worker_identity_key ON attune.worker (host)`,
	`CREATE FUNCTION attune.version_key(text) RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
	`CREATE TABLE attune.loud (id bigint REFERENCES attune.runtime (id) DEFERRABLE INITIALLY DEFERRED)`,
	`CREATE RULE quiet AS ON DELETE TO attune.sensor DO INSTEAD NOTHING`,
	`ALTER TABLE attune.sensor DROP CONSTRAINT sensor_runtime_fkey`,
	// These are refused.
	`CREATE TABLE attune.attune_worker_label (id text)`,
	`CREATE INDEX attune_worker_runtime_worker_idx ON attune.worker (host)`,
	`CREATE VIEW attune.available_runtime AS SELECT 1 AS one`,
	`ALTER TABLE attune.action DROP CONSTRAINT action_pkey CASCADE`,
	`ALTER TABLE attune.sensor DROP COLUMN entrypoint`,
}

// TestPlanAndUpAgree: in databases close to the shapes, up accepts what the plan accepts, and refuses
// the rest in the same words.
func TestPlanAndUpAgree(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			r := rand.New(rand.NewPCG(seed, 7))
			shape := platform.Shapes()[r.IntN(4)]
			db := testdb.EmptyPostgres(t)
			platform.Make(t, db, shape)
			for _, i := range r.Perm(len(oddities))[:1+r.IntN(4)] {
				t.Log(oddities[i])
				run(t, db, oddities[i])
			}
			before := platform.Snapshot(t, db)
			m := migrator(t, db.DB, migrations.Config{Schema: platform.Schema})
			plan, planErr := m.Plan(ctx)
			_, upErr := m.Up(ctx)
			if planErr != nil || upErr != nil {
				if planErr == nil || upErr == nil || planErr.Error() != upErr.Error() || !errors.Is(upErr, migrations.ErrMixed) {
					t.Errorf("shape %s: plan: %v\nup: %v", shape, planErr, upErr)
				}
				if strings.Contains(fmt.Sprint(upErr), "ALTER TABLE") {
					t.Errorf("the error has SQL that changes the platform: %v", upErr)
				}
				if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
					t.Errorf("a refused up changed something (-before +after):\n%s", diff)
				}
				return
			}
			if !plan.Guest {
				t.Errorf("plan = %+v, want a guest", plan)
			}
			if diff := cmp.Diff(platform.Theirs(before), platform.Theirs(platform.Snapshot(t, db))); diff != "" {
				t.Errorf("up (-before +after):\n%s", diff)
			}
			if st, err := m.Status(ctx); err != nil || !st.AsExpected() {
				t.Errorf("status = %+v, %v", st, err)
			}
			downTo(t, db.DB, migrations.Baseline, migrations.Config{Schema: platform.Schema})
			if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
				t.Errorf("down (-before +after):\n%s", diff)
			}
		})
	}
}
