package main

import (
	"context"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/migrations"
)

// TestGuestLosesObjects: status names an object of attune's that the platform dropped, commands that need it name
// it too, and moving out and in again repairs everything.
func TestGuestLosesObjects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault, status, register string
	}{
		{`ALTER TABLE attune.attune_worker_runtime DROP COLUMN hint`, "attune_worker_runtime.hint", `column "hint" does not exist`},
		{`ALTER TABLE attune.attune_worker_state DROP COLUMN heartbeat_interval`, "attune_worker_state.heartbeat_interval", "worker.heartbeat_interval does not exist"},
		{`ALTER TABLE attune.attune_runtime_state DROP COLUMN digest`, "attune_runtime_state.digest", "s.digest does not exist"},
		{`ALTER TABLE attune.attune_requirement DROP COLUMN worker_selector`, "attune_requirement.worker_selector", ""},
		{`ALTER TABLE attune.attune_worker_taint DROP COLUMN effect`, "attune_worker_taint.effect", ""},
		{`DROP TABLE attune.attune_worker_label`, "attune_worker_label is missing", "attune_worker_label is missing"},
		{`DROP VIEW attune.available_runtime`, "available_runtime is missing", "available_runtime is missing"},
		{`DROP TABLE attune.attune_worker_state CASCADE`, "attune_worker_state is missing", "attune_worker_state is missing"},
		{`DROP TABLE attune.attune_worker_runtime`, "attune_worker_runtime is missing", "attune_worker_runtime is missing"},
		{`ALTER TABLE attune.attune_worker_runtime DROP COLUMN sort_key CASCADE`, "attune_worker_runtime.sort_key", `"sort_key"`},
		{`DROP FUNCTION attune.attune_copy_labels`, "attune_copy_labels", ""},
		{`DROP FUNCTION attune.attune_sweep_workers`, "attune_sweep_workers", ""},
		{`DROP TRIGGER attune_worker_declares ON attune.worker`, "attune_worker_declares", ""},
		{`ALTER TABLE attune.worker DISABLE TRIGGER attune_worker_declares`, "attune_worker_declares", ""},
		{`DROP FUNCTION attune.attune_worker_mirror CASCADE`, "attune_worker_mirror", ""},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			h := faulty(t, tt.fault)
			before := h.theirs()
			want(t, run(t, "migrate", "status", "--exit-code"), 3, tt.status)
			if tt.register == "" {
				want(t, h.worker("register", "--name", h.name), 0, "is registered")
			} else {
				want(t, h.worker("register", "--name", h.name), 1, tt.register, "attune migrate ")
				h.same("a refused registration", before, h.theirs())
			}
			platform.Run(h, h.db, h.shape)
			movesOut(t)
			want(t, run(t, "migrate", "up"), 0)
			want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
			want(t, h.worker("register", "--name", h.name), 0, "is registered")
		})
	}
}

// TestGuestLosesObjectsBeforeAMigration: the platform dropped an object of attune's while a migration is pending. It
// goes through, or the plan and up name the object and the remedy, and nothing is half-done.
func TestGuestLosesObjectsBeforeAMigration(t *testing.T) {
	t.Parallel()
	const works = ""
	for _, tt := range []struct {
		fault, refused string
		named          string // by status, because no migration makes it again
	}{
		{`DROP TRIGGER attune_worker_state_status ON attune.attune_worker_state`, works, ""},
		{`DROP INDEX attune.attune_worker_runtime_available_idx`, works, ""},
		{`DROP INDEX attune.attune_worker_label_key_idx`, works, ""},
		{`DROP FUNCTION attune.attune_worker_state_follow CASCADE`, works, "attune_worker_state_insert"},
		{`DROP FUNCTION attune.attune_worker_declares CASCADE`, works, "attune_worker_declares"},
		{`DROP TRIGGER attune_worker_declares ON attune.worker`, works, "attune_worker_declares"},
		{`DROP TABLE attune.attune_worker_label`, "attune_worker_label is missing", ""},
		{`DROP TABLE attune.attune_worker_runtime CASCADE`, "attune_worker_runtime is missing", ""},
		{`DROP VIEW attune.available_runtime`, "available_runtime is missing", ""},
		{`ALTER TABLE attune.attune_worker_runtime DROP COLUMN sort_key CASCADE`, "attune_worker_runtime.sort_key: missing", ""},
		{`ALTER TABLE attune.attune_worker_runtime DROP COLUMN prerelease`, "attune_worker_runtime.prerelease: missing", ""},
		{`ALTER TABLE attune.attune_worker_state DROP COLUMN worker CASCADE`, "attune_worker_state.worker: missing", ""},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			h := movedIn(t, migrations.Fleet)
			want(t, run(t, "migrate", "plan", "--exit-code"), cli.ExitPending, migrations.Fleet)
			h.exec(tt.fault)
			before := platform.Snapshot(t, h.db)
			for _, command := range []string{"plan", "up"} {
				if got := run(t, "migrate", command); tt.refused == works {
					want(t, got, 0)
				} else {
					want(t, got, 1, tt.refused, "attune migrate down --force")
					h.same("a refused "+command, before, platform.Snapshot(t, h.db))
				}
			}
			if tt.named != "" { // up does not create it anew
				want(t, run(t, "migrate", "status", "--exit-code"), 3, tt.named)
			}
			if tt.refused != works || tt.named != "" {
				movesOut(t)
				want(t, run(t, "migrate", "up"), 0)
			}
			want(t, run(t, "migrate", "status", "--exit-code"), 0, "as they should be")
			want(t, h.worker("register", "--name", h.name), 0, "is registered")
		})
	}
}

