package store_test

import (
	"testing"

	"github.com/attune-go/attune/schema/metadata"
)

// TestDefinitionsMark checks that every change by any role changes the mark, and that
// it stays the same otherwise.
func TestDefinitionsMark(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	mark := func() string {
		t.Helper()
		m, err := e.DefinitionsMark(t.Context())
		if err != nil || m == "" {
			t.Fatalf("%q, %v", m, err)
		}
		return m
	}
	e.exec(t, "ALTER TABLE {schema}.runtime DISABLE TRIGGER USER")
	for _, change := range []string{
		"INSERT INTO {schema}.runtime (ref, name) VALUES ('a.one', 'One')",
		"INSERT INTO {schema}.runtime (ref, name) VALUES ('a.two', 'Two'), ('a.three', 'Three')",
		"UPDATE {schema}.runtime SET name = 'Uno' WHERE ref = 'a.one'",
		"UPDATE {schema}.runtime SET name = 'One' WHERE ref = 'a.one'", // what it was before
		"UPDATE {schema}.runtime SET distributions = '{\"verification\": {\"always_available\": true}}' WHERE ref = 'a.two'",
		// As many rows, and the same ids.
		"WITH gone AS (DELETE FROM {schema}.runtime WHERE ref = 'a.three' RETURNING *) INSERT INTO {schema}.runtime (id, ref, name) SELECT id + 100, 'a.four', name FROM gone",
		"INSERT INTO {schema}.runtime_version (runtime, version, sort_key) VALUES (1, '1.0.0', 'A1A0A0.')",
		"UPDATE {schema}.runtime_version SET is_default = true",
		"DELETE FROM {schema}.runtime_version",
		"DELETE FROM {schema}.runtime WHERE ref = 'a.four'",
		"TRUNCATE {schema}.runtime CASCADE",
	} {
		before := mark()
		e.exec(t, change)
		if mark() == before {
			t.Errorf("after %s it is the same", change)
		}
	}
	e.exec(t, "INSERT INTO {schema}.runtime (ref, name) VALUES ('a.one', 'One')")
	before := mark()
	w := running(t, e, "host-1", row("a.one", "one", "3.12", "/usr/bin/one"))
	if _, err := e.Workers.Heartbeat(t.Context(), w.ID, "i1"); err != nil {
		t.Fatal(err)
	}
	for _, nothing := range []string{"VACUUM FREEZE {schema}.runtime", "VACUUM FULL {schema}.runtime", "ANALYZE"} {
		e.exec(t, nothing)
	}
	if after := mark(); after != before {
		t.Errorf("without a change it was %s and is %s", before, after)
	}
	if _, err := e.Runtimes.UpsertDefinition(t.Context(), &metadata.Definition{Ref: "a.one", Name: "One"}, nil); err != nil {
		t.Fatal(err)
	}
	if mark() == before {
		t.Error("written again it is the same")
	}
}

// TestDefinitionsMarkOfSQLite checks that SQLite has no mark.
func TestDefinitionsMarkOfSQLite(t *testing.T) {
	t.Parallel()
	e := sqlite(t)
	if mark, err := e.DefinitionsMark(t.Context()); err != nil || mark != "" {
		t.Errorf("%q, %v; want nothing", mark, err)
	}
}
