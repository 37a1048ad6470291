package migrations_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

const (
	firstGuard  = "attune_guard_runtime_distributions_insert"                                                                                   // of SQLite
	otherGuard  = "CREATE OR REPLACE FUNCTION attune_guard_runtime_distributions() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'" // of Postgres
	otherGuards = "CREATE VIEW attune_guard_runtime_distributions AS SELECT 'attune 00000000' AS it"                                            // of SQLite
)

// Status, the plan and Up agree on the state of the guards.
func TestGuardStates(t *testing.T) {
	t.Parallel()
	type state struct {
		statements []string
		want       migrations.GuardState
	}
	for name, states := range map[string][]state{
		"postgres": {
			{nil, migrations.GuardsInPlace},
			{[]string{ // a platform's own documents have guards too
				"CREATE TABLE tool (rules jsonb)",
				"CREATE FUNCTION attune_guard_rules() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
				"COMMENT ON FUNCTION attune_guard_rules() IS 'attune 1111111111111111'",
				"CREATE TRIGGER attune_guard_rules BEFORE INSERT ON tool FOR EACH ROW EXECUTE FUNCTION attune_guard_rules()",
			}, migrations.GuardsInPlace},
			{[]string{"DROP TRIGGER attune_guard_distributions ON runtime"}, migrations.GuardsIncomplete},
			{[]string{"ALTER TABLE runtime_version DISABLE TRIGGER attune_guard_distributions"}, migrations.GuardsIncomplete},
			{[]string{"ALTER TABLE runtime ENABLE REPLICA TRIGGER attune_guard_distributions"}, migrations.GuardsIncomplete},
			{[]string{otherGuard}, migrations.GuardsOther},
			{[]string{otherGuard, "DROP TRIGGER attune_guard_distributions ON runtime"}, migrations.GuardsOther},
			{[]string{"DROP TRIGGER attune_guard_name ON runtime", // of another column
				"CREATE TRIGGER attune_guard_name BEFORE INSERT OR UPDATE OF ref ON runtime FOR EACH ROW EXECUTE FUNCTION attune_guard_runtime_name('name')"},
				migrations.GuardsOther},
			{[]string{"CREATE SCHEMA other", "CREATE FUNCTION other.attune_guard_runtime_name() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
				"DROP TRIGGER attune_guard_name ON runtime",
				"CREATE TRIGGER attune_guard_name BEFORE INSERT OR UPDATE OF name ON runtime FOR EACH ROW EXECUTE FUNCTION other.attune_guard_runtime_name('name')"},
				migrations.GuardsOther},
			{[]string{"ALTER FUNCTION attune_guard_runtime_aliases() RESET ALL"}, migrations.GuardsOther},
			{[]string{"ALTER FUNCTION attune_guard_runtime_aliases() SECURITY DEFINER"}, migrations.GuardsOther},
			{[]string{"CREATE FUNCTION attune_guard_runtime_aliases(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"}, migrations.GuardsInPlace},
			{[]string{"DROP TRIGGER attune_guard_name ON runtime", // never
				"CREATE TRIGGER attune_guard_name BEFORE INSERT OR UPDATE OF name ON runtime FOR EACH ROW WHEN (false) EXECUTE FUNCTION attune_guard_runtime_name('name')"},
				migrations.GuardsOther},
			{[]string{"DROP FUNCTION attune_guard_runtime_distributions() CASCADE"}, migrations.GuardsIncomplete},
			{[]string{"DROP FUNCTION attune_guard_runtime_distributions(), attune_guard_runtime_aliases(), attune_guard_runtime_name(), attune_guard_runtime_execution_config(), " +
				"attune_guard_action_required_worker_runtimes(), attune_guard_action_worker_selector(), attune_guard_action_worker_tolerations(), attune_guard_action_worker_affinity() CASCADE"}, migrations.GuardsMissing},
		},
		"sqlite": {
			{nil, migrations.GuardsInPlace},
			{[]string{
				"CREATE TABLE tool (rules TEXT)",
				"CREATE VIEW attune_guard_rules AS SELECT 'attune 1111111111111111' AS digest",
				"CREATE TRIGGER attune_guard_tool_rules_insert BEFORE INSERT ON tool BEGIN SELECT 1; END",
			}, migrations.GuardsInPlace},
			{[]string{"DROP TRIGGER " + firstGuard}, migrations.GuardsIncomplete},
			{[]string{"DROP VIEW attune_guard_runtime_distributions"}, migrations.GuardsIncomplete},
			{[]string{"DROP VIEW attune_guard_runtime_distributions", otherGuards}, migrations.GuardsOther},
			{[]string{"DROP TRIGGER " + firstGuard, "CREATE TRIGGER " + firstGuard + " BEFORE INSERT ON runtime BEGIN SELECT 1; END"}, migrations.GuardsOther},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			open := map[string]func(testing.TB, ...testdb.Option) *testdb.DB{"postgres": testdb.Postgres, "sqlite": testdb.SQLite}[name]
			db := open(t)
			m := migrator(t, db.DB, migrations.Config{})
			see := func(when string, want migrations.GuardState) {
				t.Helper()
				st, err := m.Status(ctx)
				if err != nil {
					t.Fatal(err)
				}
				plan, err := m.Plan(ctx)
				if err != nil {
					t.Fatal(err)
				}
				due := want != migrations.GuardsInPlace
				if st.Guards != want || plan.Guards != want || st.AsExpected() == due || plan.Due() != due {
					t.Errorf("%s: status %q, as expected %v; plan %q, due %v; want %q", when, st.Guards, st.AsExpected(), plan.Guards, plan.Due(), want)
				}
			}
			for _, s := range states {
				run(t, db, s.statements...)
				see(fmt.Sprint(s.statements), s.want)
				if res := up(t, db.DB, migrations.Config{}); res.Guards != (s.want != migrations.GuardsInPlace) {
					t.Errorf("%s: Up says %v of guards", s.statements, res.Guards)
				}
				see(fmt.Sprint(s.statements, ", up"), migrations.GuardsInPlace)
			}
			testdb.Unguard(t, db, db.Schema)
			see("none", migrations.GuardsMissing)
		})
	}
}

