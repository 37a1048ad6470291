package migrations_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/migrations"
)

// TestGuestStatus: after up nothing is left to do, and objects of the platform do not count as
// differences.
func TestGuestStatus(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		m := migrator(t, db.DB, migrations.Config{})
		up(t, db.DB, migrations.Config{})
		st, err := m.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !st.AsExpected() || !st.Guest || st.Guards != migrations.GuardsInPlace || st.Guarding != migrations.GuardingWarn {
			t.Errorf("status = %+v, want a guest with guards that warn and no difference", st)
		}
		plan, err := m.Plan(t.Context())
		if err != nil || plan.Due() {
			t.Errorf("plan after up = %+v, %v; want nothing to do", plan, err)
		}
		platform.Advance(t, db, shape, platform.C)
		if st, err = m.Status(t.Context()); err != nil || !st.AsExpected() {
			t.Errorf("status after the platform's migrations = %+v, %v; want no difference", st, err)
		}
		for _, change := range []string{
			`ALTER TABLE attune.attune_worker_runtime DROP COLUMN hint`,
			`ALTER FUNCTION attune.attune_sweep_workers SECURITY INVOKER`,
		} {
			run(t, db, change)
			if again, err := m.Status(t.Context()); err != nil || len(again.Drift) != len(st.Drift)+1 {
				t.Errorf("%s: differences %v, %v", change, again.Drift, err)
			} else {
				st = again
			}
		}
	})
}

// TestGuestPlan: the plan names the platform's migrations and the file that must not run there.
func TestGuestPlan(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, _ platform.Shape) {
		plan, err := migrator(t, db.DB, migrations.Config{}).Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(plan.Notes, "\n")
		for _, want := range []string{`"attune"."_migrations"`, "20260203000001_unify_runtimes.sql", "stay as they are"} {
			if !strings.Contains(notes, want) {
				t.Errorf("the notes do not say %q:\n%s", want, notes)
			}
		}
		up(t, db.DB, migrations.Config{})
		made := strs(t, db, `SELECT relname FROM pg_class WHERE relnamespace = 'attune'::regnamespace AND relkind IN ('r', 'v')
			AND (relname LIKE 'attune%' OR relname = 'available_runtime') AND relname <> 'attune_migrations' ORDER BY 1`)
		if diff := cmp.Diff(made, sorted(plan.Creates)); diff != "" {
			t.Errorf("the plan does not name what up made (-made +planned):\n%s", diff)
		}
		if diff := cmp.Diff(made, documented(t)); diff != "" {
			t.Errorf("docs/upgrading.md does not name what up made (-made +documented):\n%s", diff)
		}
	})
}

// documented returns the tables and views that docs/upgrading.md says that attune creates in a guest, but for the
// migrator's own.
func documented(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/upgrading.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "| object | what it holds |\n|---|---|\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		objects, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		objects, _, _ = strings.Cut(objects, "trigger") // they are no relations
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(objects, -1) {
			if name[1] != "attune_migrations" {
				names = append(names, name[1])
			}
		}
	}
	return sorted(names)
}

