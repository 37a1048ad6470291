package migrations_test

import (
	"strings"
	"testing"

	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/migrations/internal/guards"
)

// guardsLeft counts the functions, triggers and views of the guards.
func guardsLeft(t *testing.T, db *testdb.DB) int {
	t.Helper()
	if db.Dialect().Name() == dialect.PG {
		return count(t, db, `SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'attune\_guard%') + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'attune\_guard%')`)
	}
	return count(t, db, `SELECT count(*) FROM sqlite_schema WHERE name LIKE 'attune\_guard%' ESCAPE '\'`)
}

// Up creates the guards once, and again if they are missing, incomplete or from another release.
func TestUpPutsGuardsInPlace(t *testing.T) {
	t.Parallel()
	empty := map[string]func(testing.TB) *testdb.DB{
		"postgres": testdb.EmptyPostgres,
		"sqlite":   testdb.EmptySQLite,
	}
	for name, open := range empty {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			const wrong = `INSERT INTO runtime (ref, name, distributions) VALUES ('a.b', 'B', '[]')`
			refuses := func(when string) {
				t.Helper()
				if _, err := db.Exec(wrong); err == nil || !strings.Contains(err.Error(), "distributions: must be an object") {
					t.Errorf("%s: %v", when, err)
				}
			}
			if res := up(t, db.DB, migrations.Config{}); !res.Guards {
				t.Error("the first Up says nothing of guards")
			}
			refuses("at first")
			if res := up(t, db.DB, migrations.Config{}); res.Guards {
				t.Error("the second Up put the same guards in place again")
			}
			trigger, other := "DROP TRIGGER attune_guard_runtime_distributions_insert",
				"DROP VIEW attune_guard_distributions"
			if name == "postgres" {
				trigger = "DROP TRIGGER attune_guard_distributions ON runtime"
				other = otherGuard
			}
			for _, statement := range []string{trigger, other} {
				run(t, db, statement)
				if res := up(t, db.DB, migrations.Config{}); !res.Guards {
					t.Errorf("%s: Up left it so", statement)
				}
				refuses(statement)
			}
			all := guardsLeft(t, db)
			set := guards.SQLite()
			if name == "postgres" {
				set = guards.Postgres()
			}
			if len(set.Kept) != all {
				t.Errorf("%d guards are compared, and %d are there", len(set.Kept), all)
			}
			run(t, db, "INSERT INTO runtime (ref, name) VALUES ('a.c', 'C')")
			downTo(t, db.DB, migrations.UnifyRuntimes, migrations.Config{Force: true})
			if n := guardsLeft(t, db); n != 0 {
				t.Errorf("%d of %d guards are left by Down", n, all)
			}
			if res := up(t, db.DB, migrations.Config{}); !res.Guards || guardsLeft(t, db) != all {
				t.Errorf("%d of %d guards are back after Up", guardsLeft(t, db), all)
			}
		})
	}
}
