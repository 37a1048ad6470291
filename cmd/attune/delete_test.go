package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// names are the names of all workers, as they are listed.
func names(t *testing.T) string {
	t.Helper()
	return strings.Join(listed(t), " ")
}

func TestWorkersDelete(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		const all = "declared ended eye lost old\x1b[31m web-1 web-2"
		want(t, run(t, "workers", "delete"), 2, "say which workers")
		want(t, run(t, "workers", "delete", "web-3"), 1, "did you mean web-")
		for _, args := range [][]string{{"web-*", "role:sensor"}, {"silent:30d"}, {"web-1", "silent:30d"}, {"host:h-web-1", "silent:30d", "--dry-run"}} {
			want(t, run(t, append([]string{"workers", "delete"}, args...)...), 0, "no workers that fit\n")
		}
		want(t, run(t, "workers", "delete", "silent:30d", "--json"), 0, `"workers": []`, `"references": []`)
		want(t, run(t, "workers", "delete", "web-3", "silent:30d"), 1, "did you mean web-")
		want(t, run(t, "workers", "delete", "id:999999"), 1, "has this id")
		want(t, run(t, "workers", "delete", "host:nowhere", "silent:30d"), 1, "has this host")
		want(t, run(t, "workers", "delete", "silent:soon"), 2, "silent: must be a time such as 10s, 1h30m or 7d, of at most 99999d, got \"soon\"")
		want(t, run(t, "workers", "delete", "--silent=-1h"), 2, `silent: must be greater than 0, got "-1h"`)
		want(t, run(t, "workers", "delete", "web-1"), 1, "still runs, and registers anew", "nothing was deleted: 1 of 1 worker still runs: stop it, or use --force, after which it registers again")
		want(t, run(t, "workers", "delete", "web-1", "lost", "--dry-run"), 1, "still runs, and registers anew", "would be refused: 1 of 2 workers still runs")
		want(t, run(t, "workers", "delete", "web-1", "lost", "--dry-run", "--json"), 1, `"deleted": false`, "would be refused: 1 of 2 workers still runs")
		want(t, run(t, "workers", "delete", "web-1", "lost", "--dry-run", "--force"), 0, "would delete 2 workers; nothing was deleted")
		want(t, run(t, "workers", "delete", "ended", "web-3"), 1, `nothing was deleted: no worker "web-3", did you mean web-`)
		want(t, run(t, "workers", "delete", "old*"), 1, `old\x1b[31m`, "not registered by attune", "1 of 1 worker not registered by attune: --force")
		want(t, run(t, "workers", "delete", "ended", "lost", "--dry-run"), 0, "would delete 2 workers; nothing was deleted")
		if got := names(t); got != all {
			t.Fatalf("after refusals and dry runs there are %q", got)
		}
		want(t, run(t, "workers", "delete", "silent:1m", "role:worker"), 0, "ended", "lost", "active, stale", "2 workers deleted\n")
		if got := names(t); got != "declared eye old\x1b[31m web-1 web-2" {
			t.Errorf("there are %q", got)
		}
		want(t, run(t, "workers", "history", "lost"), 0, "gained", "2.7.18") // it stays
		want(t, run(t, "workers", "history", "lost", "--runtime", "ruby"), 0, "no changes that fit\n")
		got := run(t, "workers", "delete", "web-1", "old*", "--json")
		want(t, got, 1, "1 of 2 workers still runs", "1 of 2 workers not registered")
		var report answer.WorkersDeletion
		if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Deleted || len(report.Workers) != 2 ||
			report.Workers[0].Hindrance != answer.NotRegistered || report.Workers[1].Hindrance != answer.StillRuns || report.Workers[1].SilentSeconds == nil {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "workers", "delete", "web-1", "old*", "--force"), 0, "2 workers deleted")
		if got := names(t); got != "declared eye web-2" {
			t.Errorf("there are %q", got)
		}
	})
}