// TestForeignWorkersCount: what a worker of the platform declares is found by ref while its heartbeat is
// fresh.
func TestForeignWorkersCount(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		up(t, db.DB, migrations.Config{})
		const rows = `SELECT concat_ws(' ', worker_name, role, ref, name, coalesce(version, '-'), prerelease) FROM attune.available_runtime ORDER BY 1`
		node := "node"
		if !shape.Has(platform.A) { // there are no aliases
			node = "nodejs"
		}
		alpha := []string{
			"worker-alpha action  cobol - f", // no definition has the name
			"worker-alpha action core.nodejs " + node + " 20.0.0 f",
			"worker-alpha action core.python python 3.12.1 f",
			"worker-alpha action core.python python 3.9.0 f",
			"worker-alpha action core.shell shell 5.2.0 f",
		}
		if diff := cmp.Diff(alpha, strs(t, db, rows)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		run(t, db,
			`UPDATE attune.worker SET capabilities = '{"runtimes": ["CORE.PYTHON", "ruby", "python3"], "runtime_versions": {"core.python": "3.13.0rc1"},
				"labels": {"zone": "b", "disk": 2, "odd": []}, "taints": [{"key": "gpu", "effect": "no_schedule"}, {"key": "x", "effect": "explode"}]}' WHERE id = 3`)
		if got := strs(t, db, `SELECT key || '=' || value FROM attune.attune_worker_label WHERE worker = 3 ORDER BY 1`); !cmp.Equal(got, []string{"disk=2", "zone=b"}) {
			t.Errorf("labels = %v", got)
		}
		if got := strs(t, db, `SELECT key || ':' || effect FROM attune.attune_worker_taint WHERE worker = 3`); !cmp.Equal(got, []string{"gpu:no_schedule"}) {
			t.Errorf("taints = %v", got)
		}
		ruby := "etl.ruby"
		if shape.Has(platform.C) {
			ruby = "" // it is retired
		}
		want := []string{"core.python|python|3.13.0-rc1|t", ruby + "|ruby||f"}
		if got := strs(t, db, `SELECT concat_ws('|', runtime_ref, name, version, prerelease) FROM attune.attune_worker_runtime WHERE worker = 3 ORDER BY 1 DESC`); !cmp.Equal(sorted(want), sorted(got)) {
			t.Errorf("declared = %v, want %v", got, want)
		}
		if got := strs(t, db, rows); !cmp.Equal(alpha, got) {
			t.Errorf("an inactive worker without heartbeat counts: %v", got)
		}
		run(t, db, `UPDATE attune.worker SET last_heartbeat = now() - interval '91 seconds' WHERE id = 1`)
		if got := strs(t, db, rows); len(got) > 0 {
			t.Errorf("a stale worker counts: %v", got)
		}
		run(t, db, `DELETE FROM attune.worker WHERE id = 3`)
		if n := count(t, db, `SELECT count(*) FROM attune.attune_worker_runtime WHERE worker = 3`); n > 0 {
			t.Errorf("%d rows of a worker that is deleted", n)
		}
	})
}

