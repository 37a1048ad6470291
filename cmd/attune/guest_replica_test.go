package main

import (
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

// TestGuestOnAReplica: on a hot standby everything that looks works, and what writes names the primary.
func TestGuestOnAReplica(t *testing.T) {
	server := testdb.Own(t)
	for _, shape := range []platform.Shape{platform.F, platform.C} {
		t.Run(string(shape), func(t *testing.T) {
			isolate(t)
			onPath(t, t.TempDir())
			db := server.Empty()
			platform.Make(t, db, shape)
			url := server.Standby(db)
			setenv(t, "ATTUNE_DATABASE_URL", url)
			h := &guestHost{T: t, db: db, shape: shape, name: "attune-worker-x"}
			caughtUp(t, db, url)
			want(t, run(t, "workers", "list"), 0, "worker-alpha")
			want(t, run(t, "migrate", "plan"), 0, "attune is a guest", "standby")
			want(t, run(t, "migrate", "up"), 1, "this server is a standby", "migrate on the primary")

			want(t, run(t, "migrate", "up", "--database", db.URL), 0)
			want(t, h.worker("register", "--name", h.name, "--database", db.URL), 0, "registered")
			caughtUp(t, db, url)
			want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
			want(t, run(t, "migrate", "plan", "--exit-code"), 0, "nothing to do")
			want(t, run(t, "workers", "list", "--has", "python"), 0, "worker-alpha")
			want(t, run(t, "workers", "show", h.name), 0, "native")
			want(t, run(t, "runtimes", "list"), 0, "core.python")
			want(t, run(t, "explain", h.name, "python"), 0, h.name)
			want(t, h.worker("detect"), 0)
			// What the primary has resolved is found on the standby.
			if _, err := db.ExecContext(t.Context(), `INSERT INTO attune.runtime (ref, name, distributions) VALUES ('etl.cobol', 'Cobol', '{}')`); err != nil {
				t.Fatal(err)
			}
			want(t, run(t, "workers", "list", "--has", "cobol", "--database", db.URL), 0, "worker-alpha")
			caughtUp(t, db, url)
			want(t, run(t, "workers", "list", "--has", "cobol"), 0, "worker-alpha")
			for _, command := range [][]string{{"migrate", "up", "--guards=off"}, {"migrate", "down"}} {
				want(t, run(t, command...), 1, "standby", "on the primary")
			}
			want(t, run(t, "packs", "init", "acme"), 0)
			for _, command := range [][]string{{"packs", "load", "acme"}, {"workers", "delete", h.name}} {
				want(t, run(t, command...), 1, "read-only", "primary")
			}
			want(t, h.worker("register", "--name", h.name), 1, "read-only", "primary")
		})
	}
}

// caughtUp waits until the standby has everything that its primary has.
func caughtUp(t *testing.T, db *testdb.DB, url string) {
	t.Helper()
	at := text(t, db, `SELECT pg_current_wal_lsn()::text`)
	standby, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var done bool
		if err := standby.NewRaw(`SELECT pg_last_wal_replay_lsn() >= ?::pg_lsn`, at).Scan(t.Context(), &done); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the standby does not catch up")
		}
	}
}