// Guards of a table's partitions do not count as further guards.
func TestGuardsOfAPartitionedTable(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	run(t, db, `ALTER TABLE runtime_version RENAME TO whole`,
		`CREATE TABLE runtime_version (LIKE whole INCLUDING DEFAULTS, PRIMARY KEY (id), FOREIGN KEY (runtime) REFERENCES runtime ON DELETE CASCADE) PARTITION BY RANGE (id)`,
		`CREATE TABLE runtime_version_1 PARTITION OF runtime_version FOR VALUES FROM (0) TO (1000)`,
		`CREATE TABLE runtime_version_2 PARTITION OF runtime_version FOR VALUES FROM (1000) TO (2000)`,
		`ALTER SEQUENCE runtime_version_id_seq OWNED BY NONE`,
		`DROP TABLE whole`)
	if res := up(t, db.DB, migrations.Config{}); !res.Guards {
		t.Error("the guard of the new table is not put in place")
	}
	if res := up(t, db.DB, migrations.Config{}); res.Guards {
		t.Error("guards that are in place are put there again")
	}
}

// A migration stays applied even if the role may not create the guards.
func TestGuardsNeedTheOwner(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.Postgres(t)
	other, role := asRole(t, db)
	run(t, db, "GRANT SELECT ON attune_migrations TO "+role, "GRANT CREATE ON SCHEMA public TO "+role)
	if res := up(t, other, migrations.Config{}); res.Guards {
		t.Error("guards that are in place are put there again")
	}
	run(t, db, "ALTER TABLE runtime DISABLE TRIGGER attune_guard_distributions")
	res, err := migrator(t, other, migrations.Config{}).Up(ctx)
	wantError(t, "Up", err, migrations.ErrPrivilege, "guards of metadata", `"public"`, "all migrations are applied", "as the owner")
	if strings.Count(err.Error(), "lacks a privilege") != 1 {
		t.Errorf("the error says it twice: %v", err)
	}
	if res.Guards {
		t.Error("the result says that they are in place")
	}
	if _, err := migrator(t, other, migrations.Config{}).Check(ctx); err != nil {
		t.Errorf("a service does not begin: %v", err)
	}
}

// A reader of runtime delays the guards for a while, and is named.
func TestGuardsWaitForATable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.Postgres(t)
	run(t, db, otherGuard)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	run(t, tx, "SET LOCAL application_name = 'nightly report'", "SELECT * FROM runtime")
	pid := count(t, tx, "SELECT pg_backend_pid()")
	_, err = migrator(t, db.DB, migrations.Config{LockTimeout: shortly}).Up(ctx)
	wantError(t, "Up", err, migrations.ErrLocked, fmt.Sprintf("process %d", pid), "nightly report", "holds runtime", "all migrations are applied")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if res := up(t, db.DB, migrations.Config{LockTimeout: shortly}); !res.Guards {
		t.Error("the guards are not in place afterwards")
	}
}

