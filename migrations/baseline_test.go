package migrations_test

import (
	"context"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
)

func TestSameMigrationsInBoth(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, folder := range []string{"postgres", "sqlite"} {
		entries, err := fs.ReadDir(migrations.Files(), folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names[folder] = append(names[folder], e.Name())
		}
	}
	var want []string
	for _, id := range ids {
		want = append(want, id+".down.sql", id+".up.sql")
	}
	slices.Sort(want)
	if diff := cmp.Diff(map[string][]string{"postgres": want, "sqlite": want}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRefsAreCheckedAlike(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		for ref, want := range map[string]bool{
			"core.python": true, "core.sensor.builtin": true, "a.b": true, "my-pack.ruby_3": true,
			"core.action.python": false, "core.sensor.other": false, "a.b.c": false, "Core.python": false,
			"python": false, "core.": false, ".python": false, "": false, ".": false, "a..b": false,
		} {
			_, err := db.NewRaw("INSERT INTO runtime (ref, name) VALUES (?, 'x')", ref).Exec(context.Background())
			if (err == nil) != want {
				t.Errorf("ref %q: %v, want accepted: %v", ref, err, want)
			}
		}
	})
}

// TestEveryModelReadsAndWrites: the models read rows that plain SQL wrote with the fewest columns,
// and the databases accept what the models write.
func TestEveryModelReadsAndWrites(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		ctx := context.Background()
		run(t, db,
			`INSERT INTO pack (ref, label, version) VALUES ('core', 'Core', '1')`,
			`INSERT INTO runtime (ref, name, distributions) VALUES ('core.python', 'Python', '{"verification": {"always_available": true}}')`,
			`INSERT INTO runtime_version (runtime, version, sort_key) VALUES (1, '3.12', 'x')`,
			`INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES ('core.run', 1, 'core', 'Run', 'r.py', 1)`,
			`INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('core.watch', 'Watch', 'w.py', 1, 'core.python')`,
			`INSERT INTO worker (name, worker_type, last_heartbeat) VALUES ('host1', 'local', CURRENT_TIMESTAMP)`)
		var pack schema.Pack
		var runtime schema.Runtime
		var version schema.RuntimeVersion
		var action schema.Action
		var sensor schema.Sensor
		var worker schema.Worker
		for _, model := range []any{&pack, &runtime, &version, &action, &sensor, &worker} {
			if err := db.NewSelect().Model(model).Scan(ctx); err != nil {
				t.Fatalf("read %T: %v", model, err)
			}
		}
		for name, created := range map[string]time.Time{
			"pack": pack.Created, "runtime": runtime.Created, "runtime_version": version.Updated,
			"action": action.Created, "sensor": sensor.Updated, "worker": worker.Created, "heartbeat": *worker.LastHeartbeat,
		} {
			if age := time.Since(created); age < -time.Hour || age > time.Hour {
				t.Errorf("%s: the time is read as %v", name, created)
			}
		}
		if pack.Tags == nil || len(pack.Tags) > 0 || !sensor.Enabled || worker.WorkerRole != schema.RoleAction || *worker.Status != schema.WorkerInactive {
			t.Errorf("defaults: tags %v, enabled %v, role %q, status %q", pack.Tags, sensor.Enabled, worker.WorkerRole, *worker.Status)
		}
		if v := runtime.Distributions.Verification; v == nil || !v.AlwaysAvailable {
			t.Errorf("distributions are read as %+v", runtime.Distributions)
		}

		pack.ID, pack.Ref, pack.Tags, pack.IsStandard = 0, "acme", []string{"a", "b"}, true
		runtime.ID, runtime.Ref = 0, "acme.ruby"
		version.ID, version.Version = 0, "3.13"
		action.ID, action.Ref = 0, "acme.run"
		sensor.ID, sensor.Ref, sensor.Enabled = 0, "acme.watch", false
		worker.ID, worker.Name = 0, "host2"
		for _, model := range []any{&pack, &runtime, &version, &action, &sensor, &worker} {
			if _, err := db.NewInsert().Model(model).Exec(ctx); err != nil {
				t.Fatalf("write %T: %v", model, err)
			}
		}
		var again schema.Pack
		if err := db.NewSelect().Model(&again).Where("ref = 'acme'").Scan(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b"}, again.Tags); diff != "" || !again.IsStandard {
			t.Errorf("standard = %v, tags (-want +got):\n%s", again.IsStandard, diff)
		}
	})
}

