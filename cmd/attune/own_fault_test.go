package main

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
)

// The tests of guests have the same faults in a platform's database: TestGuestOddSchemas, TestGuestLogins,
// TestGuestOnAReplica, TestGuestLosesObjects, TestGuestLosesColumns.

// owned is attune's own database, migrated into a schema, on a host without runtimes.
func owned(t *testing.T, schema string) *guestHost {
	t.Helper()
	isolated(t)
	db := testdb.EmptyPostgres(t)
	uses(t, db)
	onPath(t, t.TempDir())
	want(t, run(t, "migrate", "up", "--schema", schema), 0, "core pack: 20 created")
	db.Schema = schema
	return &guestHost{T: t, db: db, name: "own-x"}
}

// TestOwnOddSchemas: a schema that needs quotes, and other objects of the same names in front of it in the database's
// search_path.
func TestOwnOddSchemas(t *testing.T) {
	t.Parallel()
	const schema = `Wörker "ä".x`
	h := owned(t, schema)
	setenv(t, "ATTUNE_DATABASE_URL", h.db.URL) // sessions begin with the new search_path
	quoted := `"Wörker ""ä"".x"`
	h.exec(`CREATE SCHEMA shadow`, `CREATE VIEW shadow.worker AS SELECT 1 AS id`, `CREATE TABLE shadow.runtime (x int)`,
		`CREATE FUNCTION shadow.worker_heartbeat(bigint, text) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'`,
		`CREATE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''epoch''::timestamptz'`,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO shadow, `+quoted+`, public', current_database()); END $$`)
	stop := h.service("registered and active", "--name", h.name, "--schema", schema)
	want(t, run(t, "workers", "refresh", h.name, "--wait", "--schema", schema), 0, "verified in")
	stop()
	want(t, run(t, "workers", "list", "--schema", schema), 0, h.name)
	want(t, run(t, "workers", "list", "--has", "native", "--schema", schema), 0, h.name)
	want(t, run(t, "migrate", "status", "--exit-code", "--schema", schema), 0, "in place")
}

// TestOwnLosesColumns: a column of attune's that somebody dropped is named by status and by what needs it, which
// leaves everything as it was.
func TestOwnLosesColumns(t *testing.T) {
	t.Parallel()
	for column, named := range map[string][]string{
		"worker_runtime.hint":       {"hint", "attune migrate status"},
		"runtime.digest":            {"digest", "attune migrate status"},
		"worker.heartbeat_interval": {"available_runtime is missing", "restore the missing parts"}, // the view went with it
	} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			h := owned(t, "attune")
			table, name, _ := strings.Cut(column, ".")
			h.exec(`ALTER TABLE attune.` + table + ` DROP COLUMN ` + name + ` CASCADE`)
			want(t, run(t, "migrate", "status", "--exit-code"), 3, column)
			want(t, h.worker("register", "--name", h.name), 1, named...)
			if n := text(t, h.db, `SELECT count(*) FROM attune.worker`); n != "0" {
				t.Errorf("a refused registration left %s rows", n)
			}
		})
	}
}

// TestOwnLogins: a login without some right, or with rows hidden by a policy, is told which.
func TestOwnLogins(t *testing.T) {
	t.Parallel()
	h := owned(t, "public")
	roles := testdb.MakeRoles(t, h.db, `DO $$ BEGIN CREATE ROLE attune_reader NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
		GRANT USAGE ON SCHEMA "public" TO attune_reader; GRANT SELECT ON "public".worker, "public".attune_migrations, "public".runtime TO attune_reader`)
	reader := roles.Login(t, "half-"+strings.ToLower(rand.Text()[:8]), "attune_reader")
	want(t, h.worker("register", "--name", h.name), 0, "is registered")
	want(t, run(t, "workers", "list", "--has", "native", "--database", reader), 1, "permission denied for table")
	want(t, h.worker("register", "--name", "other", "--database", reader), 1, "permission denied for table")
	want(t, run(t, "migrate", "up", "--guards=refuse", "--database", reader), 0, "nothing to do")
	want(t, run(t, "migrate", "down", "--database", reader), 1, "run the migration as the owner")
	if err := roles.Exec(t.Context(), `GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO attune_reader;
		ALTER TABLE "public".worker ENABLE ROW LEVEL SECURITY; CREATE POLICY zone ON "public".worker USING (worker_role = 'sensor')`); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, "workers", "list", "--database", reader), 0, "no workers", "row-level security may hide workers")
}

// TestOwnOnAReplica: on a hot standby everything that looks works, and what writes names the primary.
func TestOwnOnAReplica(t *testing.T) {
	t.Parallel()
	server := testdb.Own(t)
	isolated(t)
	db := server.Empty()
	url := server.Standby(db)
	onPath(t, t.TempDir())
	setenv(t, "ATTUNE_DATABASE_URL", url)
	h := &guestHost{T: t, db: db, name: "own-x"}
	want(t, run(t, "migrate", "up", "--database", db.URL), 0)
	want(t, h.worker("register", "--name", h.name, "--database", db.URL), 0, "is registered")
	caughtUp(t, db, url)
	want(t, run(t, "migrate", "status", "--exit-code"), 0, "in place")
	want(t, run(t, "workers", "list", "--has", "native"), 0, h.name)
	want(t, run(t, "explain", h.name, "python"), 0, h.name)
	want(t, run(t, "migrate", "down"), 1, "standby", "on the primary")
	for _, command := range [][]string{{"workers", "delete", h.name}, {"packs", "load", "core", "--force"}} {
		want(t, run(t, command...), 1, "read-only", "primary")
	}
	want(t, h.worker("register", "--name", h.name), 1, "read-only", "primary")
}

// TestMigrationsRaceWithDDL: two migrations run at once while somebody changes the same tables. The changes go through,
// and one of the migrations did each step.
func TestMigrationsRaceWithDDL(t *testing.T) {
	t.Parallel()
	for kind, schema := range map[string]string{"own": "public", "guest": platform.Schema} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var h *guestHost
			if kind == "own" {
				h = owned(t, schema)
				want(t, run(t, "migrate", "down"), 0)
			} else {
				h = faulty(t, `SELECT 1`)
				movesOut(t)
			}
			changing, stop := context.WithCancel(t.Context())
			var others, migrations sync.WaitGroup
			others.Go(func() {
				for changing.Err() == nil {
					for _, change := range []string{"ADD COLUMN os text", "DROP COLUMN os"} {
						if _, err := h.db.ExecContext(t.Context(), `ALTER TABLE `+schema+`.worker `+change); err != nil {
							t.Errorf("%s: %v", change, err)
						}
						time.Sleep(20 * time.Millisecond)
					}
				}
			})
			for range 2 {
				migrations.Go(func() {
					var out, errOut strings.Builder
					stdio := cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &errOut, Environ: environ(t)}
					if status := program().Run(t.Context(), []string{"migrate", "up", "--lock-timeout", "1m"}, stdio); status != 0 {
						t.Errorf("exit %d: %s%s", status, out.String(), errOut.String())
					}
				})
			}
			migrations.Wait()
			stop()
			others.Wait()
			want(t, run(t, "migrate", "status", "--exit-code"), 0, "in place")
			want(t, run(t, "migrate", "plan", "--exit-code"), 0, "nothing to do")
		})
	}
}