// TestOwnWorkerInAGuest: attune keeps its own worker, shows it to the platform or not, and leaves nothing
// of it after down.
func TestOwnWorkerInAGuest(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		before := platform.Snapshot(t, db)
		up(t, db.DB, migrations.Config{})
		mirrored := "false"
		if shape.Has(platform.A) {
			mirrored = "true"
		}
		own := func(statements ...string) {
			t.Helper()
			run(t, db, `BEGIN; SET LOCAL search_path TO attune, public; `+strings.Join(statements, "; ")+`; COMMIT`)
		}
		own(`INSERT INTO attune.worker (id, name, worker_type, worker_role, status, capabilities) VALUES (50, 'attune-worker-x', 'local', 'action', 'inactive', '{"runtimes": ["python"]}')`,
			`INSERT INTO attune.attune_worker_state (worker, identity, instance, status, heartbeat_interval, mirrored) VALUES (50, 'action/attune-worker-x', 'i1', 'active', 10, `+mirrored+`)`,
			`INSERT INTO attune.attune_worker_runtime (worker, runtime, runtime_ref, name, active, outcome, version, sort_key) VALUES (50, 10, 'core.python', 'python', true, 'available', '3.12.1', 'A3B12A1.')`,
			// attune takes over a worker of the platform, and returns it.
			`INSERT INTO attune.attune_worker_state (worker, identity, instance, status, heartbeat_interval, former) SELECT id, 'sensor/sensor-gamma', 'i2', 'active', 10, to_jsonb(worker) FROM attune.worker WHERE id = 3`,
			`UPDATE attune.worker SET capabilities = '{}', host = 'taken' WHERE id = 3`)
		found := `SELECT count(*) FROM attune.available_runtime WHERE worker = 50`
		if n := count(t, db, found); n != 1 {
			t.Errorf("%d installations of attune's worker, want 1", n)
		}
		bait := `SELECT count(*) FROM attune.worker WHERE id = 50 AND status = 'active' AND last_heartbeat > now() - interval '90 seconds'`
		if n := count(t, db, bait); n != map[string]int{"true": 1}[mirrored] {
			t.Errorf("the platform sees %d workers of attune's that may be used", n)
		}
		own(`SELECT attune.attune_worker_heartbeat(50, 'i1')`)
		if n := count(t, db, `SELECT count(*) FROM attune.attune_worker_state WHERE worker = 50 AND last_heartbeat > now() - interval '1 minute'`); n != 1 {
			t.Error("the heartbeat is not kept")
		}
		run(t, db, `UPDATE attune.attune_worker_state SET last_heartbeat = now() - interval '1 hour'`)
		if got := strs(t, db, `SELECT name FROM attune.attune_sweep_workers('1 second', 10) ORDER BY 1`); !cmp.Equal(got, []string{"attune-worker-x", "sensor-gamma"}) {
			t.Errorf("swept %v", got)
		}
		if n := count(t, db, found); n != 0 {
			t.Errorf("%d installations of a worker that stopped", n)
		}
		run(t, db, `TRUNCATE attune.attune_capability_change`)
		downTo(t, db.DB, migrations.Baseline, migrations.Config{})
		without := func(lines []string) []string { // the platform's own history, and updated, which its trigger sets
			var kept []string
			for _, l := range lines {
				if !strings.HasPrefix(l, "rows worker") {
					kept = append(kept, l)
				}
			}
			return kept
		}
		if diff := cmp.Diff(without(before), without(platform.Snapshot(t, db))); diff != "" {
			t.Errorf("down (-before +after):\n%s", diff)
		}
		if got := strs(t, db, `SELECT concat_ws(' ', id, name, host, capabilities) FROM attune.worker WHERE id IN (3, 50)`); !cmp.Equal(got, []string{"3 sensor-gamma"}) {
			t.Errorf("workers after down: %v", got)
		}
	})
}

// TestPlatformChangesItsColumns: the platform can drop and retype its columns, except capabilities, on
// which a trigger depends.
func TestPlatformChangesItsColumns(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		up(t, db.DB, migrations.Config{})
		statements := []string{
			`ALTER TABLE attune.worker ALTER COLUMN name TYPE varchar(100), ALTER COLUMN host TYPE varchar(255), ALTER COLUMN worker_role TYPE text`,
			`DROP INDEX attune.idx_worker_status_role`,
			`ALTER TABLE attune.worker ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status TYPE text`,
			`ALTER TABLE attune.worker ALTER COLUMN last_heartbeat TYPE timestamptz(3)`,
			`ALTER TABLE attune.runtime DROP COLUMN installation`,
			`DROP INDEX attune.idx_runtime_verification`,
			`ALTER TABLE attune.runtime ALTER COLUMN distributions TYPE json`,
			`ALTER TABLE attune.action ALTER COLUMN ref TYPE varchar(100)`,
		}
		if shape.Has(platform.V) {
			statements = append(statements, `ALTER TABLE attune.runtime DROP COLUMN execution_config`)
		}
		if shape == platform.V {
			statements = append(statements, `DROP TABLE attune.runtime_version`)
		}
		run(t, db, statements...)
		db.DB = open(t, db.URL) // the platform's own triggers keep plans for the session
		run(t, db, `INSERT INTO attune.runtime (ref, name, distributions) VALUES ('core.more', 'More', '[]')`,
			`UPDATE attune.worker SET last_heartbeat = now() WHERE id = 1`)
		if n := count(t, db, `SELECT count(*) FROM attune.available_runtime WHERE worker = 1`); n != 5 {
			t.Errorf("%d installations, want 5", n)
		}
	})
}