// TestWorkersDeleteMeetsOthers: rows of the platform's own that the database would
// delete too are in the way, and those whose reference it clears are named.
func TestWorkersDeleteMeetsOthers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		exec(t, db, "CREATE TABLE execution (id integer, worker bigint REFERENCES worker (id) ON DELETE SET NULL)")
		exec(t, db, "CREATE TABLE lease (name varchar(9), worker bigint REFERENCES worker (id) ON DELETE CASCADE)")
		exec(t, db, "INSERT INTO execution SELECT 41, id FROM worker WHERE name = 'lost'")
		exec(t, db, "INSERT INTO lease SELECT 'l-1', id FROM worker WHERE name = 'lost'")
		want(t, run(t, "workers", "delete", "lost", "--force"), 1, "in the way: 1 row of lease (l-1)", "cleared:    execution.worker in 1 row (41)",
			"nothing was deleted: still referenced by 1 row of lease (l-1)")
		exec(t, db, "DELETE FROM lease")
		want(t, run(t, "workers", "delete", "lost"), 0, "1 worker deleted")
		var n int
		if err := db.NewRaw("SELECT count(*) FROM execution WHERE worker IS NULL").Scan(t.Context(), &n); err != nil || n != 1 {
			t.Errorf("%d executions are left without a worker, %v; want 1", n, err)
		}
	})
}

func TestRuntimesDelete(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		exec(t, db, "INSERT INTO pack (ref, label, version) VALUES ('etl', 'ETL', '1')")
		exec(t, db, "INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) SELECT 'etl.load', p.id, 'etl', 'l', 'e', r.id FROM pack p, runtime r WHERE p.ref = 'etl' AND r.ref = 'core.python'")
		exec(t, db, "INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) SELECT 'etl.watch', 'l', 'e', id, ref FROM runtime WHERE ref = 'core.python'")
		want(t, run(t, "runtimes", "delete", "core.pyton"), 1, "did you mean core.python?")
		want(t, run(t, "runtimes", "delete", "Node.js"), 2, `must be a ref, got "Node.js", a name of core.nodejs`, "attune runtimes delete core.nodejs")
		want(t, run(t, "runtimes", "delete"), 2, "ref")
		const refs = "1 row of action (etl.load)"
		want(t, run(t, "runtimes", "delete", "core.python"), 1, "in the way: "+refs, "in the way: 1 row of sensor (etl.watch)",
			"core.python was not deleted: still referenced by "+refs+", 1 row of sensor (etl.watch)")
		got := run(t, "runtimes", "delete", "core.python", "--dry-run", "--json")
		want(t, got, 1, "would be refused: core.python is still referenced by "+refs)
		var report answer.RuntimeDeletion
		if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Deleted || !report.DryRun || len(report.References) != 2 ||
			report.References[1].Table != "sensor" || report.References[1].OnDelete != store.OnDeleteCascade || report.Workers != 4 || report.Pack != "core" {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "runtimes", "delete", "core.python", "--dry-run"), 1, "in the way: "+refs, "would be refused: core.python is still referenced by "+refs+", 1 row of sensor (etl.watch)")
		exec(t, db, "DELETE FROM sensor")
		exec(t, db, "DELETE FROM action")
		want(t, run(t, "runtimes", "delete", "core.python", "--dry-run"), 0, "would delete core.python; nothing was deleted", "4 workers lose it at the next verification")
		want(t, run(t, "runtimes", "delete", "core.python"), 0, "deleted core.python\n", "loading the pack core again brings it back")
		want(t, run(t, "workers", "list", "--has", "python"), 0, "web-1") // until they verify
		exec(t, db, "INSERT INTO runtime (ref, name) VALUES ('acme.tool', 'Tool')")
		got = run(t, "runtimes", "delete", "acme.tool")
		want(t, got, 0, "deleted acme.tool\n")
		if strings.Contains(got.out, "again") {
			t.Errorf("no pack brings it back:\n%s", got.out)
		}
	})
}

func TestPacksUnload(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		uses(t, db)
		writePack(t, map[string]string{"pack.yaml": "ref: acme\nlabel: ACME\nversion: 1.0.0\n", "runtimes/ruby.yaml": onlyVersions})
		want(t, run(t, "packs", "load", "acme"), 0)
		want(t, run(t, "packs", "unload", "./acme"), 2, "by its ref")
		want(t, run(t, "packs", "unload", "acne"), 1, "did you mean acme?")
		exec(t, db, "INSERT INTO pack (ref, label, version) VALUES ('etl', 'ETL', '1')")
		want(t, run(t, "packs", "unload", "etl"), 1, "the pack was not loaded by attune")
		want(t, run(t, "packs", "unload", "acme", "--dry-run"), 0, "delete    acme.ruby", "delete    acme\n", "would delete 1 runtime, and keep 0; nothing was deleted (--dry-run)")
		exec(t, db, "UPDATE runtime SET description = 'ours' WHERE ref = 'acme.ruby'")
		want(t, run(t, "packs", "unload", "acme"), 0, "kept      acme.ruby  changed since it was loaded", "changed here   /description",
			"kept      acme  the pack still has 1 row of runtime (acme.ruby)", "pack acme: 0 runtimes deleted, 1 kept", "--force")
		got := run(t, "packs", "unload", "acme", "--force", "--json")
		var report install.UnloadReport
		if err := json.Unmarshal([]byte(got.out), &report); err != nil || len(report.Runtimes) != 1 || !report.Runtimes[0].Deleted || !report.Row.Deleted {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "runtimes", "list"), 0, "no runtimes")
		want(t, run(t, "packs", "load", "acme"), 0, "created   acme.ruby")
	})
}

