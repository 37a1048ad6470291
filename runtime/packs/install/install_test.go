package install_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

const acme = `
ref: acme.tool
name: Tool
aliases: [tool]
description: A tool
distributions:
  min_version: "1.0"
  verification:
    commands: [{binary: tool, args: [--version]}]
    env: [TOOL_HOME]
installation: {apt: [tool]}
versions:
  - {version: "1.10", is_default: true, distributions: {verification: {commands: [{binary: tool1, args: [--version]}]}}}
`

// pack returns a pack with one definition, after replacements in its text.
func pack(t *testing.T, replace ...string) *packs.Pack {
	t.Helper()
	files := fstest.MapFS{
		"pack.yaml":          {Data: []byte("ref: acme\nlabel: Acme\nversion: 1.0.0\n")},
		"runtimes/tool.yaml": {Data: []byte(strings.NewReplacer(replace...).Replace(acme))},
	}
	p, faults := packs.Load(files, packs.Config{})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func load(t *testing.T, db *testdb.DB, p *packs.Pack, opts install.Options) *install.Report {
	t.Helper()
	r, err := install.Load(t.Context(), db.DB, store.Config{Schema: db.Schema}, p, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stored(t *testing.T, db *testdb.DB) *metadata.Definition {
	t.Helper()
	d, err := store.New(db.DB, store.Config{Schema: db.Schema}).Runtimes.Definition(t.Context(), "acme.tool")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func change(t *testing.T, db *testdb.DB, changes store.RuntimeChanges) {
	t.Helper()
	if _, err := store.New(db.DB, store.Config{Schema: db.Schema}).Runtimes.Update(t.Context(), "acme.tool", changes); err != nil {
		t.Fatal(err)
	}
}

func entry(t *testing.T, r *install.Report) install.Entry {
	t.Helper()
	if len(r.Entries) != 1 {
		t.Fatalf("got %d entries, want 1: %+v", len(r.Entries), r)
	}
	return r.Entries[0]
}

func TestLoadTwice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		first := load(t, db, pack(t), install.Options{})
		if e := entry(t, first); e.Result != install.Created || !first.Created {
			t.Errorf("first load: got %+v", first)
		}
		want := pack(t).Definitions[0]
		got := stored(t, db)
		if got.Digest() != want.Digest() {
			t.Errorf("the row is %+v, want %+v", got, want)
		}
		if v := got.Versions[0].Version; v != "1.10" {
			t.Errorf("version is %q, want 1.10", v)
		}
		before := rows(t, db)
		second := load(t, db, pack(t), install.Options{})
		if e := entry(t, second); e.Result != install.Unchanged || second.Created || second.Writes() != 0 {
			t.Errorf("second load: got %+v", second)
		}
		if diff := cmp.Diff(before, rows(t, db)); diff != "" {
			t.Errorf("the second load wrote (-before +after):\n%s", diff)
		}
	})
}

// rows returns the stored runtimes, with their times.
func rows(t *testing.T, db *testdb.DB) []schema.Runtime {
	t.Helper()
	list, err := store.New(db.DB, store.Config{Schema: db.Schema}).Runtimes.List(t.Context(), store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list { // what does not compare by value
		list[i].Distributions, list[i].ExecutionConfig = metadata.Distributions{}, metadata.ExecutionConfig{}
	}
	return list
}

// TestOperatorsChangeStays checks a merge: the operator raised the minimum, and the pack
// changed the description and the minimum and added a command.
func TestOperatorsChangeStays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		d := stored(t, db).Distributions
		d.MinVersion = "2.0"
		change(t, db, store.RuntimeChanges{Distributions: metadata.Some(d)})

		newer := pack(t, "A tool", "A better tool", `"1.0"`, `"1.5"`, "[TOOL_HOME]", "[TOOL_HOME, TOOL_DIR]")
		dry := entry(t, load(t, db, newer, install.Options{DryRun: true}))
		if got := stored(t, db); got.Description != "A tool" {
			t.Errorf("a dry run wrote: %+v", got)
		}
		e := entry(t, load(t, db, newer, install.Options{}))
		want := install.Entry{
			Ref: "acme.tool", Result: install.Updated,
			Changed: []string{"/description", "/distributions/verification/env"},
			Kept:    []string{"/distributions/min_version"},
		}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(e, dry); diff != "" {
			t.Errorf("a dry run says otherwise (-real +dry):\n%s", diff)
		}
		got := stored(t, db)
		if got.Distributions.MinVersion != "2.0" || got.Description != "A better tool" || len(got.Distributions.Verification.Env) != 2 {
			t.Errorf("row after the load: %+v", got)
		}
		// Again: what is kept is still named, and nothing is written.
		again := entry(t, load(t, db, newer, install.Options{}))
		if again.Result != install.Kept || len(again.Kept) != 1 || len(again.Changed) != 0 {
			t.Errorf("again: got %+v", again)
		}
		forced := entry(t, load(t, db, newer, install.Options{Force: true}))
		if forced.Result != install.Updated || stored(t, db).Distributions.MinVersion != "1.5" {
			t.Errorf("forced: got %+v and min_version %q", forced, stored(t, db).Distributions.MinVersion)
		}
	})
}

