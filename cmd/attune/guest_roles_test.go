package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

// guestRolesFile is where the roles of a guest stand; tests leave their folder.
var guestRolesFile, _ = filepath.Abs("../../docs/roles-guest.sql")

// guestRoles returns docs/roles-guest.sql.
func guestRoles(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guestRolesFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `"attune"`, `"public"`) // what testdb.Roles replaces by the schema
}

// TestGuestRoles: with docs/roles-guest.sql a reader looks, a host registers and an operator loads packs, and
// each is refused what another may do. The platform's table of history is its own affair.
func TestGuestRoles(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		h.db.Schema = platform.Schema
		want(t, run(t, "migrate", "up"), 0)
		roles := testdb.MakeRoles(t, h.db, guestRoles(t))
		if h.shape.Has(platform.A) {
			want(t, h.worker("register", "--database", roles.Login(t, "early-"+rand.Text()[:8], "attune_fleet")), 1, "permission denied for table worker_history")
			if err := roles.Exec(t.Context(), `GRANT INSERT ON attune.worker_history TO attune_fleet, attune_operator`); err != nil {
				t.Fatal(err)
			}
		}
		reader := roles.Login(t, "reader-"+rand.Text()[:8], "attune_reader")
		host := roles.Login(t, "host-"+rand.Text()[:8], "attune_fleet")
		operator := roles.Login(t, "operator-"+rand.Text()[:8], "attune_operator")

		setenv(t, "ATTUNE_DATABASE_URL", host)
		want(t, h.worker("detect"), 0, "python")
		want(t, h.worker("explain", "node"), 0, "available")
		want(t, h.worker("register"), 0, h.name+" is registered")
		stop := h.service("registered and active")
		setenv(t, "ATTUNE_DATABASE_URL", operator)
		want(t, run(t, "workers", "refresh", h.name, "--wait"), 0, "verified in")
		stop()
		want(t, run(t, "workers", "cordon", h.name, "worker-alpha", "--reason", "disk"), 0, "2 workers cordoned")
		want(t, run(t, "workers", "taint", h.name, "worker-alpha", "night"), 0, "2 workers tainted")
		want(t, run(t, "workers", "show", "worker-alpha"), 0, "cordoned     since ", ": disk", "tainted      night:no_schedule")
		want(t, run(t, "workers", "uncordon", "worker-alpha"), 0, "1 worker uncordoned")
		want(t, run(t, "workers", "untaint", "*", "night"), 0, "2 workers untainted")
		h.writesNeeds(operator, reader)
		acme := h.pack("acme")
		want(t, run(t, "packs", "load", acme), 0, "created")
		want(t, run(t, "packs", "load", acme), 0, "unchanged")
		want(t, run(t, "migrate", "status"), 0, "attune is a guest")
		for _, login := range []string{reader, operator} {
			setenv(t, "ATTUNE_DATABASE_URL", login)
			want(t, run(t, "workers", "list", "--has", "python"), 0, h.name, "worker-alpha")
			want(t, run(t, "workers", "show", h.name), 0, "3.12.4")
			want(t, run(t, "workers", "history", h.name), 0, "gained")
			want(t, run(t, "runtimes", "list"), 0, "core.python", "acme.")
			want(t, run(t, "runtimes", "show", "python3"), 0, h.name)
			want(t, run(t, "packs", "list"), 0, "acme", "etl")
			want(t, run(t, "explain", h.name, "node"), 0, "yes")
		}
		h.refused(reader, "permission denied", []string{"workers", "delete", h.name}, []string{"packs", "load", acme}, []string{"workers", "uncordon", h.name}, []string{"workers", "taint", h.name, "a"})
		h.refused(host, "permission denied", []string{"packs", "load", acme}, []string{"workers", "delete", h.name}, []string{"runtimes", "delete", "acme.example"},
			[]string{"workers", "cordon", h.name}, []string{"workers", "uncordon", h.name}, []string{"workers", "taint", h.name, "a"}, []string{"workers", "untaint", h.name, "a"})
		h.denied(reader, `UPDATE attune.worker SET status = 'active'`, `SELECT attune.attune_sweep_workers('1 second', 1)`, `DELETE FROM attune.attune_worker_runtime`)
		h.denied(host, `UPDATE attune.runtime SET name = 'x'`, `DELETE FROM attune.worker`, `DO $$ BEGIN LOCK TABLE attune.worker; END $$`, `UPDATE attune.worker SET name = 'x'`, `SELECT config FROM attune.pack`,
			`UPDATE attune.attune_worker_state SET refresh_requested = now()`, `UPDATE attune.attune_capability_change SET kind = 'lost'`,
			`DELETE FROM attune.attune_worker_cordon`, `DELETE FROM attune.attune_worker_operator_taint`, `INSERT INTO attune.attune_worker_cordon (worker) VALUES (1)`,
			`INSERT INTO attune.attune_requirement (action) VALUES (1)`, `UPDATE attune.attune_requirement SET worker_selector = '{}'`,
			`DELETE FROM attune.attune_worker_runtime`, `UPDATE attune.attune_migrations SET program = ''`, `SELECT * FROM attune.execution`, `CREATE TABLE attune.mine ()`)
		if h.shape.Has(platform.A) {
			h.denied(host, `UPDATE attune.worker SET cordoned = false`, `UPDATE attune.worker SET cordon_reason = ''`)
		}
		h.denied(operator, `INSERT INTO attune.attune_worker_cordon (worker, created_by) VALUES (1, 'x')`, `UPDATE attune.attune_worker_operator_taint SET key = 'x'`,
			`UPDATE attune.action SET entrypoint = 'x'`, `SELECT entrypoint FROM attune.action`, `UPDATE attune.sensor SET enabled = false`,
			`UPDATE attune.attune_requirement SET sensor = 1`, `INSERT INTO attune.attune_requirement (id, action) VALUES (1, 1)`, `TRUNCATE attune.attune_requirement`,
			`UPDATE attune.attune_worker_runtime SET version = ''`, `SELECT config FROM attune.sensor`, `DELETE FROM attune.attune_capability_change`,
			`SELECT * FROM attune.execution`, `CREATE TABLE attune.mine ()`)
		h.denied(reader, `SELECT attune.attune_declare_workers(1)`, `INSERT INTO attune.attune_requirement (action) VALUES (1)`, `DELETE FROM attune.attune_requirement`)
		h.inPath(`INSERT INTO runtime (ref, name, distributions) VALUES ('etl.cobol', 'Cobol', '{}')`)
		for _, login := range []string{host, reader} { // the reader finds what the host has resolved
			want(t, run(t, "workers", "list", "--has", "cobol", "--database", login), 0, "worker-alpha")
		}
		platform.Run(h, h.db, h.shape)
		setenv(t, "ATTUNE_DATABASE_URL", operator)
		want(t, run(t, "runtimes", "delete", "acme.example"), 0, "deleted")
		want(t, run(t, "packs", "unload", "acme"), 0, "deleted")
		want(t, run(t, "workers", "delete", h.name), 0, "1 worker deleted")
		setenv(t, "ATTUNE_DATABASE_URL", host)
		stop = h.service("registered and active", "--takeover", "--name", "worker-beta")
		stop()
		setenv(t, "ATTUNE_DATABASE_URL", operator)
		want(t, run(t, "workers", "delete", "worker-beta"), 0, "worker-beta")
		if got := text(t, h.db, `SELECT host || ' ' || status FROM attune.worker WHERE name = 'worker-beta'`); got != "beta busy" {
			t.Errorf("worker-beta is %q after it was given back", got)
		}
	})
}

