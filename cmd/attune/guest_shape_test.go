package main

import (
	"os"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/schema/metadata"
)

// TestGuestSensor: a sensor of attune's has a name of its own beside the worker of the same host.
func TestGuestSensor(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.F, func(h *guestHost) {
		want(t, run(t, "migrate", "up"), 0)
		want(t, h.worker("register"), 0, h.name)
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		var out, errOut strings.Builder
		status := hostcmd.Program(metadata.Sensor).Run(t.Context(), []string{"register"}, cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &errOut, Environ: environ(t)})
		want(t, result{status, out.String(), errOut.String()}, 0, "attune-sensor-"+host+" is registered")
		want(t, run(t, "workers", "list", "--has", "python"), 0, "worker-alpha") // neither runs
		if roles := text(t, h.db, `SELECT string_agg(name || ' ' || worker_role::text, ', ' ORDER BY name) FROM attune.worker WHERE id > 1000`); roles != "attune-sensor-"+host+" sensor, "+h.name+" action" {
			t.Errorf("attune's rows are %s", roles)
		}
	})
}

// TestGuestReadsShapes: aliases may be JSON, retired versions do not count, and migrations may be in sqlx's table.
func TestGuestReadsShapes(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.C, func(h *guestHost) {
		h.inPath(`SET LOCAL platform.catalog_writer = 'on'; DROP INDEX IF EXISTS idx_runtime_aliases;
			ALTER TABLE runtime ALTER aliases DROP DEFAULT, ALTER aliases TYPE jsonb USING to_jsonb(aliases), ALTER aliases SET DEFAULT '[]'`)
		h.exec(`ALTER TABLE attune._migrations RENAME TO _sqlx_migrations`, `ALTER TABLE attune._sqlx_migrations RENAME COLUMN filename TO description`)
		want(t, run(t, "migrate", "plan"), 0, `"attune"."_sqlx_migrations"`)
		want(t, run(t, "migrate", "up"), 0)
		want(t, run(t, "runtimes", "show", "python3"), 0, "core.python", "3.12")
		h.inPath(`SET LOCAL platform.catalog_writer = 'on'; UPDATE runtime_version SET retired_at = now() WHERE version = '3.12'`)
		shown := run(t, "runtimes", "show", "core.python", "--json")
		want(t, shown, 0, `"python3"`)
		if strings.Contains(shown.out, `"version": "3.12"`) {
			t.Errorf("a retired version is shown:\n%s", shown.out)
		}
		acme := h.pack("acme")
		want(t, run(t, "packs", "load", acme), 0, "created")
		if got := text(t, h.db, `SELECT aliases::text FROM attune.runtime WHERE ref = 'acme.example'`); got != `["acme-example"]` {
			t.Errorf("the aliases of a loaded runtime are %s", got)
		}
		want(t, run(t, "workers", "list", "--has", "nodejs"), 0, "worker-alpha")
	})
}
