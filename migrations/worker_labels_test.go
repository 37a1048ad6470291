package migrations_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestLabelsOfRows: the migration copies the labels and taints of existing documents, and down leaves
// what was there before.
func TestLabelsOfRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		after := objects(t, db)
		downTo(t, db.DB, migrations.WorkerLabels, migrations.Config{})
		before := objects(t, db)
		run(t, db, someWorker,
			`UPDATE worker SET capabilities = '{"labels": {"zone": "a", "rack": 7}, "taints": [{"key": "gpu", "effect": "no_schedule"}]}'`,
			`INSERT INTO worker (name, worker_type, capabilities) VALUES ('odd', 'local', '[1]'), ('none', 'local', 'null'), ('labels', 'local', '{"labels": ["x"], "taints": 1}')`)
		up(t, db.DB, migrations.Config{})
		if diff := cmp.Diff(after, objects(t, db)); diff != "" {
			t.Errorf("up for the second time (-first +second):\n%s", diff)
		}
		got := append(strs(t, db, `SELECT key || '=' || value FROM worker_label ORDER BY key`), strs(t, db, `SELECT key || ':' || effect FROM worker_taint`)...)
		if diff := cmp.Diff([]string{"rack=7", "zone=a", "gpu:no_schedule"}, got); diff != "" {
			t.Errorf("copied (-want +got):\n%s", diff)
		}
		downTo(t, db.DB, migrations.WorkerLabels, migrations.Config{})
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("after down (-before +after):\n%s", diff)
		}
	})
}

// TestLabelsOfAGuest: the platform's workers have labels as before, and now attune's own have too.
func TestLabelsOfAGuest(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.C)
	up(t, db.DB, migrations.Config{})
	downTo(t, db.DB, migrations.WorkerLabels, migrations.Config{})
	db.SetMaxOpenConns(1)
	run(t, db, `SET search_path = attune`,
		`INSERT INTO worker (id, name, worker_type, worker_role, status) VALUES (9000, 'ours', 'local', 'action', 'inactive')`,
		`INSERT INTO attune_worker_state (worker, identity) VALUES (9000, 'action/ours')`,
		`UPDATE worker SET capabilities = '{"labels": {"zone": "a"}}' WHERE id = 9000`)
	labels := func(want ...string) {
		t.Helper()
		if got := strs(t, db, `SELECT key || '=' || value FROM attune_worker_label WHERE worker = 9000`); !cmp.Equal(got, want) {
			t.Errorf("labels of attune's own worker: %q, want %q", got, want)
		}
	}
	declared := strs(t, db, `SELECT worker || key || value FROM attune_worker_label ORDER BY 1`)
	up(t, db.DB, migrations.Config{})
	labels("zone=a")
	run(t, db, `UPDATE worker SET capabilities = '{"labels": {"zone": "b"}}' WHERE id = 9000`)
	labels("zone=b")
	run(t, db, `UPDATE worker SET capabilities = '{"labels": "x"}' WHERE id = 9000`)
	downTo(t, db.DB, migrations.WorkerLabels, migrations.Config{})
	if diff := cmp.Diff(declared, strs(t, db, `SELECT worker || key || value FROM attune_worker_label ORDER BY 1`)); diff != "" || len(declared) == 0 {
		t.Errorf("labels of the platform's workers (-before +after):\n%s", diff)
	}
}

// TestLabelsByIndex writes many documents in a session that planned while the tables were empty and
// analyzed.
func TestLabelsByIndex(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	db.SetMaxOpenConns(1)
	run(t, db, `VACUUM ANALYZE worker_label, worker_taint`, `BEGIN`,
		`INSERT INTO worker (name, worker_type, capabilities)
		 SELECT 'host-' || n, 'local', '{"labels": {"zone": "a"}, "taints": [{"key": "gpu", "effect": "no_schedule"}]}' FROM generate_series(1, 500) n`)
	got := strs(t, db, `SELECT relname || ' ' || seq_scan FROM pg_catalog.pg_stat_xact_user_tables WHERE relname IN ('worker_label', 'worker_taint') ORDER BY relname`)
	if diff := cmp.Diff([]string{"worker_label 0", "worker_taint 0"}, got); diff != "" {
		t.Errorf("scans of the whole tables (-want +got):\n%s", diff)
	}
	run(t, db, `ROLLBACK`)
}
