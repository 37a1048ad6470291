package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/metadata"
)

// A guestHost is a machine with fake runtimes beside a platform of one shape.
type guestHost struct {
	*testing.T
	db    *testdb.DB
	shape platform.Shape
	name  string // of its worker
}

func eachGuest(t *testing.T, test func(h *guestHost)) {
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			asGuest(t, shape, test)
		})
	}
}

// asGuest runs a test in a platform's database of a shape, on a host with a Python and a Node.js.
func asGuest(t *testing.T, shape platform.Shape, test func(h *guestHost)) {
	t.Helper()
	isolated(t)
	db := platform.New(t, shape)
	uses(t, db)
	bin := t.TempDir()
	onPath(t, bin)
	for name, line := range map[string]string{"python3": "Python 3.12.4", "node": "v20.20.2"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho "+line+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	test(&guestHost{t, db, shape, "attune-worker-" + host})
}

// pack writes a pack and returns its folder.
func (h *guestHost) pack(ref string) (dir string) {
	h.Helper()
	dir = filepath.Join(h.TempDir(), ref)
	want(h.T, run(h.T, "packs", "init", ref, dir), 0)
	return dir
}

// worker runs a command of worker.
func (h *guestHost) worker(args ...string) result {
	h.Helper()
	var out, errOut strings.Builder
	status := hostcmd.Program(metadata.Worker).Run(h.Context(), args, cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &errOut, Environ: environ(h)})
	return result{status, out.String(), errOut.String()}
}

// service starts a worker that beats each second, and waits until it says something. stop ends it.
func (h *guestHost) service(until string, args ...string) (stop func()) {
	h.Helper()
	return h.start(until, append([]string{"run", "--heartbeat-interval", "1s", "--verify-interval", "1h"}, args...)...)
}

// start runs a command of worker and waits until it says something. stop ends it.
func (h *guestHost) start(until string, args ...string) (stop func()) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 5*time.Minute)
	logs, to := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- hostcmd.Program(metadata.Worker).Run(ctx, args, cli.Stdio{In: strings.NewReader(""), Out: to, Err: to, Environ: environ(h)})
		_ = to.Close()
	}()
	var said []string
	scan := bufio.NewScanner(logs)
	for found := false; !found; {
		if !scan.Scan() {
			cancel()
			h.Fatalf("the service ended with %d without saying %q:\n%s", <-ended, until, strings.Join(said, "\n"))
		}
		said = append(said, scan.Text())
		found = strings.Contains(scan.Text(), until)
	}
	go func() { _, _ = io.Copy(io.Discard, logs) }()
	return sync.OnceFunc(func() {
		cancel()
		<-ended
	})
}

// theirs is what is the platform's, without the history that its trigger keeps of workers.
func (h *guestHost) theirs() []string {
	h.Helper()
	return slices.DeleteFunc(platform.Theirs(platform.Snapshot(h, h.db)), func(line string) bool { return strings.HasPrefix(line, "rows worker_history") })
}

func (h *guestHost) same(when string, before, after []string) {
	h.Helper()
	if diff := gocmp.Diff(before, after); diff != "" {
		h.Errorf("%s changed something of the platform's (-before +after):\n%s", when, diff)
	}
}

// TestGuestBeforeUp: looking needs no migration and changes nothing; what needs one says so.
func TestGuestBeforeUp(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		before := platform.Snapshot(h, h.db)
		want(t, run(t, "workers", "list"), 0, "worker-alpha", "python 3.12.1", "shell 5.2.0", "sensor-gamma", "not registered by attune", "4 workers")
		want(t, run(t, "workers", "show", "worker-alpha"), 0, "declares them", "zone=a", "3.12.1", "3.9.0", "declared")
		want(t, run(t, "workers", "show", "hybrid*"), 0, "hybrid", "no runtimes")
		want(t, run(t, "runtimes", "list"), 0, "core.python", "python3 --version", "core.ruby", "core.sensor.builtin", "acme.deep.ref")
		want(t, run(t, "runtimes", "show", "node"), 0, "core.nodejs", "embedded core definition", "not known before")
		want(t, run(t, "explain", "worker-alpha", "python@>=3.12"), 0, "on worker-alpha", "yes", "attune does not verify it")
		want(t, h.worker("detect"), 0, "python", "3.12.4", "node", "20.20.2")
		want(t, h.worker("explain", "nodejs"), 0, "available", "embedded core definition")
		for _, flag := range []string{"--has", "--lacks"} {
			want(t, run(t, "workers", "list", flag, "python"), 1, "attune migrate up")
		}
		want(t, run(t, "workers", "delete", "worker-alpha"), 1, "attune migrate up")
		want(t, run(t, "packs", "load", "core"), 1, "attune migrate up")
		want(t, h.worker("register"), 1, "attune migrate up")
		want(t, run(t, "migrate", "plan"), 0, "attune is a guest", "_migrations", "20260203000001_unify_runtimes.sql", "create    attune_worker_state", "with a warning")
		want(t, run(t, "migrate", "status"), 0, "attune is a guest", "pending")
		h.same("looking", before, platform.Snapshot(h, h.db))
	})
}