// TestPacksUnloadNamesWhatIsCleared checks that an unload names the columns that the
// database clears, before it happens and when it did, and none for a row that stays.
func TestPacksUnloadNamesWhatIsCleared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		uses(t, db)
		writePack(t, map[string]string{"pack.yaml": "ref: acme\nlabel: ACME\nversion: 1.0.0\n", "runtimes/ruby.yaml": onlyVersions})
		want(t, run(t, "packs", "load", "acme"), 0)
		exec(t, db, "CREATE TABLE environment (name varchar(20), tool bigint REFERENCES runtime (id) ON DELETE SET NULL, owner bigint REFERENCES pack (id) ON DELETE SET NULL)")
		exec(t, db, "INSERT INTO environment SELECT 'venv-1', r.id, p.id FROM runtime r, pack p")
		exec(t, db, "UPDATE runtime SET description = 'ours' WHERE ref = 'acme.ruby'")
		if got := run(t, "packs", "unload", "acme", "--dry-run"); strings.Contains(got.out, "cleared") {
			t.Errorf("rows that stay clear nothing:\n%s", got.out)
		}
		for _, args := range [][]string{{"--force", "--dry-run"}, {"--force"}} {
			want(t, run(t, append([]string{"packs", "unload", "acme"}, args...)...), 0,
				"acme.ruby\ncleared:    environment.tool in 1 row (venv-1)\n", "acme\ncleared:    environment.owner in 1 row (venv-1)\n")
		}
	})
}

