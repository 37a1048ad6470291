package answer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestNotFoundWithoutRows: a host's rows and document do not grow with what it does not have, and
// explain, diff and lists still say why.
func TestNotFoundWithoutRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		define := func(name string) {
			t.Helper()
			err := st.Runtimes.Create(ctx, &schema.Runtime{Ref: "acme." + name, Name: name, Distributions: metadata.Distributions{
				Verification: &metadata.Verification{Commands: []metadata.Command{{Binary: name, Args: []string{"--version"}}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"here", "gone", "slow"} {
			define(name)
		}
		host := func(name string, absent int) *store.WorkerSnapshot {
			t.Helper()
			state, err := st.DefinitionsState(ctx)
			if err != nil {
				t.Fatal(err)
			}
			caps := &capability.Document{
				Format: capability.Format, Source: capability.SourceDatabase, Host: capability.Host{Path: []string{"/bin"}}, Definitions: &state,
				Detected:   []capability.Installation{{Ref: "acme.here", Name: "here", Path: "/bin/here", Outcome: capability.Available, Source: capability.Verified}},
				Undetected: []capability.Absence{{Ref: "acme.gone", Name: "gone", Outcome: capability.NotFound, Detail: "gone is in none of the 1 folders of PATH"}},
			}
			for n := range absent {
				caps.Undetected = append(caps.Undetected, capability.Absence{Ref: fmt.Sprint("acme.a", n), Name: fmt.Sprint("a", n), Outcome: capability.NotFound})
			}
			if name == "b" {
				caps.Undetected[0].Outcome = capability.Timeout
			}
			caps.Arrange()
			row, err := service.Register(ctx, st.Workers, service.Identity{Name: name, Role: metadata.Worker}, caps)
			if err != nil {
				t.Fatal(err)
			}
			found, err := st.Workers.Select(ctx, store.Selection{IDs: []int64{row.ID}})
			if err != nil || len(found) != 1 {
				t.Fatalf("%d workers, %v", len(found), err)
			}
			return &found[0]
		}
		a, many, b := host("a", 0), host("many", 2000), host("b", 0)
		if few, large := len(a.Capabilities), len(many.Capabilities); large > few+10 {
			t.Errorf("the document has %d bytes with one runtime absent and %d with 2001", few, large)
		}
		if rows, err := st.WorkerRuntimes.ByWorker(ctx, many.ID); err != nil || len(rows) != 1 {
			t.Errorf("%d rows, %v; want one for the installation", len(rows), err)
		}
		explain := func(w *store.WorkerSnapshot, name string) *answer.Explanation {
			t.Helper()
			def, err := st.Runtimes.Definition(ctx, "acme."+name)
			if err != nil {
				t.Fatal(err)
			}
			e, err := answer.Explain(ctx, st, w, answer.Question{RuntimeFilter: store.RuntimeFilter{Ref: def.Ref, Name: name}, Definition: def})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if e := explain(a, "gone"); e.Answer != answer.No || e.Why != "not_found: gone is in none of the 1 folders of PATH" || e.Negative == nil || len(e.Negative.Attempts) != 1 {
			t.Errorf("gone: %+v", e)
		}
		if e := explain(a, "here"); e.Answer != answer.Yes {
			t.Errorf("here: %+v", e)
		}
		if e := explain(b, "gone"); e.Answer != answer.Unknown {
			t.Errorf("gone on b: %+v", e)
		}
		time.Sleep(5 * time.Millisecond) // SQLite's times are in milliseconds
		define("new")
		if e := explain(a, "new"); e.Answer != answer.NotReported || e.Negative != nil {
			t.Errorf("new: %+v", e)
		}
		d, err := answer.Diff(ctx, st, a, b)
		if err != nil || len(d.Runtimes) != 1 || d.Runtimes[0].A.Outcome != "not_found" || d.Runtimes[0].B.Outcome != "timeout" || len(d.Facts) != 0 {
			t.Errorf("diff: %+v, %v", d, err)
		}
		lacking, err := st.Workers.Select(ctx, store.Selection{Lacks: []store.RuntimeFilter{{Ref: "acme.gone", Name: "gone"}}})
		if err != nil || len(lacking) != 3 {
			t.Errorf("%d workers lack it, %v; want 3", len(lacking), err)
		}
	})
}