// The guards refuse the legacy rows. They are dropped and created again with them, and the rows stay as
// they are.
func TestGuardsThereAndBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, "platform")
	run(t, db, `INSERT INTO platform.runtime (ref, runtime_type, name, distributions) VALUES
		('core.action.python', 'action', 'Python', '["python3"]'), ('core.sensor.python', 'sensor', 'Python', '17'),
		('acme.action.bad', 'action', 'Bad', '{"verification": {"commands": 3}, "min_version": []}')`)
	legacyRows := `SELECT ref || ' ' || runtime_type || ' ' || distributions FROM platform.runtime ORDER BY ref`
	unifiedRows := `SELECT ref || ' ' || distributions FROM platform.runtime ORDER BY ref`
	const wrong = `UPDATE platform.runtime SET distributions = '[1]'`
	refuses := func(when string) {
		t.Helper()
		if _, err := db.ExecContext(ctx, wrong); err == nil || !strings.Contains(err.Error(), "distributions: must be an object") {
			t.Errorf("%s a wrong UPDATE ends with %v", when, err)
		}
	}
	before, catalog := strs(t, db, legacyRows), objects(t, db)
	var unified []string
	for round := range 2 {
		if res := up(t, db.DB, migrations.Config{}); !res.Guards {
			t.Errorf("round %d: Up says nothing of guards", round)
		}
		if round == 0 {
			unified = strs(t, db, unifiedRows)
		} else if diff := cmp.Diff(unified, strs(t, db, unifiedRows)); diff != "" {
			t.Errorf("up for the second time led elsewhere (-first +second):\n%s", diff)
		}
		refuses("after up")
		// A row that is already wrong can still change in other columns than its metadata.
		run(t, db, `UPDATE platform.runtime SET description = 'x', distributions = distributions`, `UPDATE platform.runtime SET description = NULL`)

		downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
		plan, err := migrator(t, db.DB, migrations.Config{}).PlanDown(ctx)
		if err != nil || plan.Guards {
			t.Errorf("the plan to undo %s says that the guards go: %+v, %v", migrations.WorkerRuntime, plan, err)
		}
		if res := down(t, db.DB, migrations.Config{}); res.Guards {
			t.Errorf("Down says that guards went with %+v", res.Done)
		}
		refuses("with " + migrations.WorkerRuntime + " undone")

		plan, err = migrator(t, db.DB, migrations.Config{}).PlanDown(ctx)
		if err != nil || !plan.Guards || plan.Unify == nil || len(plan.Unify.Obstacles) > 0 {
			t.Errorf("the plan to undo %s with the guards: %+v, %v", migrations.UnifyRuntimes, plan, err)
		}
		if res := down(t, db.DB, migrations.Config{}); !res.Guards {
			t.Errorf("Down says nothing of the guards that went with %+v", res.Done)
		}
		if n := guardsLeft(t, db); n > 0 {
			t.Errorf("%d guards are left in the legacy schema", n)
		}
		if diff := cmp.Diff(before, strs(t, db, legacyRows)); diff != "" {
			t.Errorf("the legacy rows are not what they were (-before +after):\n%s", diff)
		}
	}
	run(t, db, wrong)
	down(t, db.DB, migrations.Config{})
	if diff := cmp.Diff(catalog, objects(t, db)); diff != "" {
		t.Errorf("the catalog is not what it was (-before +after):\n%s", diff)
	}
}

// The guards are created in attune's schema, whatever its name.
func TestGuardsOfASchema(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	const schema = `O'Ops "7"`
	m := migrator(t, db.DB, migrations.Config{Schema: schema})
	for range 2 {
		up(t, db.DB, migrations.Config{Schema: schema})
		st, err := m.Status(context.Background())
		if err != nil || !st.AsExpected() {
			t.Fatalf("%+v, %v", st, err)
		}
		downTo(t, db.DB, migrations.Baseline, migrations.Config{Schema: schema})
		if n := guardsLeft(t, db); n > 0 {
			t.Errorf("%d guards are left", n)
		}
	}
}
