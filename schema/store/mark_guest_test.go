package store_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

// TestDefinitionsMarkOfAGuest: every change of the platform's definitions changes the mark, which reads no definition.
// The platform's statements work whatever became of the table that counts.
func TestDefinitionsMarkOfAGuest(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		hook := new(captured)
		st := openGuest(t, db, store.Config{})
		hooked := store.New(db.WithQueryHook(hook), store.Config{Layout: st.Layout()})
		mark := func() string {
			t.Helper()
			m, err := hooked.DefinitionsMark(t.Context())
			if err != nil || m == "" {
				t.Fatalf("%q, %v", m, err)
			}
			return m
		}
		exec := func(statement string, isolation sql.IsolationLevel) {
			t.Helper()
			err := db.RunInTx(t.Context(), &sql.TxOptions{Isolation: isolation}, func(_ context.Context, tx bun.Tx) error {
				_, err := tx.Exec("SET LOCAL search_path TO attune, public; " + statement)
				return err
			})
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		changes := []string{
			`INSERT INTO runtime (ref, name, distributions) VALUES ('etl.new', 'New', '{}')`,
			`UPDATE runtime SET name = 'Newer' WHERE ref = 'etl.new'`,
			`UPDATE runtime SET name = 'Newer' WHERE ref = 'etl.new'; UPDATE runtime SET name = 'New' WHERE ref = 'etl.new'`,
			`INSERT INTO attune_runtime_state (runtime) SELECT id FROM runtime WHERE ref = 'etl.new'`,
			`INSERT INTO attune_runtime_version (runtime, version, sort_key) SELECT id, '1.0.0', 'A1A0A0.' FROM runtime WHERE ref = 'etl.new'`,
			`DELETE FROM runtime WHERE ref = 'etl.new'`,
		}
		if shape.Has(platform.V) {
			changes = append(changes, `UPDATE runtime_version SET available = NOT available`)
		}
		if shape.Has(platform.C) {
			changes = append(changes, `SET LOCAL platform.catalog_writer = 'on'; UPDATE runtime SET retired_at = now() WHERE ref = 'core.nodejs'`)
		}
		differs := func(when string) {
			t.Helper()
			for _, isolation := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelSerializable} {
				for _, change := range changes {
					before := mark()
					if exec(change, isolation); mark() == before {
						t.Errorf("%s, %v: after %s the mark is the same", when, isolation, change)
					}
				}
			}
		}
		differs("counted")
		if plan := analyzed(t, db, hook.query); strings.Count(plan, "never executed") < 2 || strings.Contains(plan, "Aggregate  (actual") && !strings.Contains(plan, "attune_definition_mark") {
			t.Errorf("the mark reads the definitions:\n%s", plan)
		}
		before := mark()
		exec(`UPDATE worker SET last_heartbeat = now(), capabilities = '{"runtimes": ["python"]}' WHERE id = 1`, sql.LevelDefault)
		if after := mark(); after != before {
			t.Errorf("without a change it was %s and is %s", before, after)
		}
		exec(`ALTER TABLE runtime DISABLE TRIGGER attune_definition_mark_count`, sql.LevelDefault)
		if mark() == before {
			t.Error("the mark does not say that nobody counts")
		}
		differs("read")
		exec(`ALTER TABLE runtime ENABLE ALWAYS TRIGGER attune_definition_mark_count; DROP TABLE attune_definition_mark`, sql.LevelDefault)
		for _, change := range changes {
			exec(change, sql.LevelDefault)
		}
	})
}

// analyzed runs a query and returns its plan with what was executed.
func analyzed(t *testing.T, db *testdb.DB, query string) string {
	t.Helper()
	var lines []string
	if err := db.NewRaw("EXPLAIN (ANALYZE, COSTS off, TIMING off) ?", bun.Safe(query)).Scan(t.Context(), &lines); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
