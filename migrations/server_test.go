package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestServerDown: tokens and the audit are given up by force only.
func TestServerDown(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		down(t, db.DB, migrations.Config{Undo: migrations.Declarations})
		run(t, db, `INSERT INTO attune_audit (principal, operation, subject) VALUES ('x', 'refreshWorker', 'worker 1')`)
		m, err := migrations.New(db.DB, migrations.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var use *migrations.UseError
		if _, err := m.Down(t.Context()); !errors.As(err, &use) || len(use.Blockers) != 1 || use.Blockers[0] != "table attune_audit holds 1 row" {
			t.Fatalf("%v", err)
		}
		if m, err = migrations.New(db.DB, migrations.Config{Force: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		up(t, db.DB, migrations.Config{})
		if got := strs(t, db, `SELECT operation FROM attune_audit`); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
}

// TestServerIsTheOwners: the owner of worker has the tokens, the sessions and the audit. Roles that may
// use worker may not use them.
func TestServerIsTheOwners(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, `"pla't.form"`)
	_, owner := asRole(t, db)
	service, role := asRole(t, db)
	run(t, db, `GRANT USAGE, CREATE ON SCHEMA "pla't.form" TO `+owner, `GRANT USAGE ON SCHEMA "pla't.form" TO `+role,
		`ALTER TABLE "pla't.form".worker OWNER TO `+owner, `GRANT SELECT, INSERT, UPDATE, DELETE ON "pla't.form".worker TO `+role)
	up(t, db.DB, migrations.Config{})
	for _, table := range []string{"attune_token", "attune_session", "attune_audit"} {
		if got := strs(t, db, `SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = '`+table+`'`); len(got) != 1 || got[0] != owner {
			t.Errorf("%s belongs to %q, want %s", table, got, owner)
		}
		if _, err := service.Exec(`SELECT * FROM "pla't.form".` + table); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v for a role that may use worker", table, err)
		}
	}
	downTo(t, db.DB, migrations.WorkerRuntime, migrations.Config{Force: true}) // the roles are dropped then
}