// TestDeletingAsLeastPrivilege: the operator's role is enough, and the others' are
// not.
func TestDeletingAsLeastPrivilege(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	text, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) SELECT 'etl.load', p.id, 'core', 'l', 'e', r.id FROM pack p, runtime r WHERE r.ref = 'core.go'")
	exec(t, db, "INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref, config) SELECT 'etl.watch', 'l', 'e', id, ref, '{}' FROM runtime WHERE ref = 'core.perl'")
	// Tables of the platform that the operator may not read: what the database would
	// delete along is not deleted unseen.
	exec(t, db, "CREATE TABLE secret (runtime bigint REFERENCES runtime (id) ON DELETE CASCADE)")
	exec(t, db, "CREATE TABLE bill (runtime bigint REFERENCES runtime (id))")
	exec(t, db, "INSERT INTO secret SELECT id FROM runtime WHERE ref = 'core.ruby'")
	exec(t, db, "CREATE TABLE note (runtime bigint REFERENCES runtime (id) ON DELETE SET NULL)")
	exec(t, db, "INSERT INTO bill SELECT id FROM runtime WHERE ref = 'core.java'")
	exec(t, db, "CREATE TABLE task (worker bigint REFERENCES worker (id))")
	exec(t, db, "INSERT INTO task SELECT id FROM worker WHERE name = 'ended'")
	roles := testdb.MakeRoles(t, db, string(text))
	as := func(role string) {
		t.Helper()
		setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, "as_"+role+"_"+strings.ToLower(rand.Text()[:10]), role))
	}
	for _, role := range []string{"attune_reader", "attune_fleet"} {
		as(role)
		for _, args := range [][]string{{"workers", "delete", "lost"}, {"runtimes", "delete", "core.lua"}, {"packs", "unload", "core"}} {
			want(t, run(t, args...), 1, "permission denied", "attune_operator")
			want(t, run(t, append(args, "--dry-run")...), 1, "permission denied", "attune_operator")
		}
	}
	as("attune_operator")
	want(t, run(t, "workers", "delete", "lost"), 0, "1 worker deleted")
	want(t, run(t, "runtimes", "delete", "core.go"), 1, "1 row of action (etl.load)")
	want(t, run(t, "runtimes", "delete", "core.perl"), 1, "1 row of sensor (etl.watch)")
	want(t, run(t, "runtimes", "delete", "core.ruby"), 1, "rows of secret that this login may not read")
	exec(t, db, "GRANT SELECT ON secret TO PUBLIC")
	want(t, run(t, "runtimes", "delete", "core.ruby"), 1, "1 row of secret")
	want(t, run(t, "runtimes", "delete", "core.java", "--dry-run"), 0, "perhaps in the way: rows of bill that this login may not read")
	want(t, run(t, "packs", "unload", "core", "--dry-run"), 0, "delete    core.java  unless referenced by rows of bill that this login may not read", "cleared:    note.runtime in rows that this login may not read")
	want(t, run(t, "runtimes", "delete", "core.java"), 1, "in the way: rows of bill", // the database refuses
		"core.java was not deleted: still referenced by rows of bill that this login may not read; a login that has SELECT on the table sees which")
	want(t, run(t, "workers", "delete", "ended", "--dry-run"), 0, "perhaps in the way: rows of task", "would delete 1 worker")
	want(t, run(t, "workers", "delete", "ended"), 1, "in the way: rows of task", "nothing was deleted: still referenced by rows of task that this login may not read")
	exec(t, db, "DELETE FROM task")
	want(t, run(t, "runtimes", "delete", "core.lua"), 0, "deleted core.lua")
	want(t, run(t, "packs", "unload", "core"), 0, "kept      core.go", "kept      core.perl", "kept      core.ruby", "kept      core.java  referenced by rows of bill that this login may not read", "deleted   core.python")
	operator, err := database.OpenExisting(t.Context(), getenv(t, "ATTUNE_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	for _, sql := range []string{"SELECT config FROM sensor", "SELECT entrypoint FROM action", "DELETE FROM action", "DELETE FROM sensor", "UPDATE sensor SET runtime = 1"} {
		if _, err := operator.ExecContext(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v; want it to be denied", sql, err)
		}
	}
}

// TestLoginsAreToldWhatTheySee: a host's login sees its own rows only, and each
// answer says so; nobody else is told.
func TestLoginsAreToldWhatTheySee(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	text, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	questions := [][]string{
		{"workers", "list"}, {"workers", "list", "--json"}, {"workers", "history"}, {"workers", "history", "--json"},
		{"runtimes", "show", "python"},
	}
	roles := testdb.MakeRoles(t, db, string(text))
	for _, role := range []string{"", "attune_reader", "attune_operator", "attune_fleet"} {
		if role != "" {
			setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, "all_"+strings.ToLower(rand.Text()[:10]), role))
		}
		for _, args := range questions {
			if got := run(t, args...); got.status != 0 || got.errOut != "" {
				t.Errorf("%s, %q: status %d, and on standard error\n%s", role, args, got.status, got.errOut)
			}
		}
	}
	login := "host_" + strings.ToLower(rand.Text()[:10])
	exec(t, db, "UPDATE worker SET name = ?0, identity = 'action/' || ?0 WHERE name = 'web-1'", login)
	setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, login, "attune_worker"))
	note := fmt.Sprintf("note: the login %q sees its own rows only", login)
	for _, args := range append(questions, []string{"workers", "show", login}, []string{"explain", login, "python"},
		[]string{"workers", "diff", login, login}, []string{"workers", "refresh", login, "--dry-run"}) {
		got := run(t, args...)
		want(t, got, 0)
		if strings.Count(got.errOut, note) != 1 || strings.Count(got.errOut, "\n") != 1 {
			t.Errorf("%q: want the note once on standard error:\n%s", args, got.errOut)
		}
	}
	want(t, run(t, "workers", "delete", login, "--force", "--dry-run"), 1, note, "permission denied", "attune_operator")
	if diff := gocmp.Diff([]string{login}, listed(t)); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	// A policy of the platform's own hides rows too.
	exec(t, db, "CREATE POLICY zone ON worker AS RESTRICTIVE USING (name <> 'web-2')")
	setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, "zone_"+strings.ToLower(rand.Text()[:10]), "attune_reader"))
	want(t, run(t, "workers", "list"), 0, "row-level security may hide workers from the login")
}