// writesNeeds writes as an operator what an action and a sensor need, where the platform has no columns for it. A reader sees it. The
// platform's columns count where it has them.
func (h *guestHost) writesNeeds(operator, reader string) {
	h.Helper()
	db, err := database.Open(h.Context(), operator)
	if err != nil {
		h.Fatal(err)
	}
	defer db.Close()
	write := func(statement string) {
		h.Helper()
		if _, err := db.ExecContext(h.Context(), statement); err != nil {
			h.Errorf("%s: %v", statement, err)
		}
	}
	for table, ref := range map[string]string{"action": "core.echo", "sensor": "etl.watch"} {
		row := `(SELECT id FROM attune.` + table + ` WHERE ref = '` + ref + `')`
		write(`INSERT INTO attune.attune_requirement (` + table + `, required_worker_runtimes, worker_selector, worker_tolerations, worker_affinity)
			VALUES (` + row + `, '{"node": ">=18"}', '{"disk": "hdd"}', '[{"key": "gpu", "operator": "exists"}]', '{"anti_affinity": [{"match_labels": {"spot": "1"}}]}')`)
		write(`UPDATE attune.attune_requirement SET worker_selector = '{"disk": "ssd"}' WHERE ` + table + ` = ` + row)
		got := run(h.T, "place", "--"+table, ref, "--json", "--database", reader)
		for _, part := range []string{`"disk": "ssd"`, `"core.nodejs": ">=18"`, `"gpu"`, `"spot": "1"`} {
			has := h.shape.Has(platform.A) && (table == "action" || !strings.Contains(part, "nodejs")) // its sensors name one runtime
			if strings.Contains(got.out, part) == has {
				h.Errorf("%s: %s\n%s%s", ref, part, got.out, got.errOut)
			}
		}
		write(`DELETE FROM attune.attune_requirement WHERE ` + table + ` = ` + row)
	}
}

// refused runs commands of attune that the database refuses to a login.
func (h *guestHost) refused(login, why string, commands ...[]string) {
	h.Helper()
	for _, c := range commands {
		got := run(h.T, append(c, "--database", login)...)
		if got.status != 1 || !strings.Contains(got.errOut, why) {
			h.Errorf("%q: exit %d, %s%s; want it refused: %s", c, got.status, got.out, got.errOut, why)
		}
	}
}

// denied runs statements that the database refuses to a login.
func (h *guestHost) denied(login string, statements ...string) {
	h.Helper()
	db, err := database.Open(h.Context(), login)
	if err != nil {
		h.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(h.Context(), s); err == nil || !strings.Contains(err.Error(), "permission denied") {
			h.Errorf("%s: %v, want permission denied", s, err)
		}
	}
}