// TestGuest: attune moves in, works beside the platform that works on, moves out, and moves
// in again. Nothing of the platform's changes.
func TestGuest(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		before := h.theirs()
		want(t, run(t, "migrate", "up"), 0, "adopted", "worker run")
		h.same("up", before, h.theirs())
		want(t, run(t, "migrate", "status", "--exit-code"), 0, "attune is a guest", "let wrong metadata through", "as they should be")
		want(t, h.worker("register"), 0, h.name+" is registered", "inactive", "python")
		want(t, run(t, "workers", "list", "--has", "python@>=3.12.2"), 0, h.name, "1 worker")

		stop := h.service("registered and active")
		want(t, run(t, "workers", "refresh", h.name, "--wait"), 0, "verified in")
		want(t, run(t, "workers", "list", "--has", "python"), 0, h.name, "3.12.4", "worker-alpha", "3.12.1 (declared)", "2 workers")
		want(t, run(t, "workers", "list", "--lacks", "python"), 0, "sensor-gamma", "3 workers")
		want(t, run(t, "explain", h.name, "node"), 0, "yes", "embedded core definition", "node --version")
		want(t, run(t, "explain", "worker-alpha", "ruby"), 0, "declares no such runtime")
		want(t, run(t, "runtimes", "show", "python3"), 0, h.name+" (worker)", "worker-alpha (worker)")
		want(t, run(t, "workers", "history", h.name), 0, "gained", "20.20.2")
		want(t, run(t, "workers", "delete", "worker-alpha", "--force"), 1, "the platform's")
		want(t, run(t, "runtimes", "delete", "etl.none"), 1, "no runtime")
		want(t, run(t, "packs", "load", "core"), 0, "belongs to the platform, so nothing was written")
		h.same("a running worker", withoutWorkers(before), withoutWorkers(h.theirs()))
		platform.Run(h, h.db, h.shape)

		acme := h.pack("acme")
		want(t, run(t, "packs", "load", acme), 0, "created")
		etl := h.pack("etl")
		want(t, run(t, "packs", "load", etl), 1, "the row is the platform's")
		platform.Run(h, h.db, h.shape)
		want(t, run(t, "packs", "unload", "acme"), 0, "deleted")
		want(t, run(t, "packs", "unload", "etl"), 1, "not loaded by attune")
		stop()

		want(t, run(t, "workers", "delete", h.name), 0, "1 worker deleted")
		h.same("work", before, h.theirs())
		want(t, h.worker("register"), 0, h.name)
		movesOut(t)
		h.same("down", before, h.theirs())

		want(t, run(t, "migrate", "up", "--guards=off"), 0)
		want(t, run(t, "migrate", "status", "--exit-code"), 0, "guards       off")
		want(t, run(t, "migrate", "up", "--guards=warn"), 0, "in place")
		stop = h.service("registered and active")
		defer stop()
		platform.Advance(h, h.db, h.shape, platform.C)
		platform.Run(h, h.db, platform.C)
		want(t, run(t, "workers", "refresh", h.name, "--wait"), 0, "verified in")
		want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
		want(t, run(t, "workers", "list", "--has", "node"), 0, h.name, "worker-alpha")
		if h.shape == platform.C { // of the others, nothing is retired when they have become C
			want(t, run(t, "place", "etl.ruby"), 1, "the platform has retired the runtime etl.ruby")
		}
	})
}

// movesOut undoes every migration, with what attune knows of its workers.
func movesOut(t *testing.T, flags ...string) {
	t.Helper()
	for {
		got := run(t, append([]string{"migrate", "down", "--force"}, flags...)...)
		if strings.Contains(got.errOut, "no migration is applied") {
			return
		}
		want(t, got, 0)
	}
}

// withoutWorkers leaves out the rows of workers, because attune adds one.
func withoutWorkers(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "rows worker ") })
}

// TestGuestTakenName: a name that the platform's worker has is refused at once.
func TestGuestTakenName(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		want(t, run(t, "migrate", "up"), 0)
		want(t, run(t, "workers", "list", "--has", "python"), 0) // the first command resolves what workers declare
		before := platform.Snapshot(h, h.db)
		want(t, h.worker("register", "--name", "worker-alpha"), 1, "the name is taken", "row 1", "the platform's", "--name")
		want(t, h.worker("run", "--name", "worker-alpha"), 1, "the name is taken", "--takeover")
		setenv(t, "ATTUNE_WORKER_NAME", "sensor-gamma")
		want(t, h.worker("register"), 1, "the name is taken", "row 3")
		h.same("refusing", before, platform.Snapshot(h, h.db))
	})
}

// TestGuestOddSchemas: names that need quotes, other tables of the same names in front, and
// columns that the platform has dropped make no difference.
func TestGuestOddSchemas(t *testing.T) {
	t.Parallel()
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			inOddSchema(t, shape)
		})
	}
}

