package migrations_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

const somePack = `INSERT INTO pack (ref, label, version) VALUES ('acme', 'Acme', '1')`

func TestDownKeepsRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		ctx := context.Background()
		empty := objects(t, db)
		up(t, db.DB, migrations.Config{})
		run(t, db, somePack)
		downTo(t, db.DB, migrations.UnifyRuntimes, migrations.Config{})

		plan, err := migrator(t, db.DB, migrations.Config{}).PlanDown(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"table pack holds 1 row"}, plan.Blockers); diff != "" || !plan.Forcible || !plan.Named || plan.Step.ID != migrations.Baseline {
			t.Errorf("plan = %+v, blockers (-want +got):\n%s", plan, diff)
		}
		_, err = migrator(t, db.DB, migrations.Config{}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrInUse, "table pack holds 1 row;")
		// Forcing one migration after another does not ask for this.
		_, err = migrator(t, db.DB, migrations.Config{Force: true}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrInUse, "table pack holds 1 row;")
		_, err = migrator(t, db.DB, migrations.Config{Force: true, Undo: migrations.WorkerRuntime}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrNotNewest, migrations.WorkerRuntime, migrations.Baseline)
		_, err = migrator(t, db.DB, migrations.Config{Undo: migrations.Baseline}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrInUse, "table pack holds 1 row;")
		if n := count(t, db, "SELECT count(*) FROM pack"); n != 1 {
			t.Errorf("%d packs after a refused down, want 1", n)
		}
		res := down(t, db.DB, migrations.Config{Force: true, Undo: migrations.Baseline})
		if !slices.Contains(res.Dropped, migrations.DroppedTable{Table: "pack", Rows: 1}) || !slices.Contains(res.Dropped, migrations.DroppedTable{Table: "worker"}) {
			t.Errorf("dropped were %v", res.Dropped)
		}
		if diff := cmp.Diff(empty, objects(t, db)); diff != "" {
			t.Errorf("a forced down left things (-want +got):\n%s", diff)
		}
	})
}

func TestDownDropsNothingOfOthers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		ctx := context.Background()
		downTo(t, db.DB, migrations.UnifyRuntimes, migrations.Config{})
		want := []string{
			"table invoice has a foreign key to runtime",
			"trigger count_invoices uses pack",
			"view names uses runtime",
		}
		if db.Dialect().Name() == dialect.PG {
			run(t, db, `CREATE TABLE invoice (id bigserial PRIMARY KEY, runtime bigint REFERENCES runtime (id), kind worker_type_enum)`,
				`CREATE VIEW names AS SELECT name FROM runtime`,
				`CREATE FUNCTION latest(worker_status_enum) RETURNS worker LANGUAGE sql AS 'SELECT NULL::worker'`)
			want = []string{
				"column kind of table public.invoice",
				"constraint invoice_runtime_fkey on table public.invoice",
				"function public.latest(public.worker_status_enum)",
				"rule _RETURN on view public.names",
			}
		} else {
			run(t, db, `CREATE TABLE invoice (id INTEGER PRIMARY KEY, runtime INTEGER REFERENCES runtime (id))`,
				`CREATE VIEW names AS SELECT name FROM runtime`,
				`CREATE TRIGGER count_invoices AFTER INSERT ON invoice BEGIN UPDATE "pack" SET label = label; END`)
		}
		before := objects(t, db)
		plan, err := migrator(t, db.DB, migrations.Config{}).PlanDown(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plan.Blockers); diff != "" || plan.Forcible {
			t.Errorf("forcible = %v, blockers (-want +got):\n%s", plan.Forcible, diff)
		}
		_, err = migrator(t, db.DB, migrations.Config{Force: true}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrInUse, want...)
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("a refused down changed the catalog (-before +after):\n%s", diff)
		}
	})
}

func TestNothingToUndo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		_, err := migrator(t, db.DB, migrations.Config{}).Down(context.Background())
		wantError(t, "Down", err, migrations.ErrNothingApplied)
		_, err = migrator(t, db.DB, migrations.Config{}).PlanDown(context.Background())
		wantError(t, "PlanDown", err, migrations.ErrNothingApplied)
	})
}
