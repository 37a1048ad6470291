package migrations_test

import (
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
)

// TestMigrateThroughPooler: the migrator keeps nothing in a session, because in transaction mode another
// client would get that session next.
func TestMigrateThroughPooler(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), testdb.Pooler(t, testdb.EmptyPostgres(t).URL, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for range 2 {
		m, err := migrations.New(db, migrations.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
