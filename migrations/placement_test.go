package migrations_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestPlacement: the migration goes up, down and up again. It refuses to go down while an operator's row or the
// requirement of an action would be lost.
func TestPlacement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		up(t, db.DB, migrations.Config{})
		after := objects(t, db)
		run(t, db, someWorker, `INSERT INTO pack (ref, label, version) VALUES ('etl', 'ETL', '1')`,
			`INSERT INTO action (ref, pack, pack_ref, label, entrypoint) SELECT 'etl.load', id, ref, 'l', 'e' FROM pack`)
		for name, c := range map[string]struct{ fault, mend string }{
			"table worker_cordon holds 1 row":                      {`INSERT INTO worker_cordon (worker, reason) SELECT id, 'disk' FROM worker`, `DELETE FROM worker_cordon`},
			"table worker_operator_taint holds 1 row":              {`INSERT INTO worker_operator_taint (worker, key, effect) SELECT id, 'gpu', 'no_schedule' FROM worker`, `DELETE FROM worker_operator_taint`},
			"table action holds requirements of workers in 1 row":  {`UPDATE action SET worker_selector = '{"zone": "a"}'`, `UPDATE action SET worker_selector = '{}'`},
			"table action holds requirements of workers in 1 row ": {`UPDATE action SET required_worker_runtimes = '{"python": "3"}'`, `UPDATE action SET required_worker_runtimes = '{}'`},
		} {
			run(t, db, c.fault)
			_, err := migrator(t, db.DB, migrations.Config{}).Down(t.Context())
			var use *migrations.UseError
			if !errors.As(err, &use) || !slices.Contains(use.Blockers, strings.TrimSpace(name)) {
				t.Errorf("down: %v, want %q", err, name)
			}
			run(t, db, c.mend)
		}
		run(t, db, `UPDATE action SET worker_selector = '{"zone": "a"}'`)
		downTo(t, db.DB, migrations.Placement, migrations.Config{Force: true})
		before := objects(t, db)
		up(t, db.DB, migrations.Config{})
		if diff := cmp.Diff(after, objects(t, db)); diff != "" {
			t.Errorf("up for the second time (-first +second):\n%s", diff)
		}
		downTo(t, db.DB, migrations.Placement, migrations.Config{})
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("after down (-before +after):\n%s", diff)
		}
		if n := count(t, db, `SELECT count(*) FROM action`); n != 1 {
			t.Errorf("%d actions are left", n)
		}
	})
}

// TestPlacementBesideColumns: a database that an earlier release adopted can have the platform's columns. They stay
// as they are, also on the way down.
func TestPlacementBesideColumns(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	up(t, db.DB, migrations.Config{})
	downTo(t, db.DB, migrations.Placement, migrations.Config{})
	run(t, db, `ALTER TABLE action ADD COLUMN worker_selector jsonb DEFAULT '{}'`, `ALTER TABLE sensor ADD COLUMN worker_affinity jsonb`)
	before := objects(t, db)
	up(t, db.DB, migrations.Config{})
	if n := count(t, db, `SELECT count(*) FROM information_schema.columns WHERE column_name IN ('required_worker_runtimes', 'worker_selector', 'worker_tolerations', 'worker_affinity')`); n != 8 {
		t.Errorf("%d columns, want 8", n)
	}
	downTo(t, db.DB, migrations.Placement, migrations.Config{})
	if diff := cmp.Diff(before, objects(t, db)); diff != "" {
		t.Errorf("after up and down (-before +after):\n%s", diff)
	}
}

// TestRequirementsOfAGuest: beside a platform's tables, wrong requirements are warned of by default and refused where
// the guards refuse, in attune's table and in the platform's columns.
func TestRequirementsOfAGuest(t *testing.T) {
	t.Parallel()
	for _, shape := range []platform.Shape{platform.V, platform.A} {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			db := testdb.EmptyPostgres(t)
			platform.Make(t, db, shape)
			statements := []string{`INSERT INTO attune.attune_requirement (action, worker_selector) SELECT id, '["zone"]' FROM attune.action WHERE ref = 'etl.load'`}
			if shape.Has(platform.A) {
				statements = append(statements, `UPDATE attune.action SET worker_tolerations = '[{"key": 7}]'`, `UPDATE attune.sensor SET worker_affinity = '{"required": 1}'`)
			}
			up(t, db.DB, migrations.Config{Guards: migrations.GuardingRefuse})
			for _, s := range statements {
				if _, err := db.ExecContext(t.Context(), s); err == nil || !strings.Contains(err.Error(), ": must be ") {
					t.Errorf("%s: %v, want it refused", s, err)
				}
			}
			up(t, db.DB, migrations.Config{Guards: migrations.GuardingWarn})
			run(t, db, statements...)
			if st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context()); err != nil || !st.AsExpected() || st.Guards != migrations.GuardsInPlace {
				t.Errorf("%+v, %v", st, err)
			}
			run(t, db, `DELETE FROM attune.attune_requirement`)
			for range 5 {
				down(t, db.DB, migrations.Config{Force: true})
			}
		})
	}
}
