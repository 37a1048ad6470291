package migrations_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/migrations/internal/unify"
	"github.com/attune-go/attune/schema/database/pool"
)

var (
	legacySeed  = flag.Uint64("legacy-seed", 0, "the first seed of TestLegacyPlanAndUpAgree (default: random)")
	legacyCount = flag.Uint64("legacy-count", 12, "the number of databases that TestLegacyPlanAndUpAgree makes")
)

// TestLegacyPlanAndUpAgree: what the plan of a random legacy database accepts is applied. What up refuses, the plan
// names in the same words, and the database is left as it was. Down restores the catalog and the rows.
func TestLegacyPlanAndUpAgree(t *testing.T) {
	t.Parallel()
	first := *legacySeed
	if first == 0 {
		first = rand.Uint64N(1 << 32)
	}
	t.Logf("repeat with -legacy-seed %d", first)
	for seed := first; seed < first+*legacyCount; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			odd := int(seed-first) % 5
			if !legacyPlanAndUp(t, rand.New(rand.NewPCG(seed, 13)), odd) && odd == 0 {
				t.Error("a database in which nothing is odd is refused")
			}
		})
	}
}

// legacyPlanAndUp reports whether up accepts a database with n random oddities.
func legacyPlanAndUp(t *testing.T, r *rand.Rand, n int) bool {
	t.Helper()
	db := legacyInstallation(t)
	done := legacyOddities(t, db, r, n)
	before, rows := platform.Snapshot(t, db), platform.Rows(t, db)
	m := migrator(t, db.DB, migrations.Config{Schema: platform.Schema})
	plan, planErr := m.Plan(t.Context())
	if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("the plan changed something (-before +after):\n%s\n%s", diff, done)
	}
	_, upErr := m.Up(t.Context())
	var obstacles []unify.Obstacle
	if plan != nil && plan.Unify != nil {
		obstacles = plan.Unify.Obstacles
	}
	var refused *unify.ObstacleError
	switch {
	case upErr == nil && planErr == nil && len(obstacles) == 0:
		if again, err := m.Plan(t.Context()); err != nil || again.Due() {
			t.Errorf("plan after up: %+v, %v\n%s", again, err, done)
		}
		downTo(t, db.DB, migrations.Baseline, migrations.Config{Schema: platform.Schema})
		if diff := cmp.Diff(slices.DeleteFunc(before, isOfRows), slices.DeleteFunc(platform.Snapshot(t, db), isOfRows)); diff != "" {
			t.Errorf("catalog after down (-before +after):\n%s\n%s", diff, done)
		}
		if diff := cmp.Diff(rows, platform.Rows(t, db)); diff != "" {
			t.Errorf("rows after down (-before +after):\n%s\n%s", diff, done)
		}
		return true
	case errors.As(upErr, &refused):
		if diff := cmp.Diff(obstacles, refused.Obstacles); diff != "" {
			t.Errorf("obstacles (-plan +up):\n%s\n%s", diff, done)
		}
	case upErr == nil || planErr == nil || reason(upErr) != reason(planErr):
		t.Errorf("%s\nplan: %v, %v\nup: %v", done, planErr, obstacles, upErr)
	}
	if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("a refused up changed something (-before +after):\n%s\n%s", diff, done)
	}
	return false
}

// reason returns the text of an error without what was being done.
func reason(err error) string {
	text := err.Error()
	if _, behind, ok := strings.Cut(text, ": "); ok {
		return behind
	}
	return text
}

// isOfRows reports whether a line of a snapshot depends on the order of columns.
func isOfRows(line string) bool { return strings.HasPrefix(line, "rows ") }

// legacyInstallation returns a legacy database with rows of every kind.
func legacyInstallation(t *testing.T) testDB {
	t.Helper()
	var scripts []string
	for _, name := range []string{"postgres/20260203000000_baseline.up.sql", "internal/unify/testdata/installation.sql"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, strings.NewReplacer("{schema}", platform.Schema, "{plain}", platform.Schema).Replace(string(text)))
	}
	return testdb.Platform(t, "legacy "+strings.Join(scripts, ""), func(ctx context.Context, db *bun.DB) error {
		for _, s := range append([]string{"CREATE SCHEMA " + platform.Schema}, scripts...) {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// legacyNames are names that attune takes in a database of its own.
var legacyNames = strings.Fields(`runtime_version worker_runtime capability_change worker_sweep worker_label worker_taint worker_cordon
	worker_operator_taint definition_mark runtime_unification runtime_unification_ledger runtime_unification_catalog attune_migrations
	attune_token attune_session attune_audit available_runtime idx_runtime_name idx_runtime_verification idx_worker_name_order
	idx_worker_runtime_available idx_capability_change_name idx_worker_label_key worker_identity_key worker_runtime_id_seq
	version_key version_constraint_valid worker_heartbeat sweep_workers prune_changes worker_copy_labels worker_stamp_heartbeat
	definition_mark_count worker_bound_values worker_follow_labels worker_runtime_delete runtime_version_pkey`)

// legacyOddities applies n random statements that make the database different, and returns them.
func legacyOddities(t *testing.T, db testDB, r *rand.Rand, n int) string {
	t.Helper()
	var names struct{ Database, Role string }
	if err := db.NewRaw(`SELECT current_database() AS database, current_user AS role`).Scan(t.Context(), &names); err != nil {
		t.Fatal(err)
	}
	var done []string
	for range 20 * n { // some fail
		name := legacyNames[r.IntN(len(legacyNames))]
		s := platform.Oddity(r)
		if r.IntN(2) == 0 {
			s = fmt.Sprintf([]string{
				`CREATE TABLE attune.%s (id bigserial PRIMARY KEY, runtime bigint, version text, UNIQUE (runtime, version))`,
				`CREATE TABLE attune.%s (id bigserial PRIMARY KEY, runtime bigint, version text, UNIQUE (runtime, version)); ALTER TABLE attune.%[1]s RENAME TO former`,
				`CREATE VIEW attune.%s AS SELECT id FROM attune.worker`,
				`CREATE INDEX %s ON attune.worker (name)`,
				`CREATE SEQUENCE attune.%s`,
				`CREATE TYPE attune.%s AS ENUM ('action', 'sensor')`,
				`CREATE FUNCTION attune.%s() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
				`CREATE FUNCTION attune.%s(text) RETURNS text LANGUAGE sql AS 'SELECT $1'`,
				`CREATE FUNCTION attune.%s(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT $2'`,
				`CREATE TRIGGER %s BEFORE UPDATE ON attune.worker FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
				`ALTER TABLE attune.worker ADD CONSTRAINT %s UNIQUE (id)`,
			}[r.IntN(11)], name)
		}
		s = strings.NewReplacer("{role}", names.Role, "{database}", names.Database).Replace(s)
		err := db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
			_, err := tx.Exec(s)
			return err
		})
		if err == nil && !slices.Contains(done, s) {
			done = append(done, s)
		}
		if len(done) == n {
			break
		}
	}
	pool.Rest(db.DB) // new connections have the settings
	return strings.Join(done, ";\n")
}
