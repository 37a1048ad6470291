package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
)

// subjects adds actions and a sensor of all kinds to the workers of fleet.
func subjects(t *testing.T, db *testdb.DB) {
	t.Helper()
	fleet(t, db)
	python, err := stored(db).Runtimes.ByRef(t.Context(), "core.python")
	if err != nil {
		t.Fatal(err)
	}
	etl := fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("etl")})
	action := func(ref string, runtime *schema.Runtime, constraint string, columns ...string) {
		opts := fixtures.ActionOpts{Ref: new("etl." + ref), Pack: etl, Runtime: runtime}
		if constraint != "" {
			opts.RuntimeVersionConstraint = &constraint
		}
		row := fixtures.Action(t.Context(), t, db, opts)
		for i := 0; i < len(columns); i += 2 {
			exec(t, db, "UPDATE action SET "+columns[i]+" = ? WHERE id = ?", columns[i+1], row.ID)
		}
	}
	const gpu = `[{"key": "gpu", "operator": "exists"}, {"key": "spot", "operator": "exists"}]`
	action("load", python, ">=3.11", "worker_tolerations", gpu, "worker_selector", `{"zone": "a"}`)
	action("same", python, ">=3.11", "worker_selector", `{"zone": "a"}`, "worker_tolerations", gpu)
	action("old", python, "", "worker_tolerations", gpu)
	action("free", nil, "", "worker_tolerations", gpu)
	action("lost", nil, ">=3", "worker_tolerations", gpu)
	action("new", python, ">=3.14", "worker_tolerations", gpu)
	action("wrong", python, "", "required_worker_runtimes", `{"pyton": "*"}`)
	action("more", python, "", "required_worker_runtimes", `{"ruby": "*"}`, "worker_tolerations", gpu)
	fixtures.Sensor(t.Context(), t, db, fixtures.SensorOpts{Ref: new("etl.watch"), Pack: etl, Runtime: python})
	fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: new("other.run"), Pack: fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("other")})})
}

func TestPlaceAction(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		a := placed(t, 0, "--action", "etl.load")
		if diff := gocmp.Diff([]string{"web-1"}, placedNames(a)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		text, err := a.Requirement.MarshalJSON()
		const whole = `{"role":"worker","runtimes":{"core.python":">=3.11"},"selector":{"zone":"a"},` +
			`"tolerations":[{"key":"gpu","operator":"exists"},{"key":"spot","operator":"exists"}]}`
		if string(text) != whole || err != nil {
			t.Errorf("got %s, %v", text, err)
		}
		want(t, run(t, "place", "--action", "etl.load"), 0, "1 of 7 workers fits\n", "3.12.1 /usr/bin/python3")
		want(t, run(t, "place", "--sensor", "etl.watch"), 3, "its role is not sensor", "python could not be determined")
		want(t, run(t, "place", "--action", "etl.new"), 3, "python is not >=3.14")
		want(t, run(t, "place", "--action", "etl.more"), 3, "no ruby")
		want(t, run(t, "place", "--action", "etl.free"), 0, "note: action etl.free: it has no runtime, so workers need none to run it")
		exec(t, db, "UPDATE action SET required_worker_runtimes = ? WHERE ref = 'etl.free'", `{"python": ">=3.11"}`)
		if got := run(t, "place", "--action", "etl.free"); got.status != 0 || strings.Contains(got.errOut, "no runtime") {
			t.Errorf("its other columns name a runtime: exit %d, %s", got.status, got.errOut)
		}
		want(t, run(t, "place", "--action", "etl.lost"), 0, `note: action etl.lost: its constraint ">=3" applies to no runtime: none was set, or it was deleted`)
		want(t, run(t, "place", "--action", "etl.wrong"), 1, `action "etl.wrong"`, `/required_worker_runtimes/pyton: unknown runtime "pyton"; did you mean python?`)
		want(t, run(t, "place", "--action", "etl.laod"), 1, `no action "etl.laod" in `, "did you mean etl.load?")
		want(t, run(t, "place", "--sensor", "etl.load"), 1, `no sensor "etl.load" in `, "; there is the action etl.load: `attune place --action etl.load`")
		want(t, run(t, "place", "--action", "etl.watch"), 1, `no action "etl.watch" in `, "; there is the sensor etl.watch: `attune place --sensor etl.watch`")
		want(t, run(t, "place", "--sensor", "xyz"), 1, `no sensor "xyz" in `, "`attune place --all` shows all")
		want(t, run(t, "place", "--action", "etl.load", "--all"), 2, "--action and --all are different questions")
		want(t, run(t, "place", "--action", "etl.load", "python"), 2, "are different questions")
		want(t, run(t, "place", "--sql", "--action", "etl.load"), 0, "zone", "LIMIT 20")
	})
}

