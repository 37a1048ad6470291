package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// What is too much is left out and named, the core pack's definitions are not, and
// what is too large alone is there with a fault.
func TestDefinitionsAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		testdb.Unguard(t, e.DB, e.schema)
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name, distributions) VALUES ('core.python', 'n', ?), ('core.ruby', 'n', '{}')`,
			`{"x": "`+strings.Repeat("a", store.MaxDefinitionSize)+`"}`)
		var values []string
		for n := range store.MaxDefinitions + 10 {
			values = append(values, fmt.Sprintf("('aaa.r%04d', 'n')", n))
		}
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name) VALUES `+strings.Join(values, ", "))
		defs, left, err := e.BoundedDefinitions(t.Context())
		if err != nil || len(defs) != store.MaxDefinitions {
			t.Fatalf("got %d definitions, %v", len(defs), err)
		}
		last := defs[len(defs)-2:]
		if last[0].Ref != "core.python" || last[0].Fault() == nil || last[1].Ref != "core.ruby" || last[1].Fault() != nil {
			t.Errorf("got %s with %v and %s with %v", last[0].Ref, last[0].Fault(), last[1].Ref, last[1].Fault())
		}
		if left.Count != 12 || left.Total != store.MaxDefinitions+12 || len(left.Refs) != 3 || left.Refs[0] != fmt.Sprintf("aaa.r%04d", store.MaxDefinitions-2) {
			t.Errorf("got %+v", left)
		}
		// One row alone is bounded too, and is not written back as what it is not.
		row, err := e.Runtimes.ByRef(t.Context(), "core.python")
		if err != nil || row.Distributions.Fault() == nil || !strings.Contains(row.Distributions.Fault().Error(), "must have at most 2097152 bytes") {
			t.Errorf("got %.200v, %v", row.Distributions.Fault(), err)
		}
		if err := e.Runtimes.Upsert(t.Context(), row); err == nil {
			t.Error("what was not read was written")
		}
		if _, err := e.Runtimes.Update(t.Context(), "core.python", store.RuntimeChanges{Name: metadata.Some("Python")}); err != nil {
			t.Errorf("another column: %v", err)
		}
	})
}

// What counts is the text of a document, whatever of it can be read, and what the database
// had to unpack to find out that a document is too large.
func TestDefinitionsAreBoundedInSum(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		testdb.Unguard(t, e.DB, e.schema)
		insert := func(pack, document string, n int) {
			e.exec(t, `INSERT INTO {schema}.runtime (ref, name, distributions) VALUES ('`+pack+`.r', 'n', ?)`, document)
			for i := range n - 1 {
				e.exec(t, fmt.Sprintf(`INSERT INTO {schema}.runtime (ref, name, distributions)
					SELECT '%s.r%d', 'n', distributions FROM {schema}.runtime WHERE ref = '%[1]s.r'`, pack, i))
			}
		}
		read := func(most, total int) {
			t.Helper()
			defs, left, err := e.BoundedDefinitions(t.Context())
			if err != nil || len(defs) == 0 || len(defs) > most || left.Count != total-len(defs) {
				t.Errorf("%d of %d definitions, want at most %d; %v, %v", len(defs), total, most, left, err)
			}
			e.exec(t, `DELETE FROM {schema}.runtime`)
		}
		insert("long", `{"x": "`+strings.Repeat("a", store.MaxDefinitionSize-100)+`"}`, 12)
		read(store.MaxDefinitionsSize/(store.MaxDefinitionSize-100), 12)
		if e.postgres {
			insert("packed", `{"x": "`+strings.Repeat("a", 30<<20)+`"}`, 4)
			read(1, 4)
			insert("escaped", `{"x": "`+strings.Repeat(`\u0001`, 1<<20)+`"}`, 20)
			read(store.MaxDefinitionsWork/(7<<20), 20)
		}
	})
}
