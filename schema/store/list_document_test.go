package store_test

import (
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

// TestListReadsNoDocument: lists by runtimes, labels and status are answered from rows. No statement reads a worker's
// document.
func TestListReadsNoDocument(t *testing.T) {
	t.Parallel()
	reads := func(t *testing.T, db *bun.DB, cfg store.Config) {
		t.Helper()
		hook := new(statements)
		st := store.New(db.WithQueryHook(hook), cfg)
		python, label := []store.RuntimeFilter{{Ref: "core.python", Constraint: constraint(t, ">=3.9")}}, []store.Label{{Key: "zone", Value: ptr("a")}}
		for _, s := range []store.Selection{{}, {Has: python}, {Lacks: python}, {Has: python, Labels: label}, {Lacks: python, Labels: label, Stale: true}} {
			ids, err := st.Workers.List(t.Context(), store.Listing{Selection: s, Order: store.OrderName})
			if err == nil {
				_, err = st.Workers.Rows(t.Context(), ids, false)
			}
			if err == nil {
				_, err = st.Workers.Tallies(t.Context(), s)
			}
			if err == nil {
				_, err = st.Workers.Standing(t.Context(), s)
			}
			if err == nil {
				_, err = st.WorkerRuntimes.Reports(t.Context(), ids, python)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(*hook) < 15 {
			t.Errorf("%d statements were seen", len(*hook))
		}
		for _, query := range *hook {
			if strings.Contains(strings.NewReplacer("worker.capabilities IS NOT NULL AS documented", "", `"`, "").Replace(query), "worker.capabilities") {
				t.Errorf("a document is read:\n%s", query)
			}
		}
	}
	each(t, func(t *testing.T, e env) {
		running(t, e, "a", row("core.python", "python", "3.9.2", "/p"))
		reads(t, e.DB, store.Config{Schema: e.schema})
	})
	eachGuest(t, func(t *testing.T, db *testdb.DB, _ platform.Shape) {
		reads(t, db.DB, store.Config{Layout: openGuest(t, db, store.Config{}).Layout()})
	})
}