// A row whose runtime does not exist any longer can be left by a database without foreign keys.
func TestPlaceDeletedRuntime(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	subjects(t, db)
	exec(t, db, "PRAGMA foreign_keys = off")
	exec(t, db, "UPDATE action SET runtime = 4711 WHERE ref = 'etl.load'")
	want(t, run(t, "place", "--action", "etl.load"), 1, `action "etl.load"`, "/runtime: the runtime was deleted")
	want(t, run(t, "place", "--all"), 3, "/runtime: the runtime was deleted")
	want(t, run(t, "place", "--if", "runtime python removed"), 3, "note: action etl.load is left out: /runtime: the runtime was deleted")
}

// Rows that were odd before the guards came, or passed guards that warn, have a fault each. The others are answered, and no
// row is changed.
func TestPlaceOddColumns(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		testdb.Unguard(t, db.DB, db.Schema)
		for _, c := range []struct{ column, document, fault string }{
			{"worker_selector", `"zone"`, "/worker_selector: must be an object, got text"},
			{"worker_selector", `["zone"]`, "/worker_selector: must be an object, got a list"},
			{"worker_selector", `{"zone": {"in": ["a"]}}`, "/worker_selector/zone: must be text, got an object"},
			{"worker_selector", `{"": "a"}`, "/worker_selector/: must name a label"},
			{"required_worker_runtimes", `7`, "/required_worker_runtimes: must be an object, got a number"},
			{"required_worker_runtimes", `{"python": 3.12}`, "/required_worker_runtimes/python: must be text, got a number"},
			{"required_worker_runtimes", `{"python": "=>3"}`, "/required_worker_runtimes/python: constraint"},
			{"worker_tolerations", `{"key": "gpu"}`, "/worker_tolerations: must be a list, got an object"},
			{"worker_tolerations", `["gpu"]`, "/worker_tolerations/0: must be an object, got text"},
			{"worker_tolerations", `[null]`, "/worker_tolerations/0: must be an object"},
			{"worker_affinity", `true`, "/worker_affinity: must be an object, got true"},
			{"worker_affinity", `{"required": {"match_labels": {"a": "b"}}}`, "/worker_affinity/required: must be a list, got an object"},
			{"worker_affinity", `{"preferred": [{"term": {"match_labels": {"a": "b"}}, "weight": "5"}]}`, "/worker_affinity/preferred/0/weight: must be a whole number"},
			{"worker_affinity", `{"nodes": []}`, "/worker_affinity/nodes: unknown key"},
		} {
			exec(t, db, "UPDATE action SET "+c.column+" = ? WHERE ref = 'etl.free'", c.document)
			want(t, run(t, "place", "--action", "etl.free"), 1, `read the requirement of action "etl.free": `, c.fault)
			all := run(t, "place", "--all", "--json")
			var counts answer.SubjectCounts
			if err := json.Unmarshal([]byte(all.out), &counts); err != nil || len(counts.Subjects) != 10 {
				t.Fatalf("%s: %d subjects, %v\n%s%s", c.document, len(counts.Subjects), err, all.out, all.errOut)
			}
			for _, s := range counts.Subjects {
				if strings.HasPrefix(s.Fault, c.fault) != (s.Ref == "etl.free") {
					t.Errorf("%s: %s has the fault %q", c.document, s.Ref, s.Fault)
				}
			}
			want(t, run(t, "place", "--if", "python min 2"), 0, "note: action etl.free is left out: "+c.fault)
			var kept string
			if err := db.NewRaw("SELECT CAST("+c.column+" AS text) FROM action WHERE ref = 'etl.free'").Scan(t.Context(), &kept); err != nil || kept != c.document {
				t.Errorf("%s became %s, %v", c.document, kept, err)
			}
			exec(t, db, "UPDATE action SET "+c.column+" = ? WHERE ref = 'etl.free'", map[bool]string{true: "[]", false: "{}"}[c.column == "worker_tolerations"])
		}
	})
}