func inOddSchema(t *testing.T, shape platform.Shape) {
	t.Helper()
	isolated(t)
	db := testdb.EmptyPostgres(t)
	const schema = `Wörker "ä".x`
	platform.MakeIn(t, db, shape, schema)
	setenv(t, "ATTUNE_DATABASE_URL", db.URL)
	onPath(t, t.TempDir())
	exec := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	h := &guestHost{T: t, db: db}
	want(t, run(t, "workers", "list"), 0, "worker-alpha")
	want(t, run(t, "migrate", "up"), 0)
	quoted := `"Wörker ""ä"".x"`
	exec(`CREATE SCHEMA shadow`, `CREATE VIEW shadow.worker AS SELECT 1 AS id`, `CREATE TABLE shadow.runtime (x int)`, `CREATE TABLE shadow.attune_worker_state (worker text)`,
		`CREATE FUNCTION shadow.attune_worker_heartbeat(bigint, text) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'`,
		`CREATE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''epoch''::timestamptz'`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO shadow, `+strings.ReplaceAll(quoted, `'`, `''`)+`, public', current_database()); END $$`)
	stop := h.service("registered and active", "--name", "guest", "--schema", schema)
	want(t, run(t, "workers", "refresh", "guest", "--wait", "--schema", schema), 0, "verified in")
	want(t, run(t, "workers", "list", "--has", "native", "--schema", schema), 0, "guest")
	exec(`ALTER TABLE `+quoted+`.worker DROP COLUMN meta, DROP COLUMN port`, `ALTER TABLE `+quoted+`.runtime DROP COLUMN installation, DROP COLUMN description`)
	stop()
	want(t, run(t, "migrate", "status", "--exit-code", "--schema", schema), 0, "as they should be")
	want(t, h.worker("register", "--name", "guest", "--schema", schema), 0, "is registered")
	want(t, run(t, "runtimes", "list", "--schema", schema), 0, "core.python")
	want(t, run(t, "workers", "show", "worker-alpha", "--schema", schema), 0, "declared")
	want(t, run(t, "workers", "delete", "guest", "--schema", schema), 0, "deleted")
	want(t, h.worker("register", "--name", "guest", "--schema", schema), 0, "is registered")
	movesOut(t, "--schema", schema)
}

// TestGuestLogins: a login with the rights of a platform's worker can be attune's too; one
// without some right, or with rows hidden, is told which.
func TestGuestLogins(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		grants := `DO $$ BEGIN CREATE ROLE attune_reader NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
			DO $$ BEGIN CREATE ROLE attune_fleet NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
			GRANT USAGE ON SCHEMA attune TO attune_reader, attune_fleet;
			GRANT SELECT ON attune.worker TO attune_reader;
			GRANT SELECT, INSERT, UPDATE ON attune.worker TO attune_fleet;
			GRANT SELECT ON attune.pack, attune.runtime TO attune_fleet;
			GRANT USAGE ON ALL SEQUENCES IN SCHEMA attune TO attune_fleet`
		if h.shape.Has(platform.V) {
			grants += `; GRANT SELECT ON attune.runtime_version TO attune_fleet`
		}
		if h.shape.Has(platform.A) {
			grants += `; GRANT INSERT ON attune.worker_history TO attune_fleet`
		}
		roles := testdb.MakeRoles(t, h.db, grants)
		reader, fleet := roles.Login(t, "reader-"+string(h.shape)+rand.Text()[:6], "attune_reader"), roles.Login(t, "fleet-"+string(h.shape)+rand.Text()[:6], "attune_fleet")
		want(t, run(t, "migrate", "up"), 0)

		want(t, run(t, "workers", "list", "--database", reader), 1, "permission denied for table attune_migrations", "GRANT SELECT")
		want(t, h.worker("register", "--database", reader), 1, "permission denied for table attune_migrations")
		want(t, h.worker("register", "--database", fleet), 0, h.name+" is registered")
		want(t, run(t, "workers", "list", "--has", "python", "--database", fleet), 0, h.name, "worker-alpha")
		want(t, run(t, "migrate", "up", "--guards=off", "--database", fleet), 1, "owner")

		if err := roles.Exec(t.Context(), `ALTER TABLE attune.worker ENABLE ROW LEVEL SECURITY; CREATE POLICY zone ON attune.worker USING (worker_role = 'sensor')`); err != nil {
			t.Fatal(err)
		}
		got := run(t, "workers", "list", "--database", fleet)
		want(t, got, 0, "sensor-gamma", "1 worker", "row-level security may hide workers")
		want(t, h.worker("register", "--name", "hidden", "--database", fleet), 1, `row-level security policy for table "worker"`)
		if n := text(t, h.db, `SELECT count(*) FROM attune.worker WHERE name = 'hidden'`); n != "0" {
			t.Errorf("%s rows of what was refused", n)
		}
	})
}

func text(t *testing.T, db *testdb.DB, query string, args ...any) (found string) {
	t.Helper()
	if err := db.NewRaw(query, args...).Scan(t.Context(), &found); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}
