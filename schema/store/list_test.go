package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// pages lists all workers of a listing in pages of a size and returns their names.
func pages(t *testing.T, e env, l store.Listing, size int) []string {
	t.Helper()
	names := []string{}
	for l.Limit = size; ; {
		ids, err := e.Workers.List(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := e.Workers.Rows(t.Context(), ids, false)
		if err != nil || len(rows) != len(ids) {
			t.Fatalf("%d rows of %d: %v", len(rows), len(ids), err)
		}
		for i := range rows {
			if rows[i].Capabilities != nil || !rows[i].Documented {
				t.Errorf("%s: %d bytes of document, documented: %v", rows[i].Name, len(rows[i].Capabilities), rows[i].Documented)
			}
			names = append(names, rows[i].Name)
		}
		if len(ids) < size || size == 0 {
			return names
		}
		if l.After, err = e.Workers.PositionOf(t.Context(), l, ids[len(ids)-1]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListInPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		py := func(version string) schema.WorkerRuntime { return row("core.python", "python", version, "/p") }
		running(t, e, "build-10", py("3.9.2"))
		running(t, e, "Build-2", py("3.10.1"))
		running(t, e, "build-1", py(""))
		running(t, e, "build-02", py("3.9.2"))
		running(t, e, "BUILD", py("3.12.1"))
		running(t, e, "ümlaut", py("3.11.1"))
		running(t, e, "build-2x7"+strings.Repeat("9", 30))
		running(t, e, "%_'x")
		for id, seconds := range []int{500, 28, 27, 300, 26, 25, 24, 23} {
			silent(t, e, int64(id+1), seconds)
		}
		e.exec(t, "UPDATE {schema}.worker SET status = 'error' WHERE name = 'BUILD'")
		e.exec(t, "UPDATE {schema}.worker SET last_heartbeat = NULL, instance = NULL, status = NULL WHERE name = 'build-1'")
		long := "build-2x7" + strings.Repeat("9", 30)
		natural := []string{"%_'x", "BUILD", "build-1", "Build-2", "build-02", long, "build-10", "ümlaut"}
		python := []store.RuntimeFilter{{Ref: "core.python"}}
		for name, c := range map[string]struct {
			store.Listing
			want []string
		}{
			"name":      {store.Listing{}, natural},
			"id":        {store.Listing{Order: store.OrderID}, []string{"build-10", "Build-2", "build-1", "build-02", "BUILD", "ümlaut", long, "%_'x"}},
			"status":    {store.Listing{Order: store.OrderStatus}, []string{"build-02", "build-10", "BUILD", "%_'x", "Build-2", long, "ümlaut", "build-1"}},
			"heartbeat": {store.Listing{Order: store.OrderHeartbeat}, []string{"build-10", "build-02", "Build-2", "BUILD", "ümlaut", long, "%_'x", "build-1"}},
			"version": {store.Listing{Order: store.OrderVersion, Selection: store.Selection{Has: python}},
				[]string{"build-1", "build-02", "build-10", "Build-2", "ümlaut", "BUILD"}},
			"lacks": {store.Listing{Order: store.OrderVersion, Selection: store.Selection{Lacks: python}}, []string{"%_'x", long}},
			"some":  {store.Listing{Selection: store.Selection{Names: []string{"?uild-*"}}}, []string{"build-1", "Build-2", "build-02", long, "build-10"}},
		} {
			for _, size := range []int{0, 1, 2, 3, 7, 8, 9} {
				if diff := gocmp.Diff(c.want, pages(t, e, c.Listing, size)); diff != "" {
					t.Errorf("%s, %d a page (-want +got):\n%s", name, size, diff)
				}
			}
		}
		_, err := e.Workers.List(t.Context(), store.Listing{Order: "colour"})
		if err == nil || err.Error() != `order by "colour": unknown order` {
			t.Errorf("an unknown order: %v", err)
		}
		if _, err := e.Workers.List(t.Context(), store.Listing{Order: store.OrderVersion}); err == nil {
			t.Error("the order by version needs no runtime")
		}
	})
}

// TestTallies compares counts in the database with those of the rows.
func TestTallies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for i := range 60 {
			w := running(t, e, fmt.Sprint("w", i), row("core.python", "python", fmt.Sprintf("3.%d.1", 8+i%4), "/p"))
			if i%5 == 0 {
				silent(t, e, w.ID, 300)
			}
			if i%7 == 0 {
				e.exec(t, "UPDATE {schema}.worker SET status = ? WHERE id = ?", []string{"inactive", "busy", "error"}[rand.IntN(3)], w.ID)
			}
		}
		for _, s := range []store.Selection{{}, {Has: []store.RuntimeFilter{{Ref: "core.python", Constraint: constraint(t, ">=3.10")}}}, {Stale: true}} {
			standing, err := e.Workers.Standing(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int{}
			for i := range standing {
				want[fmt.Sprint(*standing[i].Status, standing[i].Stale)]++
			}
			tallies, err := e.Workers.Tallies(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, n := range tallies {
				got[fmt.Sprint(*n.Status, n.Stale)] += n.Count
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", s, diff)
			}
		}
	})
}