// TestGuestLosesColumns: a column of the platform's that attune cannot do without is named.
func TestGuestLosesColumns(t *testing.T) {
	t.Parallel()
	for column, names := range map[string]string{
		"worker.last_heartbeat": "worker.last_heartbeat", "worker.worker_role": "worker.worker_role", "worker.status": "table worker lacks status",
		"worker.capabilities": "table worker lacks capabilities", "runtime.distributions": "table runtime lacks distributions",
	} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			table, name, _ := strings.Cut(column, ".")
			h := faulty(t, `ALTER TABLE attune.`+table+` DROP COLUMN `+name+` CASCADE`)
			want(t, run(t, "migrate", "status", "--exit-code"), 3, names)
			before := h.theirs()
			want(t, h.worker("register", "--name", h.name), 1, name)
			h.same("a refused registration", before, h.theirs())
		})
	}
}

// faulty moves into a platform and then runs a statement.
func faulty(t *testing.T, statement string) *guestHost {
	t.Helper()
	h := movedIn(t, "")
	h.exec(statement)
	return h
}

// movedIn is a platform that attune moved into, on a host without runtimes. The migrations from pending on, if any is
// given, are undone. Both happened to a template.
func movedIn(t *testing.T, pending string) *guestHost {
	t.Helper()
	isolated(t)
	db := platform.NewAfter(t, platform.A, "moved in, pending "+pending, func(ctx context.Context, db *bun.DB) error {
		m, err := migrations.New(db, migrations.Config{Force: true})
		if err != nil {
			return err
		}
		_, err = m.Up(ctx)
		for undone := ""; err == nil && undone != pending; {
			var res *migrations.Result
			if res, err = m.Down(ctx); err == nil {
				undone = res.Done[0].ID
			}
		}
		return err
	})
	uses(t, db)
	onPath(t, t.TempDir())
	return &guestHost{T: t, db: db, shape: platform.A, name: "attune-worker-x"}
}

// TestGuestBesideAnotherSchema: tables of attune's in another schema of the database do not hide the platform's.
func TestGuestBesideAnotherSchema(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := platform.New(t, platform.C)
	uses(t, db)
	before := platform.Snapshot(t, db)
	want(t, run(t, "migrate", "up", "--schema", "own"), 1, "another schema already holds attune's tables", "attune")
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA copy; CREATE TABLE copy.runtime AS TABLE attune.runtime; CREATE TABLE copy.worker AS TABLE attune.worker`); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"migrate", "up"}, {"migrate", "plan"}, {"workers", "list"}} {
		want(t, run(t, command...), 1, "several schemas hold attune's tables", "attune, copy", "--schema")
	}
	if diff := gocmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
		t.Errorf("a refusal changed something (-before +after):\n%s", diff)
	}
	want(t, run(t, "migrate", "up", "--schema", "attune"), 0, "adopted")
	want(t, run(t, "workers", "list", "--has", "python", "--schema", "attune"), 0, "worker-alpha")
}
