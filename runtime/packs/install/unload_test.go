package install_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func unload(t *testing.T, db *testdb.DB, opts install.Options) *install.UnloadReport {
	t.Helper()
	u, err := install.Unload(t.Context(), db.DB, store.Config{Schema: db.Schema}, "acme", opts)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestUnloadUndoesALoad checks that no row is left, and that a dry run reports the same
// without writing.
func TestUnloadUndoesALoad(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		before := rows(t, db)
		dry := unload(t, db, install.Options{DryRun: true})
		if diff := cmp.Diff(before, rows(t, db)); diff != "" {
			t.Errorf("the dry run wrote (-before +after):\n%s", diff)
		}
		real := unload(t, db, install.Options{})
		want := &install.UnloadReport{Pack: "acme", Runtimes: []install.UnloadEntry{{Ref: "acme.tool", Deleted: true}}, Row: install.UnloadEntry{Ref: "acme", Deleted: true}}
		if diff := cmp.Diff(want, real); diff != "" {
			t.Errorf("unloaded (-want +got):\n%s", diff)
		}
		dry.DryRun = false
		if diff := cmp.Diff(real, dry); diff != "" {
			t.Errorf("the dry run said otherwise (-real +dry):\n%s", diff)
		}
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		packs, err := st.Packs.List(t.Context(), store.Page{})
		if left := rows(t, db); err != nil || len(left)+len(packs) != 0 {
			t.Errorf("%d runtimes and %d packs are left, %v", len(left), len(packs), err)
		}
		if _, err := install.Unload(t.Context(), db.DB, store.Config{Schema: db.Schema}, "acme", install.Options{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("again: %v", err)
		}
	})
}

// TestUnloadLeavesWhatIsNotItsOwn checks that rows from before the pack stay, even if
// later loads changed them.
func TestUnloadLeavesWhatIsNotItsOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		p := &schema.Pack{Ref: "acme", Label: "Theirs", Version: "0.1.0"}
		if err := st.Packs.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if _, err := install.Unload(t.Context(), db.DB, store.Config{Schema: db.Schema}, "acme", install.Options{Force: true}); !errors.Is(err, install.ErrNotLoaded) {
			t.Fatalf("a pack that was never loaded: %v", err)
		}
		if err := st.Runtimes.Create(t.Context(), &schema.Runtime{Ref: "acme.tool", Name: "Tool"}); err != nil {
			t.Fatal(err)
		}
		load(t, db, pack(t), install.Options{})
		load(t, db, pack(t, "A tool", "A better tool"), install.Options{})
		u := unload(t, db, install.Options{Force: true})
		if len(u.Runtimes) != 1 || u.Runtimes[0].Reason != install.ReasonAdopted || u.Row.Reason != install.ReasonAdopted {
			t.Fatalf("unloaded %+v", u)
		}
		stored(t, db)
		// A row that somebody deleted, and a load brought back, is the load's.
		if err := st.Runtimes.Delete(t.Context(), "acme.tool"); err != nil {
			t.Fatal(err)
		}
		load(t, db, pack(t), install.Options{})
		if u := unload(t, db, install.Options{}); !u.Runtimes[0].Deleted || u.Row.Reason != install.ReasonAdopted {
			t.Errorf("unloaded %+v", u)
		}
		left, err := st.Packs.ByRef(t.Context(), "acme")
		if err != nil || string(left.Meta) != "{}" {
			t.Errorf("the pack's meta is %s, %v; want no record", left.Meta, err)
		}
	})
}

// TestUnloadNamesWhatStays checks that changed and referenced rows stay, also rows that
// the pack no longer defines, and that another load and unload delete them.
func TestUnloadNamesWhatStays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		load(t, db, pack(t, "acme.tool", "acme.old", "aliases: [tool]", "aliases: [old]"), install.Options{})
		load(t, db, pack(t), install.Options{})
		d := stored(t, db).Distributions
		d.MinVersion = "2.0"
		change(t, db, store.RuntimeChanges{Distributions: metadata.Some(d)})
		u := unload(t, db, install.Options{})
		want := []install.UnloadEntry{{Ref: "acme.old", Deleted: true}, {Ref: "acme.tool", Reason: install.ReasonChanged, Changed: []string{"/distributions/min_version"}}}
		if diff := cmp.Diff(want, u.Runtimes); diff != "" {
			t.Errorf("unloaded (-want +got):\n%s", diff)
		}
		if u.Row.Reason != install.ReasonNeeded || len(u.Row.References) != 1 {
			t.Errorf("the pack's row: %+v", u.Row)
		}
		if e := entry(t, load(t, db, pack(t), install.Options{})); e.Result != install.Kept || cmp.Diff([]string{"/distributions/min_version"}, e.Kept) != "" {
			t.Errorf("another load does not merge as before: %+v", e)
		}
		row, err := st.Runtimes.ByRef(t.Context(), "acme.tool")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.NewRaw("INSERT INTO ? (ref, label, entrypoint, runtime, runtime_ref) VALUES ('etl.watch', 'l', 'e', ?, 'acme.tool')", qualified(db, "sensor"), row.ID).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		u = unload(t, db, install.Options{Force: true})
		if r := u.Runtimes[0]; r.Reason != install.ReasonReferenced || len(r.References) != 1 || cmp.Diff([]string{"etl.watch"}, r.References[0].Examples) != "" {
			t.Errorf("unloaded %+v", u)
		}
		if _, err := db.NewRaw("DELETE FROM ?", qualified(db, "sensor")).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Packs.Update(t.Context(), "acme", store.PackChanges{Config: metadata.Some(json.RawMessage(`{"token": 1}`))}); err != nil {
			t.Fatal(err)
		}
		u = unload(t, db, install.Options{Force: true, DryRun: true})
		if !u.Runtimes[0].Deleted || !u.Row.Deleted {
			t.Errorf("with force: %+v", u)
		}
		change(t, db, store.RuntimeChanges{Distributions: metadata.Some(pack(t).Definitions[0].Distributions)})
		if u = unload(t, db, install.Options{}); !u.Runtimes[0].Deleted || u.Row.Reason != install.ReasonChanged {
			t.Errorf("a pack that somebody configured: %+v", u)
		}
	})
}
