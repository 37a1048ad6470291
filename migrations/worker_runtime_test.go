package migrations_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

const (
	somePython = `INSERT INTO runtime (ref, name) VALUES ('core.python', 'Python')`
	someWorker = `INSERT INTO worker (name, worker_type, status, heartbeat_interval, last_heartbeat) VALUES ('host-1', 'local', 'active', 30, CURRENT_TIMESTAMP)`
	someRow    = `INSERT INTO worker_runtime (worker, runtime, runtime_ref, name, active, outcome, version, sort_key, path)
		VALUES (1, 1, 'core.python', 'python', true, 'available', '3.12.1', 'A3B12A1.', '/usr/bin/python3')`
	someChange = `INSERT INTO capability_change (worker, worker_name, worker_role, runtime_ref, name, kind) VALUES (1, 'host-1', 'action', 'core.python', 'python', 'gained')`
)

func TestAvailableRuntime(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		run(t, db, somePython, someWorker, someRow,
			`INSERT INTO worker_runtime (worker, runtime_ref, name, active, outcome) VALUES (1, 'core.native', 'native', true, 'available'), (1, 'core.ruby', 'ruby', false, 'not_found')`)
		shown := func(want ...string) {
			t.Helper()
			got := strs(t, db, `SELECT CAST(worker AS text) || ' ' || CAST(role AS text) || ' ' || ref || ' ' || name || ' ' || coalesce(version, '-') || ' ' ||
				coalesce(key, '-') || ' ' || coalesce(path, '-') || ' ' || worker_name FROM available_runtime ORDER BY ref`)
			if diff := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		native, python := "1 action core.native native - - - host-1", "1 action core.python python 3.12.1 A3B12A1. /usr/bin/python3 host-1"
		shown(native, python)
		for _, status := range []string{`'inactive'`, `'busy'`, `'error'`, `NULL`} {
			run(t, db, `UPDATE worker SET status = `+status)
			shown()
			run(t, db, `UPDATE worker SET status = 'active'`)
			shown(native, python)
		}
		// A worker becomes inactive after exactly three intervals without a heartbeat.
		beat := `UPDATE worker SET last_heartbeat = CURRENT_TIMESTAMP - interval 'AGE seconds'`
		if db.Dialect().Name() == dialect.SQLite {
			beat = `UPDATE worker SET last_heartbeat = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-AGE seconds')`
		}
		run(t, db, strings.Replace(beat, "AGE", "60", 1))
		shown(native, python)
		run(t, db, strings.Replace(beat, "AGE", "90", 1))
		shown()
		for _, unknown := range []string{"heartbeat_interval = NULL", "heartbeat_interval = 30, last_heartbeat = NULL"} {
			run(t, db, strings.Replace(beat, "AGE", "0", 1), `UPDATE worker SET `+unknown)
			shown()
		}
	})
}

// TestWhatOutlivesWhat: rows survive the deletion of their runtime, and the history the deletion of its
// worker.
func TestWhatOutlivesWhat(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		run(t, db, somePython, someWorker, someRow, someChange, `DELETE FROM runtime`)
		if n := count(t, db, `SELECT count(*) FROM worker_runtime WHERE runtime IS NULL AND runtime_ref = 'core.python'`); n != 1 {
			t.Errorf("%d rows of the deleted runtime are left, want 1", n)
		}
		run(t, db, `DELETE FROM worker`)
		if n := count(t, db, `SELECT count(*) FROM worker_runtime`); n != 0 {
			t.Errorf("%d rows of the deleted worker are left", n)
		}
		if got := strs(t, db, `SELECT worker_name || ' ' || worker_role FROM capability_change WHERE worker IS NULL`); len(got) != 1 || got[0] != "host-1 action" {
			t.Errorf("the history of the deleted worker is %v", got)
		}
	})
}

