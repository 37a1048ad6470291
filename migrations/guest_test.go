package migrations_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/migrations"
)

// eachShape runs a test on a database of each shape of the platform.
func eachShape(t *testing.T, test func(t *testing.T, db testDB, shape platform.Shape)) {
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			db := platform.New(t, shape)
			test(t, db, shape)
		})
	}
}

// TestGuestChangesNothingOfThePlatform: neither up nor anything after it changes the platform's objects
// and rows, and down restores the previous state.
func TestGuestChangesNothingOfThePlatform(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		ctx := context.Background()
		before := platform.Snapshot(t, db)
		same := func(when string, want, got []string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-before +after):\n%s", when, diff)
			}
		}
		plan, err := migrator(t, db.DB, migrations.Config{}).Plan(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !plan.Guest || plan.Unify != nil || plan.Schema != platform.Schema {
			t.Errorf("plan = %+v, want a guest in %s", plan, platform.Schema)
		}
		same("plan", before, platform.Snapshot(t, db))
		for range 2 {
			res := up(t, db.DB, migrations.Config{})
			if diff := cmp.Diff(done(migrations.Baseline, migrations.UnifyRuntimes), res.Done); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			moved := platform.Snapshot(t, db)
			same("up", platform.Theirs(before), platform.Theirs(moved))
			platform.Run(t, db, shape)
			same("the platform's statements", moved, platform.Snapshot(t, db))
			if _, err := migrator(t, db.DB, migrations.Config{}).Check(ctx); err != nil {
				t.Errorf("Check: %v", err)
			}
			downTo(t, db.DB, migrations.Baseline, migrations.Config{})
			same("down", before, platform.Snapshot(t, db))
		}
		up(t, db.DB, migrations.Config{})
		platform.Advance(t, db, shape, platform.C)
		platform.Run(t, db, platform.C)
		if _, err := migrator(t, db.DB, migrations.Config{}).Check(ctx); err != nil {
			t.Errorf("Check after the platform's migrations: %v", err)
		}
		downTo(t, db.DB, migrations.Baseline, migrations.Config{})
		platform.Run(t, db, platform.C)
	})
}

// TestGuestBesideATwin: a platform that works and goes on to its last shape beside attune ends with the same rows and
// catalog as one without attune, on each shape.
func TestGuestBesideATwin(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		twin := platform.New(t, shape)
		up(t, db.DB, migrations.Config{})
		for _, one := range []testDB{db, twin} {
			platform.Work(t, one, shape)
			if shape != platform.C {
				platform.Advance(t, one, shape, platform.C)
			}
		}
		want := platform.Rows(t, twin)
		if diff := cmp.Diff(want, platform.Rows(t, db)); diff != "" {
			t.Errorf("rows (-without attune +with attune):\n%s", diff)
		}
		up(t, db.DB, migrations.Config{})
		downTo(t, db.DB, migrations.Baseline, migrations.Config{})
		if diff := cmp.Diff(want, platform.Rows(t, db)); diff != "" {
			t.Errorf("rows after down (-without attune +with attune):\n%s", diff)
		}
		catalog := func(db testDB) []string {
			return slices.DeleteFunc(platform.Snapshot(t, db), func(line string) bool {
				return strings.HasPrefix(line, "rows ")
			})
		}
		if diff := cmp.Diff(catalog(twin), catalog(db)); diff != "" {
			t.Errorf("catalog after down (-without attune +with attune):\n%s", diff)
		}
	})
}