// TestGuardingInAGuest: the configured guarding is applied, shown and kept.
func TestGuardingInAGuest(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, _ platform.Shape) {
		const wrong = `UPDATE attune.runtime SET distributions = jsonb_build_object('verification', random()) WHERE ref = 'go'`
		look := func(when string, state migrations.GuardState, mode migrations.Guarding) {
			t.Helper()
			st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context())
			if err != nil || st.Guards != state || st.Guarding != mode {
				t.Errorf("%s: guards %q, %q, %v; want %q, %q", when, st.Guards, st.Guarding, err, state, mode)
			}
			_, err = db.ExecContext(t.Context(), wrong)
			if refused := err != nil; refused != (mode == migrations.GuardingRefuse) {
				t.Errorf("%s: %v", when, err)
			}
		}
		up(t, db.DB, migrations.Config{})
		look("at first", migrations.GuardsInPlace, migrations.GuardingWarn)
		if res := up(t, db.DB, migrations.Config{Guards: migrations.GuardingRefuse}); !res.Guards {
			t.Error("up --guards=refuse did nothing")
		}
		look("refuse", migrations.GuardsInPlace, migrations.GuardingRefuse)
		if res := up(t, db.DB, migrations.Config{}); res.Guards {
			t.Error("up put guards in place that were there")
		}
		look("refuse, kept", migrations.GuardsInPlace, migrations.GuardingRefuse)
		up(t, db.DB, migrations.Config{Guards: migrations.GuardingOff})
		look("off", migrations.GuardsOff, migrations.GuardingOff)
		up(t, db.DB, migrations.Config{})
		look("off, kept", migrations.GuardsOff, migrations.GuardingOff)
		up(t, db.DB, migrations.Config{Guards: migrations.GuardingWarn})
		look("warn", migrations.GuardsInPlace, migrations.GuardingWarn)
	})
}

// TestGuestCountsVersions: changes of a table of versions that the platform creates later are counted after the next up.
func TestGuestCountsVersions(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.F)
	m := migrator(t, db.DB, migrations.Config{Guards: migrations.GuardingOff})
	up(t, db.DB, migrations.Config{Guards: migrations.GuardingOff})
	if plan, err := m.Plan(t.Context()); err != nil || plan.Due() {
		t.Errorf("without the table: %+v, %v; want nothing to do", plan, err)
	}
	platform.Advance(t, db, platform.F, platform.V)
	if plan, err := m.Plan(t.Context()); err != nil || !plan.Counts || !plan.Due() {
		t.Errorf("with the table: %+v, %v; want that up counts its changes", plan, err)
	}
	theirs := platform.Theirs(platform.Snapshot(t, db))
	for _, due := range []bool{true, false} {
		if res := up(t, db.DB, migrations.Config{}); res.Counted != due || len(res.Done) > 0 {
			t.Errorf("up = %+v, want counted %t", res, due)
		}
	}
	if diff := cmp.Diff(theirs, platform.Theirs(platform.Snapshot(t, db))); diff != "" {
		t.Errorf("counting changed something of the platform's (-before +after):\n%s", diff)
	}
	changes := func() int { return count(t, db, `SELECT sum(changes) FROM attune.attune_definition_mark`) }
	counted := changes()
	run(t, db, `UPDATE attune.runtime_version SET available = NOT available`)
	if n := changes(); n != counted+1 {
		t.Errorf("%d changes after one of versions, %d before", n, counted)
	}
	if got := strs(t, db, `SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'attune.runtime_version'::regclass AND tgname = 'attune_definition_mark_count'`); !cmp.Equal(got, []string{"A"}) {
		t.Errorf("the trigger is of the kind %q, want A", got)
	}
	downTo(t, db.DB, migrations.Baseline, migrations.Config{})
	if len(strs(t, db, `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'attune%'`)) > 0 {
		t.Error("a trigger is left after down")
	}
}