// TestTimesOfSQLite: the text of a time has milliseconds and sorts by time, whether the database or
// bun wrote it.
func TestTimesOfSQLite(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.EmptySQLite(t)
	up(t, db.DB, migrations.Config{})
	run(t, db, somePack)
	if got := strs(t, db, `SELECT CAST(created AS TEXT) FROM pack WHERE created LIKE '____-__-__ __:__:__.___+00:00'`); len(got) != 1 {
		t.Errorf("created is %v", strs(t, db, `SELECT CAST(created AS TEXT) FROM pack`))
	}
	day := time.Date(2026, 2, 3, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	for i, d := range []time.Duration{0, time.Millisecond, 490 * time.Millisecond, 500 * time.Millisecond, 510 * time.Millisecond, time.Second} {
		if _, err := db.NewRaw(`INSERT INTO pack (id, ref, label, version, created) VALUES (?0, ?0, '', '', ?1)`, i+100, day.Add(d)).Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := strs(t, db, `SELECT CAST(id AS TEXT) FROM pack WHERE id >= 100 ORDER BY created`); !slices.IsSorted(got) {
		t.Errorf("ordered by created: %v", got)
	}
	if n := count(t, db, `SELECT count(*) FROM pack WHERE created < strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '+1 second') AND id < 100`); n != 1 {
		t.Errorf("a time does not compare with the database's")
	}
}

func TestSQLiteRefusesWrongDocuments(t *testing.T) {
	t.Parallel()
	db := testdb.EmptySQLite(t)
	up(t, db.DB, migrations.Config{})
	for _, sql := range []string{
		`INSERT INTO runtime (ref, name, distributions) VALUES ('a.b', 'x', '{')`,
		`INSERT INTO runtime (ref, name, aliases) VALUES ('a.b', 'x', '{}')`,
		`INSERT INTO pack (ref, label, version, tags) VALUES ('a', 'x', '1', '"a"')`,
		`INSERT INTO worker (name, worker_type) VALUES ('a', 'virtual')`,
		`INSERT INTO worker (name, worker_type, status) VALUES ('a', 'local', 'asleep')`,
		`INSERT INTO worker (name, worker_type, capabilities) VALUES ('a', 'local', 'none')`,
	} {
		if _, err := db.Exec(sql); err == nil || !strings.Contains(err.Error(), "CHECK") && !strings.Contains(err.Error(), "distributions: must be valid JSON") &&
			!strings.Contains(err.Error(), "aliases: must be a list") {
			t.Errorf("%s: %v, want a failed check, or a guard's word", sql, err)
		}
	}
}

func TestTheSQLiteShellOpensTheFile(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("there is no sqlite3 here")
	}
	db := testdb.EmptySQLite(t)
	up(t, db.DB, migrations.Config{})
	out, err := exec.Command(shell, strings.TrimPrefix(db.URL, "sqlite:"), `PRAGMA integrity_check;
		INSERT INTO runtime (ref, name, distributions) VALUES ('core.ruby', 'Ruby', '{}'); SELECT ref, aliases FROM runtime;`).CombinedOutput()
	if want := "ok\ncore.ruby|[]\n"; err != nil || string(out) != want {
		t.Errorf("sqlite3: %v\n%s, want %s", err, out, want)
	}
}

// TestEnumsOfPostgres: both databases accept the same values.
func TestEnumsOfPostgres(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	got := strs(t, db, `SELECT enumtypid::regtype || ' ' || string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum GROUP BY enumtypid ORDER BY 1`)
	want := []string{
		"worker_role_enum action sensor hybrid",
		"worker_status_enum active inactive busy error",
		"worker_type_enum local remote container",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