func TestPlaceAll(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		list := func(args ...string) (refs []string) {
			t.Helper()
			got := run(t, append([]string{"place", "--all", "--json"}, args...)...)
			var counts answer.SubjectCounts
			if err := json.Unmarshal([]byte(got.out), &counts); err != nil || got.status != 3 || counts.Fleet != 7 {
				t.Fatalf("status %d, fleet %d, %v\n%s%s", got.status, counts.Fleet, err, got.out, got.errOut)
			}
			for _, s := range counts.Subjects {
				if (s.Requirement == nil) != (s.Fault != "") {
					t.Errorf("%s has both or none: %+v", s.Ref, s)
				}
				refs = append(refs, strings.Join([]string{string(rune('0' + s.Fit)), string(s.Kind), s.Ref}, " "))
			}
			return refs
		}
		etl := []string{
			"0 action etl.more", "0 action etl.new", "0 sensor etl.watch", "0 action etl.wrong", "1 action etl.load", "1 action etl.same",
			"3 action etl.free", "3 action etl.lost", "3 action etl.old",
		}
		if diff := gocmp.Diff(etl, list("--pack", "etl")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := gocmp.Diff(append(etl[:4:4], append([]string{etl[4], etl[5], "1 action other.run"}, etl[6:]...)...), list()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := run(t, "place", "--all", "--kind", "sensor"); strings.Contains(got.out, " action ") {
			t.Errorf("--kind sensor:\n%s", got.out)
		}
		want(t, run(t, "place", "--all", "--kind", "sensor"), 3, "1 sensor, 7 workers: 1 fits nowhere; `attune place --sensor REF` shows why")
		want(t, run(t, "place", "--all"), 3, "WORKERS  KIND    REF", "python@>=3.11", "9 actions and 1 sensor, 7 workers: 4 fit nowhere; `attune place --action REF` shows why",
			"unknown runtime \"pyton\"; did you mean python?", "it has no runtime")
		want(t, run(t, "place", "--all", "--pack", "other"), 0, "1 action and 0 sensors, 7 workers\n")
		for _, question := range [][]string{{"--all"}, {"--if", "runtime core.python removed"}} {
			want(t, run(t, slices.Concat([]string{"place", "--pack", "none"}, question)...), 1, `pack "none" has no actions and no sensors; `+"`attune packs list`")
		}
	})
}

