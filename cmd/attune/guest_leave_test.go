package main

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
)

// TestGuestLeavesReferences: rows of the platform that refer to attune's workers keep attune from moving out, before
// the first step, and the plan foresees it.
func TestGuestLeavesReferences(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.C, func(h *guestHost) {
		want(t, run(t, "migrate", "up"), 0)
		want(t, h.worker("register"), 0)
		h.inPath(`INSERT INTO execution (action, action_ref, status, worker) SELECT 2, 'etl.load', 'scheduled', id FROM worker WHERE name = '` + h.name + `';
			UPDATE pack_environment SET claimed_by_worker = (SELECT id FROM worker WHERE name = '` + h.name + `') WHERE id = 1`)
		before := platform.Snapshot(t, h.db)
		in := []string{"table execution holds 1 row that refers by worker to a worker of attune's (" + h.name + ")", "table pack_environment holds 1 row that refers by claimed_by_worker"}
		want(t, run(t, "migrate", "plan", "--down"), 0, append(in, "refuses until the above is removed")...)
		for _, down := range [][]string{{"migrate", "down"}, {"migrate", "down", "--force"}} {
			want(t, run(t, down...), 1, append(in, "nothing was changed", "remove these first")...)
		}
		h.same("a refused down", before, platform.Snapshot(t, h.db))
		h.inPath(`DELETE FROM execution WHERE worker > 1000`)
		want(t, run(t, "migrate", "down"), 1, in[1])
		h.inPath(`UPDATE pack_environment SET claimed_by_worker = 1 WHERE id = 1`)
		movesOut(t)
		if n := text(t, h.db, `SELECT count(*) FROM attune.pack_environment WHERE claimed_by_worker = 1`); n != "1" {
			t.Error("the platform's own reference was changed")
		}
	})
}

// TestGuestLeavesPacks: a loaded pack must be unloaded before attune moves out, because nothing would tell it from the
// platform's packs afterwards.
func TestGuestLeavesPacks(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.V, func(h *guestHost) {
		before := h.theirs()
		want(t, run(t, "migrate", "up"), 0)
		acme := h.pack("acme")
		want(t, run(t, "packs", "load", acme), 0, "created")
		want(t, run(t, "migrate", "plan", "--down"), 0, "the pack acme is loaded", "`attune packs unload acme`")
		for _, down := range [][]string{{"migrate", "down"}, {"migrate", "down", "--force"}} {
			want(t, run(t, down...), 1, "the pack acme is loaded", "nothing was changed", "`attune packs unload acme`")
		}
		want(t, run(t, "packs", "unload", "acme"), 0, "deleted")
		movesOut(t)
		h.same("a loaded pack and down", before, h.theirs())
	})
}

// TestGuestLeavesWithoutColumns: when the platform drops or renames a column that attune needs, everything says which
// one, and attune can move out with its workers.
func TestGuestLeavesWithoutColumns(t *testing.T) {
	t.Parallel()
	for _, change := range []string{`DROP COLUMN capabilities CASCADE`, `RENAME COLUMN capabilities TO caps`} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			h := movedIn(t, "")
			want(t, h.worker("register", "--name", h.name), 0)
			h.exec(`ALTER TABLE attune.worker ` + change)
			const lacks, leave = "table worker lacks capabilities", "`attune migrate down --force` once for each migration moves out"
			want(t, run(t, "migrate", "status", "--exit-code"), 3, lacks)
			for _, command := range []string{"migrate up", "migrate plan", "workers list", "runtimes list"} {
				want(t, run(t, strings.Fields(command)...), 1, lacks, "add it again, or move out", leave)
			}
			want(t, run(t, "migrate", "plan", "--down"), 0, "undo")
			movesOut(t)
			left := text(t, h.db, `SELECT count(*) FROM attune.worker WHERE name = ?`, h.name) +
				text(t, h.db, `SELECT count(*) FROM pg_class WHERE relnamespace = 'attune'::regnamespace AND relname LIKE 'attune%'`) +
				text(t, h.db, `SELECT count(*) FROM pg_proc WHERE pronamespace = 'attune'::regnamespace AND proname LIKE 'attune%'`)
			if left != "000" {
				t.Errorf("%s of attune's workers, relations and functions are left", left)
			}
		})
	}
}

// TestGuestHiddenUpdate: a login whose updates a policy of the platform hides gets an error with the remedy, and
// leaves nothing.
func TestGuestHiddenUpdate(t *testing.T) {
	t.Parallel()
	asGuest(t, platform.F, func(h *guestHost) {
		h.db.Schema = platform.Schema
		want(t, run(t, "migrate", "up"), 0)
		roles := testdb.MakeRoles(t, h.db, guestRoles(t))
		host := roles.Login(t, "host-"+rand.Text()[:8], "attune_fleet")
		h.exec(`ALTER TABLE attune.worker ENABLE ROW LEVEL SECURITY`, `CREATE POLICY looks ON attune.worker FOR SELECT USING (true)`,
			`CREATE POLICY adds ON attune.worker FOR INSERT WITH CHECK (true)`)
		want(t, h.worker("register", "--database", host), 1, "lets this login update no such row", "FOR UPDATE", "row 100")
		if n := text(t, h.db, `SELECT count(*) FROM attune.worker WHERE name = ?`, h.name) + text(t, h.db, `SELECT count(*) FROM attune.attune_worker_state`); n != "00" {
			t.Errorf("%s rows of a refused registration", n)
		}
		h.exec(`CREATE POLICY changes ON attune.worker FOR UPDATE USING (true)`)
		want(t, h.worker("register", "--database", host), 0, "is registered")
	})
}