func TestHistoryIsNotDroppedUnasked(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		ctx := context.Background()
		run(t, db, somePython, someWorker, someRow, someChange)
		downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
		plan, err := migrator(t, db.DB, migrations.Config{}).PlanDown(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want := &migrations.DownPlan{
			Database: plan.Database, Schema: plan.Schema, State: migrations.StateUnified, Step: migrations.Step{ID: migrations.WorkerRuntime, Requires: "0.1.0"},
			Drops:    []string{"worker_runtime", "capability_change", "worker_sweep", "available_runtime"},
			Rows:     map[string]int64{"worker_runtime": 1, "capability_change": 1, "worker_sweep": 1},
			Blockers: []string{"table capability_change holds 1 row"}, Forcible: true,
		}
		if diff := cmp.Diff(want, plan); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		_, err = migrator(t, db.DB, migrations.Config{}).Down(ctx)
		wantError(t, "Down", err, migrations.ErrInUse, "capability_change holds 1 row;")
		dropped := []migrations.DroppedTable{{Table: "worker_runtime", Rows: 1}, {Table: "capability_change", Rows: 1}, {Table: "worker_sweep", Rows: 1}}
		if diff := cmp.Diff(dropped, down(t, db.DB, migrations.Config{Force: true}).Dropped); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
		// The worker's runtimes come back with its next report. The rest was not touched.
		if n := count(t, db, `SELECT count(*) FROM worker`); n != 1 {
			t.Errorf("%d workers are left, want 1", n)
		}
		up(t, db.DB, migrations.Config{})
	})
}

func TestDownKeepsWhatOthersHungOnIt(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		run(t, db, `CREATE VIEW pythons AS SELECT worker FROM worker_runtime WHERE name = 'python'`)
		downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
		_, err := migrator(t, db.DB, migrations.Config{Force: true}).Down(context.Background())
		wantError(t, "Down", err, migrations.ErrInUse, "pythons")
	})
}

func TestWrongConstraintsAreRefusedByPostgres(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	run(t, db, somePack, somePython)
	action := `INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime_version_constraint) VALUES ('acme.a', 1, 'acme', 'A', 'a', `
	sensor := `INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref, runtime_version_constraint) VALUES ('acme.s', 'S', 's', 1, 'core.python', `
	for _, insert := range []string{action, sensor} {
		if _, err := db.Exec(insert + `'>=3.12,<4,')`); err == nil || !strings.Contains(err.Error(), "runtime_version_constraint_check") {
			t.Errorf("%s: %v, want it refused", insert, err)
		}
		run(t, db, insert+`'>=3.12,<4')`)
	}
	run(t, db, `UPDATE action SET runtime_version_constraint = NULL`)
}

// TestNewTablesBelongWhereWorkerBelongs: new tables have the owner and privileges of worker, in a schema
// of any name.
func TestNewTablesBelongWhereWorkerBelongs(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, `"pla't.form"`)
	_, owner := asRole(t, db)
	service, role := asRole(t, db)
	run(t, db, `GRANT USAGE, CREATE ON SCHEMA "pla't.form" TO `+owner, `GRANT USAGE ON SCHEMA "pla't.form" TO `+role,
		`ALTER TABLE "pla't.form".worker OWNER TO `+owner,
		`GRANT SELECT, INSERT, UPDATE ON "pla't.form".worker TO `+role, `GRANT USAGE ON "pla't.form".worker_id_seq TO `+role,
		`ALTER TABLE "pla't.form".worker SET (fillfactor = 90)`)
	up(t, db.DB, migrations.Config{})

	got := strs(t, db, `SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname ~ '^(worker_runtime|capability_change|worker_sweep|available_runtime)' AND relkind <> 't'`)
	if len(got) != 1 || got[0] != owner {
		t.Errorf("the new tables belong to %v, want %s", got, owner)
	}
	run(t, service, `SET search_path = "pla't.form"`,
		`INSERT INTO worker (name, worker_type, status) VALUES ('host-1', 'local', 'active')`,
		`INSERT INTO worker_runtime (worker, runtime_ref, name, active, outcome) VALUES (1, 'core.native', 'native', true, 'available')`,
		`INSERT INTO capability_change (worker, worker_name, worker_role, runtime_ref, name, kind) VALUES (1, 'host-1', 'action', 'core.native', 'native', 'gained')`,
		`SELECT * FROM available_runtime WHERE key >= version_key('3')`, `UPDATE worker SET status = 'inactive'`)
	if _, err := service.Exec(`DELETE FROM capability_change`); err == nil {
		t.Error("a role that may not delete workers may delete their history")
	}

	options := `SELECT unnest(reloptions) FROM pg_class WHERE oid = '"pla''t.form".worker'::regclass ORDER BY 1`
	if diff := cmp.Diff([]string{"fillfactor=90", "toast_tuple_target=128"}, strs(t, db, options)); diff != "" {
		t.Errorf("storage of worker (-want +got):\n%s", diff)
	}
	downTo(t, db.DB, migrations.WorkerRuntime, migrations.Config{Force: true})
	if diff := cmp.Diff([]string{"fillfactor=90"}, strs(t, db, options)); diff != "" {
		t.Errorf("storage of worker after down (-want +got):\n%s", diff)
	}
}