func TestPlaceIf(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		effects := func(status int, args ...string) (list []placement.Effect) {
			t.Helper()
			got := run(t, append([]string{"place", "--json", "--pack", "etl"}, args...)...)
			var found answer.Consequences
			if err := json.Unmarshal([]byte(got.out), &found); err != nil || got.status != status || len(found.Faulty) != 1 || len(found.Effects) != 8 {
				t.Fatalf("%q: status %d, %v\n%s%s", args, got.status, err, got.out, got.errOut)
			}
			for _, e := range found.Effects {
				if e.Before > e.After {
					list = append(list, e)
				}
			}
			return list
		}
		for _, c := range []struct {
			status int
			args   []string
			want   []placement.Effect
		}{
			{3, []string{"--if", "python min 3.13"}, []placement.Effect{
				{Kind: "action", Ref: "etl.load", Before: 1, Stranded: true}, {Kind: "action", Ref: "etl.same", Before: 1, Stranded: true},
				{Kind: "action", Ref: "etl.old", Before: 3, After: 1},
			}},
			{0, []string{"--if", "python without 3.12.1"}, nil},
			{0, []string{"--if", "without web-2"}, []placement.Effect{
				{Kind: "action", Ref: "etl.free", Before: 3, After: 2}, {Kind: "action", Ref: "etl.lost", Before: 3, After: 2}, {Kind: "action", Ref: "etl.old", Before: 3, After: 2},
			}},
			{3, []string{"--if", "python without 3.12.1", "--if", "python without 3.11.*"}, []placement.Effect{
				{Kind: "action", Ref: "etl.load", Before: 1, Stranded: true}, {Kind: "action", Ref: "etl.same", Before: 1, Stranded: true},
				{Kind: "action", Ref: "etl.old", Before: 3, After: 2},
			}},
			{3, []string{"--if", "runtime core.python removed", "--if", "without web-1 web-2"}, []placement.Effect{
				{Kind: "action", Ref: "etl.old", Before: 3, Stranded: true}, {Kind: "action", Ref: "etl.load", Before: 1, Stranded: true},
				{Kind: "action", Ref: "etl.same", Before: 1, Stranded: true},
				{Kind: "action", Ref: "etl.free", Before: 3, After: 1}, {Kind: "action", Ref: "etl.lost", Before: 3, After: 1},
			}},
		} {
			if diff := gocmp.Diff(c.want, effects(c.status, c.args...)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.args, diff)
			}
		}
		want(t, run(t, "place", "--if", "python min 3.13"), 3, "BEFORE  AFTER  LOSES  KIND    REF", "stranded\n", "8 actions and 1 sensor: 3 lose workers, 2 are stranded",
			"note: action etl.wrong is left out: ")
		want(t, run(t, "place", "--if", "python without 3.12.1"), 0, "8 actions and 1 sensor: 0 lose workers, 0 are stranded; --json has the others too\n")
		want(t, run(t, "place", "--if", "pyton min 3"), 1, `unknown runtime "pyton"; did you mean python?`)
		want(t, run(t, "place", "--if", "without web-1 web-9 nobody"), 1, `no worker "web-9", did you mean web-`, `no worker "nobody"`, "`attune workers list` shows all")
		want(t, run(t, "place", "--if", "python max 3"), 2, "--if: ", "must be RUNTIME min VERSION")
		want(t, run(t, "place", "--if", "python without >=4,<3"), 2, `--if: change "python without >=4,<3": must be satisfied by some version, got ">=4,<3"`)
		want(t, run(t, "place", "--if", "python min 3", "python"), 2, "are different questions")
		want(t, run(t, "place", "--if", "python min 3", "--hosts"), 2, "--hosts and --sql are about one requirement")
	})
}

// In a guest the platform's columns count from the moment it has them. A retired runtime is named.
func TestPlaceActionInGuest(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(h *guestHost) {
		want(h.T, run(h.T, "place", "python"), 1, "`attune migrate up`")
		want(h.T, run(h.T, "migrate", "up"), 0)
		if h.shape.Has(platform.V) { // from then on the column is the platform's, with a fault in one row
			want(h.T, run(h.T, "place", "--action", "etl.load"), 1, `/runtime_version_constraint: constraint ">=3.11 or newer": position 8`)
			exec(h.T, h.db, "UPDATE attune.action SET runtime_version_constraint = '>=3.11' WHERE ref = 'etl.load'")
		}
		needs := run(h.T, "place", "--action", "etl.load", "--json").out
		if strings.Contains(needs, `"zone": "a"`) != h.shape.Has(platform.A) || strings.Contains(needs, `">=3.11"`) != h.shape.Has(platform.V) {
			h.Errorf("etl.load needs %s", needs)
		}
		want(h.T, run(h.T, "place", "--all"), 3, "etl.load")
		if h.shape.Has(platform.A) {
			return
		}
		exec(h.T, h.db, `INSERT INTO attune.attune_requirement (action, worker_selector)
			SELECT id, '{"zone": "b"}' FROM attune.action WHERE ref = 'etl.load'`)
		want(h.T, run(h.T, "place", "--action", "etl.load", "--json"), 3, `"zone": "b"`)
	})
}