// TestRowWithoutHistory loads a pack over a row that somebody wrote by SQL.
func TestRowWithoutHistory(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		_, err := db.NewRaw("INSERT INTO ? (ref, name, distributions) VALUES ('acme.tool', 'Mine', '{\"mine\": 1, \"min_version\": \"3.0\"}')",
			qualified(db, "runtime")).Exec(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e := entry(t, load(t, db, pack(t), install.Options{}))
		if diff := cmp.Diff([]string{"/distributions/min_version", "/distributions/mine", "/name"}, e.Kept); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		got := stored(t, db)
		if got.Name != "Mine" || got.Distributions.MinVersion != "3.0" || got.Distributions.Verification == nil || len(got.Versions) != 1 {
			t.Errorf("row: %+v", got)
		}
	})
}

func TestVersionsAreMergedOneByOne(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		row, err := st.Runtimes.ByRef(t.Context(), "acme.tool")
		if err != nil {
			t.Fatal(err)
		}
		if err := st.RuntimeVersions.Create(t.Context(), &schema.RuntimeVersion{Runtime: row.ID, Version: "9.0"}); err != nil {
			t.Fatal(err)
		}
		newer := pack(t, "versions:\n", "versions:\n  - {version: \"2.0\"}\n")
		e := entry(t, load(t, db, newer, install.Options{}))
		if diff := cmp.Diff([]string{"/versions/2.0"}, e.Changed); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"/versions/9.0"}, e.Kept); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if n := len(stored(t, db).Versions); n != 3 {
			t.Errorf("%d versions, want 3", n)
		}
	})
}

func TestMalformedRowIsKept(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		testdb.Unguard(t, db, db.Schema)
		_, err := db.NewRaw("UPDATE ? SET distributions = '[1]'", qualified(db, "runtime")).Exec(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e := entry(t, load(t, db, pack(t), install.Options{})); e.Result != install.Kept {
			t.Errorf("got %+v, want it kept", e)
		}
		if e := entry(t, load(t, db, pack(t), install.Options{Force: true})); e.Result != install.Updated {
			t.Errorf("forced: got %+v", e)
		}
		if got := stored(t, db); got.Distributions.Fault() != nil || got.Distributions.MinVersion != "1.0" {
			t.Errorf("forced: row is %+v", got)
		}
	})
}

func TestOrphanStays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		r := load(t, db, pack(t, "acme.tool", "acme.other", "aliases: [tool]", "aliases: [other]"), install.Options{})
		var orphaned []string
		for _, e := range r.Entries {
			if e.Result == install.Orphaned {
				orphaned = append(orphaned, e.Ref)
			}
		}
		if diff := cmp.Diff([]string{"acme.tool"}, orphaned); diff != "" {
			t.Errorf("orphaned (-want +got):\n%s", diff)
		}
		stored(t, db) // it stays
	})
}

// TestFailureWritesNothing checks that a load writes nothing if its last write fails.
func TestFailureWritesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		p := pack(t)
		bad := p.Definitions[0]
		bad.Ref, bad.Distributions = "acme.bad", metadata.Distributions{MinVersion: "not a version"}
		p.Definitions = append(p.Definitions, bad)
		if _, err := install.Load(t.Context(), db.DB, store.Config{Schema: db.Schema}, p, install.Options{}); err == nil ||
			!strings.Contains(err.Error(), "acme.bad") {
			t.Fatalf("got %v, want an error that names acme.bad", err)
		}
		if list := rows(t, db); len(list) != 0 {
			t.Errorf("%d runtimes were left behind", len(list))
		}
	})
}

// TestConcurrentLoads checks that eight loads at once write each row once.
func TestConcurrentLoads(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		p := pack(t)
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				_, errs[i] = install.Load(context.WithoutCancel(t.Context()), db.DB, store.Config{Schema: db.Schema}, p, install.Options{})
			})
		}
		all.Wait()
		for _, err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		if list := rows(t, db); len(list) != 1 {
			t.Errorf("%d runtimes, want 1", len(list))
		}
	})
}

func TestCorePack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		core := packs.Core()
		if r := load(t, db, core, install.Options{}); r.Count(install.Created) != len(core.Definitions) {
			t.Errorf("first: %s", r.Summary())
		}
		if r := load(t, db, core, install.Options{}); r.Count(install.Unchanged) != len(core.Definitions) {
			t.Errorf("second: %s", r.Summary())
			for _, e := range r.Entries {
				text, _ := json.Marshal(e)
				t.Logf("%s", text)
			}
		}
	})
}

// TestLoadIntoARowMadeAnew checks that a row without a digest gets what it lacks, although
// an earlier load wrote that already.
func TestLoadIntoARowMadeAnew(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		load(t, db, pack(t), install.Options{})
		want := stored(t, db)
		for _, q := range []string{
			`UPDATE ? SET aliases = '[]', digest = NULL, description = 'mine', distributions = '{"min_version": "2.0"}'`,
		} {
			if _, err := db.ExecContext(t.Context(), q, qualified(db, "runtime")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.ExecContext(t.Context(), `DELETE FROM ?`, qualified(db, "runtime_version")); err != nil {
			t.Fatal(err)
		}
		load(t, db, pack(t), install.Options{})
		got := stored(t, db)
		if got.Distributions.MinVersion != "2.0" || got.Description != "mine" {
			t.Errorf("the row's own values are %v and %q, want 2.0 and mine", got.Distributions.MinVersion, got.Description)
		}
		if len(got.Aliases) != 1 || len(got.Versions) != 1 || len(got.Distributions.Verification.Commands) != 1 {
			t.Errorf("the row is %+v, want it to have what %+v has", got, want)
		}
		before := rows(t, db)
		load(t, db, pack(t), install.Options{})
		if diff := cmp.Diff(before, rows(t, db)); diff != "" {
			t.Errorf("the next load wrote (-before +after):\n%s", diff)
		}
	})
}
