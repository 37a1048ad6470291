package main

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
)

func (h *guestHost) exec(statements ...string) {
	h.Helper()
	for _, s := range statements {
		if _, err := h.db.ExecContext(h.Context(), s); err != nil {
			h.Fatalf("%s: %v", s, err)
		}
	}
}

// noBait checks that the platform's scheduler can use no worker of attune's for an execution. It knows taints from
// shape A on.
func (h *guestHost) noBait(when string, shape platform.Shape) {
	h.Helper()
	tolerated := ``
	if shape.Has(platform.A) {
		tolerated = ` AND NOT cordoned AND NOT capabilities @> '{"taints": [{"key": "attune/report-only", "effect": "no_schedule"}]}'`
	}
	if n := text(h.T, h.db, `SELECT count(*) FROM attune.worker WHERE name LIKE 'attune-%' AND worker_role = 'action' AND status = 'active'
		AND last_heartbeat > now() - interval '90 seconds' AND capabilities -> 'runtimes' ? 'python'`+tolerated); n != "0" {
		h.Errorf("%s: the platform's scheduler may use %s workers of attune's", when, n)
	}
}

// TestGuestBesideADevelopingPlatform: the platform migrates from shape to shape, works, and takes names that attune
// uses elsewhere, while a worker of attune's runs. Every command of attune works after each step. After down the
// platform's catalog equals the catalog of a database that did all this without attune. The way from F leads over
// all shapes; TestGuest goes from each shape to the last one.
func TestGuestBesideADevelopingPlatform(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.F, func(h *guestHost) {
		t := h.T
		twin := platform.New(t, h.shape)
		want(t, run(t, "migrate", "up"), 0)
		stop := h.service("registered and active")
		defer stop()
		works := func(when string, shape platform.Shape) {
			t.Helper()
			want(t, run(t, "workers", "refresh", h.name, "--wait"), 0, "verified in")
			want(t, run(t, "workers", "list", "--has", "python@>=3.12.2"), 0, h.name, "3.12.4")
			want(t, run(t, "runtimes", "list"), 0, "core.nodejs", "core.perl")
			want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
			want(t, run(t, "migrate", "up"), 0) // guards of new tables
			want(t, run(t, "migrate", "plan", "--exit-code"), 0, "nothing to do")
			platform.Run(h, h.db, shape)
			h.noBait(when, shape)
			if t.Failed() {
				t.Fatalf("after %s", when)
			}
		}
		works("up", h.shape)
		for i, next := range platform.Shapes()[1:] {
			if h.shape.Has(next) {
				continue
			}
			for _, db := range []*testdb.DB{h.db, twin} {
				platform.Advance(t, db, platform.Shapes()[i], next)
			}
			works("the way to "+string(next), next)
			switch next {
			case platform.V: // its columns and tables are used from now on
				h.exec(`INSERT INTO attune.runtime_version (runtime, runtime_ref, version, distributions)
					VALUES (11, 'core.nodejs', '20.20', '{"verification": {"commands": [{"binary": "node", "args": ["--version"]}]}}')`)
				want(t, run(t, "runtimes", "show", "node"), 0, "20.20")
				h.exec(`DELETE FROM attune.runtime_version`)
			case platform.A:
				h.exec(`UPDATE attune.runtime SET aliases = '{node,boombox}' WHERE id = 11`)
				want(t, run(t, "runtimes", "show", "boombox"), 0, "core.nodejs")
				h.exec(`UPDATE attune.runtime SET aliases = '{}' WHERE id = 11`)
			}
		}
		last := platform.C
		for _, db := range []*testdb.DB{h.db, twin} {
			platform.Work(t, db, last)
			if _, err := db.ExecContext(t.Context(), `
				ALTER TABLE attune.worker ADD COLUMN identity integer, ADD COLUMN instance jsonb NOT NULL DEFAULT '{}',
					ADD COLUMN heartbeat_interval text, ADD COLUMN refresh_requested boolean;
				ALTER TABLE attune.runtime ADD COLUMN digest integer;
				CREATE TABLE attune.worker_runtime (id text); CREATE TABLE attune.capability_change (id text);
				UPDATE attune.worker SET name = 'worker-renamed-2' WHERE id = 1`); err != nil {
				t.Fatal(err)
			}
		}
		want(t, run(t, "workers", "refresh", h.name, "--wait"), 0, "verified in")
		want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
		want(t, run(t, "workers", "list", "--has", "python"), 0, h.name, "worker-renamed-2")
		want(t, h.worker("register", "--name", "attune-worker-second"), 0, "is registered")
		want(t, h.worker("detect"), 0, "3.12.4", "20.20.2")
		acme := h.pack("acme")
		want(t, run(t, "packs", "load", acme), 0, "created")
		want(t, run(t, "packs", "load", acme), 0, "unchanged")
		h.exec(`SET platform.catalog_writer = 'on'; DELETE FROM attune.sensor WHERE runtime = 11; DELETE FROM attune.action WHERE runtime = 11; DELETE FROM attune.runtime WHERE id = 11; RESET platform.catalog_writer`,
			`UPDATE attune.worker SET name = 'attune-worker-renamed' WHERE name = '`+h.name+`'`)
		want(t, run(t, "workers", "list", "--has", "node"), 0, "attune-worker-renamed", "20.20.2")
		want(t, run(t, "workers", "refresh", "attune-worker-renamed", "--wait"), 0, "verified in")
		h.exec(`UPDATE attune.worker SET name = '` + h.name + `' WHERE name = 'attune-worker-renamed'`)
		want(t, run(t, "packs", "unload", "acme"), 0, "deleted")
		stop()
		movesOut(t)
		if diff := gocmp.Diff(catalog(t, twin), catalog(t, h.db)); diff != "" {
			t.Errorf("the catalog of a platform without attune, and after down (-without +after):\n%s", diff)
		}
		if n := text(t, h.db, `SELECT count(*) FROM attune.worker WHERE name LIKE 'attune-%'`); n != "0" {
			t.Errorf("%s workers of attune's after down", n)
		}
		want(t, run(t, "migrate", "up"), 0, "adopted")
		want(t, h.worker("register"), 0, "is registered")
	})
}