// TestReported reads what a list shows of rows: the newest installation first.
func TestReported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		a := running(t, e, "a", row("core.python", "python", "3.9.2", "/p"), row("core.python", "python", "3.10.1", "/q"), row("core.go", "go", "1.26.8", "/go"))
		b := running(t, e, "b", negative("core.python", "python", "timeout", "after 10s"), row("", "fortran", "", ""))
		both := []int64{a.ID, b.ID}
		text := func(rows []store.ReportRow, err error) (list []string) {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				list = append(list, fmt.Sprintf("%d %s %s %s", r.Worker-a.ID, r.Name, cmp.Or(r.Version, "-"), r.Outcome))
			}
			return list
		}
		got := text(e.WorkerRuntimes.Reports(t.Context(), both, []store.RuntimeFilter{{Ref: "core.python"}, {Name: "fortran"}}))
		want := []string{"0 python 3.10.1 available", "0 python 3.9.2 available", "1 fortran - available", "1 python - timeout"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("reported (-want +got):\n%s", diff)
		}
		got = text(e.WorkerRuntimes.Installations(t.Context(), both))
		want = []string{"0 go 1.26.8 ", "0 python 3.10.1 ", "0 python 3.9.2 ", "1 fortran - "}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("installed (-want +got):\n%s", diff)
		}
		rows, err := e.Workers.Rows(t.Context(), []int64{b.ID, 99, a.ID}, true)
		if err != nil || len(rows) != 2 || rows[0].ID != b.ID || rows[1].Capabilities == nil || !rows[1].Fresh {
			t.Errorf("rows: %+v, %v", rows, err)
		}
		if !slices.Equal(both, []int64{a.ID, b.ID}) {
			t.Error("Rows changed its argument")
		}
	})
}

// TestReportedOfMany: of a worker with more rows than a list shows, the first ones are read, and all of the others.
func TestReportedOfMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		rows := []schema.WorkerRuntime{negative("core.python", "python", "timeout", "after 10s")}
		for i := range 520 {
			rows = append(rows, row("core.python", "python", fmt.Sprintf("3.%d", i), fmt.Sprintf("/p%d", i)))
		}
		a := running(t, e, "a", rows...)
		b := running(t, e, "b", negative("core.python", "python", "timeout", "after 10s"), row("core.python", "python", "", "/u"), row("core.python", "python", "3.9.2", "/p"))
		python := []store.RuntimeFilter{{Ref: "core.python"}}
		for name, read := range map[string]func() ([]store.ReportRow, error){
			"reported": func() ([]store.ReportRow, error) {
				return e.WorkerRuntimes.Reports(t.Context(), []int64{b.ID, a.ID}, python)
			},
			"outcomes": func() ([]store.ReportRow, error) {
				return e.WorkerRuntimes.Outcomes(t.Context(), []int64{b.ID, a.ID}, python)
			},
			"installed": func() ([]store.ReportRow, error) {
				return e.WorkerRuntimes.Installations(t.Context(), []int64{b.ID, a.ID})
			},
		} {
			rows, err := read()
			if err != nil {
				t.Fatal(err)
			}
			var versions [2][]string
			for _, r := range rows {
				versions[r.Worker-a.ID] = append(versions[r.Worker-a.ID], cmp.Or(r.Version, "-"))
			}
			of := versions[0]
			if len(of) != 500 || of[0] != "3.519.0" || of[499] != "3.20.0" {
				t.Errorf("%s: %d rows of the first worker, %s", name, len(of), of)
			}
			want := []string{"3.9.2", "-", "-"}
			if name == "installed" {
				want = want[:2]
			}
			if diff := gocmp.Diff(want, versions[1]); diff != "" {
				t.Errorf("%s of the other worker (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestListByIndex: a page of names is read from an index, and not sorted.
func TestListByIndex(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), db.Schema, true}
	e.exec(t, `INSERT INTO {schema}.worker (name, worker_type) SELECT 'build-' || n, 'local' FROM generate_series(1, 12000) AS n`)
	e.exec(t, "VACUUM ANALYZE {schema}.worker")
	hook := new(captured)
	hooked := store.New(db.DB.WithQueryHook(hook), store.Config{Schema: db.Schema})
	isRead := func(l store.Listing, forbidden, wanted string) []int64 {
		t.Helper()
		ids, err := hooked.Workers.List(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		if err := e.DB.NewRaw("EXPLAIN (COSTS off) "+hook.query).Scan(t.Context(), &lines); err != nil {
			t.Fatal(err)
		}
		if plan := strings.Join(lines, "\n"); strings.Contains(plan, forbidden) || !strings.Contains(plan, wanted) {
			t.Errorf("%s\n%s", hook.query, plan)
		}
		return ids
	}
	const ordered = "Index Only Scan using idx_worker_name_order"
	l := store.Listing{Selection: store.Selection{Limit: 20}}
	ids := isRead(l, "Sort", ordered)
	var err error
	if l.After, err = hooked.Workers.PositionOf(t.Context(), l, ids[19]); err != nil {
		t.Fatal(err)
	}
	isRead(l, "Sort", ordered)
	// The last statement reads what remains, which Postgres may sort.
	if all := isRead(store.Listing{}, "Seq Scan", "idx_worker_name_order"); len(all) != 12000 {
		t.Errorf("%d workers in several statements, want 12000", len(all))
	}
}
