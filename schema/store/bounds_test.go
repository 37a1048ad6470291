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
		if err != nil || row.Distributions.Fault() == nil || !strings.Contains(row.Distributions.Fault().Error(), "bytes; at most") {
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
