package migrations_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestFleetOnRows: the migration finds rows of workers that are active and of workers that are not,
// and down brings back what earlier programs rely on.
func TestFleetOnRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		before := objects(t, db)
		downTo(t, db.DB, migrations.Fleet, migrations.Config{})
		earlier := objects(t, db)
		run(t, db, somePython, someWorker, someRow,
			`INSERT INTO worker (name, worker_type, status) VALUES ('host-2', 'local', 'inactive')`,
			`INSERT INTO worker_runtime (worker, runtime_ref, name, active, outcome) VALUES (2, 'core.python', 'python', false, 'available'), (2, 'core.ruby', 'ruby', false, 'not_found')`)
		active := func(want ...string) {
			t.Helper()
			got := strs(t, db, `SELECT CAST(worker AS text) || ' ' || runtime_ref FROM worker_runtime WHERE active ORDER BY id`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("active rows (-want +got):\n%s", diff)
			}
		}
		active("1 core.python")
		up(t, db.DB, migrations.Config{})
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("up for the second time (-first +second):\n%s", diff)
		}
		active("1 core.python", "2 core.python")
		version := `SELECT CAST(count(*) AS text) FROM worker_runtime`
		if db.Dialect().Name() == dialect.PG {
			version = `SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM worker_runtime`
		}
		rows := strs(t, db, version)
		run(t, db, `UPDATE worker SET status = 'inactive'`)
		if diff := cmp.Diff(rows, strs(t, db, version)); diff != "" {
			t.Errorf("a change of status wrote rows (-before +after):\n%s", diff)
		}
		if got := strs(t, db, `SELECT name FROM available_runtime`); len(got) > 0 {
			t.Errorf("available on inactive workers: %q", got)
		}
		downTo(t, db.DB, migrations.Fleet, migrations.Config{})
		if diff := cmp.Diff(earlier, objects(t, db)); diff != "" {
			t.Errorf("after down (-before +after):\n%s", diff)
		}
		active()
		run(t, db, `UPDATE worker SET status = 'active' WHERE id = 2`)
		active("2 core.python")
	})
}

// TestFleetOfAGuest: the same in a platform's database, whose own workers declare what they have.
func TestFleetOfAGuest(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.C)
	up(t, db.DB, migrations.Config{})
	before := objects(t, db)
	run(t, db, `SET search_path = attune`)
	db.SetMaxOpenConns(1)
	run(t, db, `INSERT INTO worker (id, name, worker_type, worker_role, status) VALUES (9000, 'ours', 'local', 'action', 'inactive')`,
		`INSERT INTO attune_worker_state (worker, identity, instance, status, heartbeat_interval) VALUES (9000, 'action/ours', 'i', 'active', 30)`,
		`INSERT INTO attune_worker_runtime (worker, runtime_ref, name, active, outcome) VALUES (9000, 'core.native', 'native', true, 'available')`)
	seen := func(want int) {
		t.Helper()
		if n := count(t, db, `SELECT count(*) FROM available_runtime WHERE worker = 9000`); n != want {
			t.Errorf("%d installations are available, want %d", n, want)
		}
	}
	seen(1)
	rows := strs(t, db, `SELECT xmin FROM attune_worker_runtime WHERE worker = 9000`)
	run(t, db, `UPDATE attune_worker_state SET status = 'inactive'`)
	seen(0)
	if diff := cmp.Diff(rows, strs(t, db, `SELECT xmin FROM attune_worker_runtime WHERE worker = 9000`)); diff != "" {
		t.Errorf("a change of status wrote rows (-before +after):\n%s", diff)
	}
	downTo(t, db.DB, migrations.Fleet, migrations.Config{})
	if n := count(t, db, `SELECT count(*) FROM attune_worker_runtime WHERE worker = 9000 AND active`); n != 0 {
		t.Error("down left a row of an inactive worker active")
	}
	run(t, db, `UPDATE attune_worker_state SET status = 'active'`)
	seen(1)
	up(t, db.DB, migrations.Config{})
	seen(1)
	if diff := cmp.Diff(before, objects(t, db)); diff != "" {
		t.Errorf("up for the second time (-first +second):\n%s", diff)
	}
}
