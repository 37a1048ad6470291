package migrations_test

import (
	"slices"
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
				"DROP VIEW attune_guard_runtime_distributions"
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

// TestFormerGuards checks that guards with the names of earlier releases are dropped, unless
// the guards of another package have them.
func TestFormerGuards(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		run(t, db, "CREATE TABLE others (document text)")
		left := "SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'attune_guard%'"
		if db.Dialect().Name() == dialect.PG {
			left = "SELECT proname::text FROM pg_proc WHERE proname LIKE 'attune_guard%'"
			for _, name := range []string{"attune_guard_aliases", "attune_guard_distributions"} {
				run(t, db, "CREATE FUNCTION "+name+"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
			}
			run(t, db, "CREATE TRIGGER other BEFORE INSERT ON others FOR EACH ROW EXECUTE FUNCTION attune_guard_aliases()")
		} else {
			for _, name := range []string{"attune_guard_aliases", "attune_guard_distributions"} {
				run(t, db, "CREATE VIEW "+name+" AS SELECT '' AS document WHERE 0",
					"CREATE TRIGGER "+name+"_fault INSTEAD OF INSERT ON "+name+" BEGIN SELECT 1; END")
			}
			run(t, db, "CREATE TRIGGER other BEFORE INSERT ON others BEGIN INSERT INTO attune_guard_aliases (document) VALUES (NEW.document); END")
		}
		if err := migrations.DropGuards(t.Context(), db, db.Schema); err != nil {
			t.Fatal(err)
		}
		if got := strs(t, db, left); !slices.Equal(got, []string{"attune_guard_aliases"}) {
			t.Errorf("%q are left, want the one that another table uses", got)
		}
	})
}
