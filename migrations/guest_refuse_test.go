package migrations_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestGuestPrivileges: the plan names what a role lacks to move in, and so does up. The owner of the
// tables needs nothing more.
func TestGuestPrivileges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := platform.New(t, platform.A)
	other, role := asRole(t, db)
	t.Cleanup(func() { run(t, db, "DROP SCHEMA attune CASCADE") }) // the role owns it
	run(t, db, "GRANT USAGE ON SCHEMA attune TO "+role, "GRANT SELECT ON ALL TABLES IN SCHEMA attune TO "+role)
	before := platform.Snapshot(t, db)
	m := migrator(t, other, migrations.Config{Schema: platform.Schema})
	_, planErr := m.Plan(ctx)
	_, upErr := m.Up(ctx)
	for call, err := range map[string]error{"Plan": planErr, "Up": upErr} {
		wantError(t, call, err, migrations.ErrPrivilege, "CREATE on schema attune", "TRIGGER on table worker", "REFERENCES on table runtime", "owns table worker")
	}
	if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("a refused up changed something (-before +after):\n%s", diff)
	}

	run(t, db, `ALTER SCHEMA attune OWNER TO `+role, `DO $$ DECLARE o record; BEGIN
		FOR o IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'attune'::regnamespace AND relkind = 'r' LOOP
			EXECUTE format('ALTER TABLE %s OWNER TO `+role+`', o.name); END LOOP; END $$`,
		// What the platform protects from its own roles stays protected, and prevents nothing.
		`CREATE POLICY mine ON attune.worker USING (name = 'worker-alpha')`,
		`ALTER TABLE attune.worker ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`)
	if _, err := m.Plan(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if st, err := m.Status(ctx); err != nil || !st.AsExpected() {
		t.Errorf("status = %+v, %v", st, err)
	}
	run(t, other, `UPDATE attune.worker SET capabilities = '{"runtimes": ["shell"]}' WHERE id = 1`)
	if got := strs(t, db, `SELECT runtime_ref FROM attune.attune_worker_runtime WHERE worker = 1`); !cmp.Equal(got, []string{"core.shell"}) {
		t.Errorf("declared = %v", got)
	}
}

// TestGuestGrants: roles that may use the platform's workers may use attune's tables in the same way.
// The trigger works for roles that may not.
func TestGuestGrants(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.V)
	reader, role := asRole(t, db)
	run(t, db, "GRANT USAGE ON SCHEMA attune TO "+role, "GRANT SELECT, UPDATE ON attune.worker TO "+role)
	up(t, db.DB, migrations.Config{})
	run(t, db, "REVOKE ALL ON attune.attune_worker_runtime FROM "+role)
	run(t, reader, `UPDATE attune.worker SET capabilities = '{"runtimes": ["shell"]}' WHERE id = 1`)
	run(t, db, "GRANT SELECT ON attune.attune_worker_runtime TO "+role)
	if got := strs(t, reader, `SELECT ref FROM attune.available_runtime`); !cmp.Equal(got, []string{"core.shell"}) {
		t.Errorf("available = %v", got)
	}
	for _, call := range []string{`SELECT attune.attune_declare_worker(1, '{}')`, `CREATE TEMP TABLE x (id int); CREATE TRIGGER x AFTER INSERT ON x EXECUTE FUNCTION attune.attune_worker_declares()`} {
		if _, err := reader.ExecContext(t.Context(), call); err == nil {
			t.Errorf("%s: allowed to every role", call)
		}
	}
	run(t, reader, `SELECT FROM attune.attune_sweep_workers('1 second', 1)`)
}

// A migration waits for the platform's own DDL, and then names the holder of the lock.
func TestGuestWaitsForThePlatform(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := platform.New(t, platform.F)
	before := platform.Snapshot(t, db)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	run(t, tx, `ALTER TABLE attune.worker ADD COLUMN cordoned boolean`)
	_, err = migrator(t, db.DB, migrations.Config{LockTimeout: 100 * time.Millisecond}).Up(ctx)
	if !errors.Is(err, migrations.ErrLocked) {
		t.Errorf("up gave %v, want ErrLocked", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("the up that waited left something (-before +after):\n%s", diff)
	}
	up(t, db.DB, migrations.Config{})
}

// BenchmarkGuestHeartbeat compares the platform's heartbeat in a database that attune moved into with
// one in a database without attune, on each shape. The medians count, because other programs disturb single heartbeats.
func BenchmarkGuestHeartbeat(b *testing.B) {
	for _, shape := range platform.Shapes() {
		b.Run(string(shape), func(b *testing.B) { benchGuestHeartbeat(b, shape) })
	}
}

func benchGuestHeartbeat(b *testing.B, shape platform.Shape) {
	const statement, beats = `UPDATE attune.worker SET last_heartbeat = now(), updated = now() WHERE name = 'worker-alpha'`, 500
	ctx := context.Background()
	var dbs [2]testDB
	for i := range dbs {
		dbs[i] = testdb.EmptyPostgres(b)
		platform.Make(b, dbs[i], shape)
		dbs[i].SetMaxOpenConns(1)
	}
	m, err := migrations.New(dbs[1].DB, migrations.Config{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Up(ctx); err != nil {
		b.Fatal(err)
	}
	var took [2][]time.Duration
	for b.Loop() {
		for beat := range 2 * beats {
			begin := time.Now()
			if _, err := dbs[beat%2].ExecContext(ctx, statement); err != nil {
				b.Fatal(err)
			}
			took[beat%2] = append(took[beat%2], time.Since(begin))
		}
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Nanoseconds()) / 1000
	}
	without, with := median(took[0]), median(took[1])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(without, "without-us/beat")
	b.ReportMetric(with, "guest-us/beat")
	b.ReportMetric(with/without, "ratio")
}