// catalog is a snapshot without the contents of tables.
func catalog(t *testing.T, db *testdb.DB) (lines []string) {
	t.Helper()
	for _, line := range platform.Snapshot(t, db) {
		if !strings.HasPrefix(line, "rows ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestGuestDotlessRefs: a platform's runtime need not have a pack in its ref.
func TestGuestDotlessRefs(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		setenv(t, "ATTUNE_POLICY_DENY", "java") // the runtime go is node here
		h.exec(`UPDATE attune.runtime SET distributions = '{"verification": {"commands": [{"binary": "node", "args": ["--version"], "pattern": "v(?P<version>[0-9.]+)"}]}}' WHERE ref = 'go'`,
			`UPDATE attune.worker SET capabilities = '{"runtimes": ["Go"], "runtime_versions": {"go": "1.22"}}' WHERE id = 1`)
		if h.shape.Has(platform.V) {
			h.exec(`DELETE FROM attune.runtime_version WHERE runtime = 15`)
		}
		looks := func() {
			t.Helper()
			for _, command := range [][]string{{"runtimes", "list"}, {"runtimes", "show", "go"}} {
				got := run(t, command...)
				want(t, got, 0, "go", "node --version")
				if strings.Contains(got.out, `got "go"`) {
					t.Errorf("%q calls the ref wrong:\n%s", command, got.out)
				}
			}
			want(t, run(t, "explain", "worker-alpha", "go@>=1.20"), 0, "on worker-alpha: yes", "1.22.0", "declared")
			want(t, h.worker("detect", "go"), 0, "20.20.2")
			want(t, h.worker("explain", "go"), 0, "go (go): available")
		}
		looks()
		want(t, run(t, "migrate", "up"), 0)
		want(t, h.worker("register"), 0)
		looks()
		want(t, run(t, "workers", "list", "--has", "go@>=1.20"), 0, "worker-alpha", "1.22.0", h.name, "20.20.2", "2 workers")
		want(t, run(t, "workers", "list", "--lacks", "go"), 0, "sensor-gamma", "3 workers")
		want(t, run(t, "workers", "list", "--has", "deep.ref"), 1, "deep.ref")
		want(t, run(t, "workers", "list", "--lacks", "acme.deep.ref"), 0, "worker-alpha")
		want(t, run(t, "explain", h.name, "acme.deep.ref"), 0, "acme.deep.ref")
		want(t, run(t, "runtimes", "show", "acme.deep.ref"), 0, "malformed", "/distributions")
		if got := run(t, "migrate", "status"); strings.Contains(got.out, "/ref:") {
			t.Errorf("status calls refs of the platform's wrong:\n%s", got.out)
		}
	})
}

// TestGuestGuards: the database keeps what the guards do and status shows it. The platform's statements work as they
// did where the guards do not refuse.
func TestGuestGuards(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		t := h.T
		before := platform.Works(t, h.db, h.shape)
		for _, line := range before {
			if strings.Contains(line, ":") {
				t.Fatalf("before up: %s", line)
			}
		}
		want(t, run(t, "migrate", "plan"), 0, "with a warning")
		want(t, run(t, "migrate", "plan", "--guards=refuse"), 0, "refuse")
		want(t, run(t, "migrate", "up"), 0)
		for _, mode := range []struct{ flag, status, refused string }{
			{"", "let wrong metadata through", ""},
			{"--guards=refuse", "refuse", "write metadata that attune cannot read"},
			{"--guards=off", "guards       off", ""},
			{"--guards=warn", "let wrong metadata through", ""},
		} {
			if mode.flag != "" {
				want(t, run(t, "migrate", "up", mode.flag), 0)
			}
			want(t, run(t, "migrate", "up"), 0, "nothing to do") // it is kept
			want(t, run(t, "migrate", "status", "--exit-code"), 0, mode.status)
			after := platform.Works(t, h.db, h.shape)
			if mode.refused == "" {
				h.same("guards "+mode.flag, before, after)
			} else if !strings.Contains(strings.Join(after, "\n"), mode.refused+": 23514") {
				t.Errorf("guards %s: %q", mode.flag, after)
			}
		}
	})
}

// TestGuardsOfSQLite: SQLite's guards can only refuse.
func TestGuardsOfSQLite(t *testing.T) {
	t.Parallel()
	isolated(t)
	for _, command := range []string{"up", "plan"} {
		want(t, run(t, "migrate", "up", "--no-core"), 0)
		for _, mode := range []string{"warn", "off"} {
			want(t, run(t, "migrate", command, "--guards="+mode), 1, "must be refuse for SQLite", mode)
		}
		want(t, run(t, "migrate", command, "--guards=refuse"), 0, "nothing to do")
	}
	want(t, run(t, "migrate", "status"), 0, "in place")
}
