package main

import (
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/platform"
)

// TestGuestDefinitionsChange: after the platform added or retired a runtime or changed its aliases, every way to
// ask finds the same workers, whether a command asks or a service has resolved the names.
func TestGuestDefinitionsChange(t *testing.T) {
	t.Parallel()
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			asGuest(t, shape, func(h *guestHost) {
				want(t, run(t, "migrate", "up"), 0)
				declares := func(name, ref string) {
					t.Helper()
					want(t, run(t, "workers", "list", "--has", name), 0, "worker-alpha", "1 worker")
					if ref != "" { // nobody can be asked to provide what is not defined
						want(t, run(t, "place", name, "--tolerate", "gpu"), 0, "1 of ", "worker-alpha")
					}
					want(t, run(t, "explain", "worker-alpha", name), 0, "yes")
					got := text(t, h.db, `SELECT string_agg(ref, ' ') FROM attune.available_runtime WHERE worker_name = 'worker-alpha' AND (ref = '' AND name = ? OR ref = ?)`, name, ref)
					if got != ref {
						t.Errorf("available_runtime has %s as %q, want %q", name, got, ref)
					}
				}
				declares("cobol", "")
				h.inPath(`INSERT INTO runtime (ref, name, distributions) VALUES ('etl.cobol', 'Cobol', '{}')`)
				declares("cobol", "etl.cobol")
				want(t, run(t, "workers", "list", "--has", "etl.cobol"), 0, "worker-alpha")
				h.inPath(`DELETE FROM runtime WHERE ref = 'etl.cobol'`)
				declares("cobol", "")
				if shape.Has(platform.A) {
					h.inPath(`UPDATE runtime SET aliases = '{"cobol"}' WHERE ref = 'go'`)
					declares("cobol", "go")
					gone := `UPDATE runtime SET aliases = '{}' WHERE ref = 'go'`
					if shape == platform.C {
						gone = `SET LOCAL platform.catalog_writer = 'on'; UPDATE runtime SET retired_at = now() WHERE ref = 'go'`
					}
					h.inPath(gone)
					declares("cobol", "")
				}

				if shape != platform.F {
					return
				}
				stop := h.service("registered and active")
				defer stop()
				h.inPath(`INSERT INTO runtime (ref, name, distributions) VALUES ('etl.cobol', 'Cobol', '{}')`)
				for end := time.Now().Add(time.Minute); text(t, h.db, `SELECT count(*) FROM attune.available_runtime WHERE ref = 'etl.cobol'`) != "1"; time.Sleep(100 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatal("a service has not resolved the name within a minute")
					}
				}
			})
		})
	}
}

// inPath runs statements of the platform in a transaction.
func (h *guestHost) inPath(statements string) {
	h.Helper()
	h.exec("BEGIN; SET LOCAL search_path TO attune, public; " + statements + "; COMMIT")
}
