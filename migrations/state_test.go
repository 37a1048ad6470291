package migrations_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

func TestLegacyIsAdoptedAndGivenBack(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, "platform")
	run(t, db, `INSERT INTO platform.runtime (ref, runtime_type, name, distributions) VALUES
		('core.action.python', 'action', 'Python', '{}'), ('core.sensor.python', 'sensor', 'Python', '{}')`)
	before := objects(t, db)

	res := up(t, db.DB, migrations.Config{})
	if diff := cmp.Diff(done(migrations.Baseline), res.Done); diff != "" || res.Before != migrations.StateLegacy {
		t.Errorf("before = %q, want legacy; done (-want +got):\n%s", res.Before, diff)
	}
	if res.Unify == nil {
		t.Error("no report of the unification")
	}
	if got := strs(t, db, `SELECT ref FROM platform.runtime`); len(got) != 1 || got[0] != "core.python" {
		t.Errorf("runtimes = %v, want core.python", got)
	}
	if res := downTo(t, db.DB, migrations.Baseline, migrations.Config{}); !res.Done[0].Adopted {
		t.Errorf("undone = %+v, want an adopted baseline", res.Done)
	}
	if diff := cmp.Diff(before, objects(t, db)); diff != "" {
		t.Errorf("the installation is not what it was (-before +after):\n%s", diff)
	}
	if n := count(t, db, `SELECT count(*) FROM platform.runtime`); n != 2 {
		t.Errorf("%d runtimes, want 2", n)
	}
}

// unifiedByOthers creates a database that another migration has unified, without anything of attune's
// alone.
func unifiedByOthers(t *testing.T, db testDB) {
	t.Helper()
	legacy(t, db.DB, "platform")
	run(t, db,
		`ALTER TABLE platform.runtime DROP CONSTRAINT runtime_ref_format`,
		`ALTER TABLE platform.runtime DROP COLUMN runtime_type`,
		`DROP TYPE platform.runtime_type_enum`,
		`INSERT INTO platform.runtime (ref, name, distributions) VALUES ('core.python', 'Python', '{}')`,
		`INSERT INTO platform.sensor (ref, label, entrypoint, runtime, runtime_ref)
			SELECT 'core.watch', 'Watch', 'w.py', id, 'core.sensor.python' FROM platform.runtime`)
}

func TestUnifiedByOthersIsAGuests(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	unifiedByOthers(t, db)
	res := up(t, db.DB, migrations.Config{})
	if diff := cmp.Diff(done(migrations.Baseline, migrations.UnifyRuntimes), res.Done); diff != "" || res.Before != migrations.StateUnified {
		t.Errorf("before = %q, want unified; done (-want +got):\n%s", res.Before, diff)
	}
	if got := strs(t, db, `SELECT runtime_ref FROM platform.sensor`); got[0] != "core.sensor.python" {
		t.Errorf("the ref is %v, want it left alone", got)
	}
	found, err := migrations.Drift(context.Background(), db.DB, "")
	if err != nil || len(found) > 0 {
		t.Errorf("Drift = %v, %v; want none", found, err)
	}
	adopted := objects(t, db)
	downTo(t, db.DB, migrations.Baseline, migrations.Config{})
	if n := count(t, db, `SELECT count(*) FROM platform.sensor`); n != 1 {
		t.Errorf("%d sensors after down, want 1", n)
	}
	up(t, db.DB, migrations.Config{})
	if diff := cmp.Diff(adopted, objects(t, db)); diff != "" {
		t.Errorf("adopting again led elsewhere (-first +second):\n%s", diff)
	}
}

func TestMixedStatesAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sql  []string
		says []string
	}{
		{"a table is missing", []string{`DROP TABLE platform.pack CASCADE`}, []string{"table pack is missing"}},
		{"two tables are missing", []string{`DROP TABLE platform.worker, platform.runtime CASCADE`}, []string{"table worker is missing", "table runtime is missing"}},
		{"a table is a view", []string{`DROP TABLE platform.action`, `CREATE VIEW platform.action AS SELECT 1 AS id`}, []string{"action is not a table"}},
		{"columns are missing", []string{`ALTER TABLE platform.pack DROP COLUMN label, DROP COLUMN version`}, []string{"table pack lacks label, version"}},
		{"the column without the enum", []string{
			`DROP INDEX platform.idx_runtime_type_sensor`,
			`ALTER TABLE platform.runtime ALTER runtime_type TYPE text`, `DROP TYPE platform.runtime_type_enum CASCADE`},
			[]string{"runtime.runtime_type must be of type runtime_type_enum, got text", "the type runtime_type_enum is missing"}},
		{"the enum without the column", []string{`ALTER TABLE platform.runtime DROP COLUMN runtime_type`}, []string{"the type runtime_type_enum exists, but runtime has no runtime_type"}},
		{"the enum with other values", []string{`ALTER TYPE platform.runtime_type_enum ADD VALUE 'rule'`}, []string{"must have the values action and sensor, got action, sensor, rule"}},
		{"legacy and unified", []string{`CREATE TABLE platform.runtime_unification (id bigint)`}, []string{"runtime has runtime_type, but runtime_unification exists"}},
		{"another's table of our name", []string{`CREATE TABLE platform.worker_runtime (id bigint)`}, []string{"the name worker_runtime is taken", migrations.WorkerRuntime}},
		{"another's table of records", []string{`CREATE TABLE platform.attune_migrations (version bigint)`}, []string{"attune_migrations is not the migrator's table", "requires"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			db := testdb.EmptyPostgres(t)
			legacy(t, db.DB, "platform")
			run(t, db, c.sql...)
			before := objects(t, db)
			m := migrator(t, db.DB, migrations.Config{Schema: "platform"})
			_, upErr := m.Up(ctx)
			_, planErr := m.Plan(ctx)
			_, checkErr := m.Check(ctx)
			for call, err := range map[string]error{"Up": upErr, "Plan": planErr, "Check": checkErr} {
				if !errors.Is(err, migrations.ErrMixed) {
					t.Fatalf("%s: %v, want ErrMixed", call, err)
				}
				for _, want := range append(c.says, "expected", `"platform"`) {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s does not say %q: %v", call, want, err)
					}
				}
			}
			st, err := m.Status(ctx)
			if err != nil || st.State != migrations.StateMixed || len(st.Findings) == 0 {
				t.Errorf("Status = %+v, %v; want mixed with findings", st, err)
			}
			if diff := cmp.Diff(before, objects(t, db)); diff != "" {
				t.Errorf("a refused up changed the catalog (-before +after):\n%s", diff)
			}
		})
	}
}

func TestRecordsThatContradictTheSchema(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	run(t, db, `CREATE TYPE mood AS ENUM ('action', 'sensor')`, `ALTER TABLE runtime ADD COLUMN runtime_type mood`)
	_, err := migrator(t, db.DB, migrations.Config{}).Check(context.Background())
	if !errors.Is(err, migrations.ErrMixed) || !strings.Contains(err.Error(), "is recorded as applied") {
		t.Errorf("Check: %v, want ErrMixed about the record", err)
	}
}

func TestSQLiteStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sql  []string
		err  error
		says string
	}{
		{"others' tables", []string{`CREATE TABLE worker (id INTEGER, salary REAL)`}, migrations.ErrNotOurs, "worker exists without"},
		{"tables without a record", []string{
			`CREATE TABLE runtime (id INTEGER, ref TEXT, name TEXT, distributions TEXT)`}, migrations.ErrMixed, "has no record of them"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := testdb.EmptySQLite(t)
			run(t, db, c.sql...)
			_, err := migrator(t, db.DB, migrations.Config{}).Up(context.Background())
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Up: %v, want %v that says %q", err, c.err, c.says)
			}
		})
	}
	t.Run("a later table is gone", func(t *testing.T) {
		db := testdb.EmptySQLite(t)
		up(t, db.DB, migrations.Config{})
		run(t, db, `DROP TABLE capability_change`)
		_, err := migrator(t, db.DB, migrations.Config{}).Check(context.Background())
		wantError(t, "Check", err, migrations.ErrMixed, "capability_change is missing")
	})
	t.Run("a table is gone", func(t *testing.T) {
		db := testdb.EmptySQLite(t)
		up(t, db.DB, migrations.Config{})
		run(t, db, `DROP TABLE runtime_version`)
		_, err := migrator(t, db.DB, migrations.Config{}).Check(context.Background())
		if !errors.Is(err, migrations.ErrMixed) || !strings.Contains(err.Error(), "table runtime_version is missing") {
			t.Errorf("Check: %v, want ErrMixed", err)
		}
	})
}
