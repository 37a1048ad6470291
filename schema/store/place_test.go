package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// TestPlaceIsEvaluate makes random fleets and requirements. The database places the workers that
// the evaluator does, in its order and with its installations, whatever the limit.
func TestPlaceIsEvaluate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		g := fleetMaker{rand.New(rand.NewPCG(11, 12))}
		for range 2 {
			e.exec(t, "DELETE FROM {schema}.worker")
			g.fleet(t, e, 60)
			placed := 0
			for range 40 {
				r := g.requirement(t)
				fleet, err := e.Workers.Facts(t.Context(), store.FactsFor(&r))
				if err != nil {
					t.Fatal(err)
				}
				for _, limit := range []int{0, 1, 20} {
					got, err := e.Workers.Place(t.Context(), &r, limit)
					want := placement.Place(&r, fleet, limit).Placed
					if diff := gocmp.Diff(want, got); err != nil || diff != "" {
						text, _ := r.MarshalJSON()
						t.Fatalf("%s, limit %d: %v (-want +got):\n%s", text, limit, err, diff)
					}
					placed += len(got)
				}
			}
			if placed < 200 {
				t.Errorf("%d placed workers do not test much", placed)
			}
		}
	})
}

// TestFacts checks each fact.
func TestFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "a",
			row("core.python", "python", "3.12.1", "/usr/bin/python3"), row("core.python", "python", "", "/opt/python"),
			negative("core.nodejs", "node", "timeout", "it hung"), negative("core.ruby", "ruby", "not_found", ""),
			row("core.go", "go", "1.27.0", "/usr/bin/go"))
		e.exec(t, `UPDATE {schema}.worker SET capabilities = '{"max_concurrent_executions": 4, "labels": {"zone": "a", "n": 5, "disk": "ssd"},
			"taints": [{"key": "gpu", "value": "a100", "effect": "no_schedule"}, {"key": "spot", "effect": "prefer_no_schedule"}, {"effect": "no_schedule"}, 7]}'
			WHERE id = ?`, w.ID)
		e.exec(t, "UPDATE {schema}.worker_runtime SET source = 'declared' WHERE path = '/opt/python'")
		b := running(t, e, "b")
		silent(t, e, b.ID, 100)
		e.exec(t, `UPDATE {schema}.worker SET worker_role = 'hybrid', capabilities = '{"labels": [], "taints": {}, "max_concurrent_executions": "many"}' WHERE id = ?`, b.ID)
		c := running(t, e, "c")
		e.exec(t, `UPDATE {schema}.worker SET status = 'inactive', worker_role = 'sensor', capabilities = NULL WHERE id = ?`, c.ID)
		got, err := e.Workers.Facts(t.Context(), store.FactsQuery{
			Refs: []string{"core.python", "core.nodejs", "core.ruby"}, Labels: []string{"zone", "n", "missing"},
		})
		python, _ := version.Parse("3.12.1")
		want := []requirement.Facts{
			{
				Worker: w.ID, Name: "a", Role: requirement.Worker, Status: "active", Slots: 4, Spread: schema.Spread(w.ID),
				Labels: map[string]string{"zone": "a", "n": "5"},
				Taints: []requirement.Taint{{Key: "gpu", Value: "a100", Effect: requirement.NoSchedule}, {Key: "spot", Effect: requirement.PreferNoSchedule}},
				Installations: []requirement.Installation{
					{Ref: "core.python", Version: python, Path: "/usr/bin/python3"}, {Ref: "core.python", Path: "/opt/python", Declared: true},
				},
				Unknown: []string{"core.nodejs"},
			},
			{Worker: b.ID, Name: "b", Role: requirement.Hybrid, Status: "active", Stale: true, Slots: 1, Spread: schema.Spread(b.ID)},
			{Worker: c.ID, Name: "c", Role: requirement.Sensor, Status: "inactive", NeverReported: true, Slots: 1, Spread: schema.Spread(c.ID)},
		}
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(version.Version{})); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		got, err = e.Workers.Facts(t.Context(), store.FactsQuery{Workers: []int64{c.ID, 999}})
		if err != nil || len(got) != 1 || got[0].Worker != c.ID {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// TestFactsOfOddVersion: a text that is not a version counts as an unknown version. A host can write it, and hinders no
// other worker by it.
func TestFactsOfOddVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		running(t, e, "a", row("core.python", "python", "3.12.1", "/usr/bin/python3"))
		odd := running(t, e, "b", row("core.python", "python", "3.12.1", "/usr/bin/python3"))
		e.exec(t, "UPDATE {schema}.worker_runtime SET version = '<b>' WHERE worker = ?", odd.ID)
		got, err := e.Workers.Facts(t.Context(), store.FactsQuery{Refs: []string{"core.python"}})
		if err != nil || len(got) != 2 {
			t.Fatalf("%v: %+v", err, got)
		}
		for _, f := range got {
			if want := map[string]string{"a": "3.12.1"}[f.Name]; len(f.Installations) != 1 || f.Installations[0].Version.String() != want {
				t.Errorf("%s: %+v, want the version %q", f.Name, f.Installations, want)
			}
		}
	})
}

// TestSlots: a worker has the slots of its document, and one if the document says nothing sensible. A worker that
// is busy has none, whatever its document says.
func TestSlots(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "a")
		for document, want := range map[string]int{
			`{}`: 1, `{"max_concurrent_executions": 4}`: 4, `{"max_concurrent_executions": 4.7}`: 4, `{"max_concurrent_executions": "4"}`: 1,
			`{"max_concurrent_executions": 0}`: 1, `{"max_concurrent_executions": -3}`: 1, `{"max_concurrent_executions": null}`: 1,
			`{"max_concurrent_executions": [4]}`: 1, `{"max_concurrent_executions": 1e12}`: math.MaxInt32, `[]`: 1,
		} {
			e.exec(t, "UPDATE {schema}.worker SET capabilities = ? WHERE id = ?", document, w.ID)
			facts, err := e.Workers.Facts(t.Context(), store.FactsQuery{})
			if err != nil || facts[0].Slots != want || facts[0].Used != 0 {
				t.Errorf("%s: %d slots, %v; want %d", document, facts[0].Slots, err, want)
			}
			r := requirement.Requirement{Slots: min(want+1, requirement.MaxSlots)}
			placed, err := e.Workers.Place(t.Context(), &r, 0)
			if fits := want >= r.Slots; err != nil || (len(placed) == 1) != fits {
				t.Errorf("%s, %d wanted: placed %+v, %v", document, r.Slots, placed, err)
			}
			for _, reason := range placement.Evaluate(&r, &facts[0]).Reasons {
				if reason.Kind != requirement.Busy || reason.Actual != fmt.Sprintf("%d of %[1]d free", want) {
					t.Errorf("%s: %+v", document, reason)
				}
			}
		}
		e.exec(t, "UPDATE {schema}.worker SET status = 'busy', capabilities = '{\"max_concurrent_executions\": 9}'")
		facts, err := e.Workers.Facts(t.Context(), store.FactsQuery{})
		if err != nil {
			t.Fatal(err)
		}
		reasons := placement.Evaluate(&requirement.Requirement{}, &facts[0]).Reasons
		if len(reasons) != 1 || reasons[0].Kind != requirement.Busy || reasons[0].Actual != "busy" || !reasons[0].Passing {
			t.Errorf("busy: %+v", reasons)
		}
		if placed, err := e.Workers.Place(t.Context(), &requirement.Requirement{}, 0); err != nil || len(placed) != 0 {
			t.Errorf("busy: placed %+v, %v", placed, err)
		}
	})
}

// A runtime without a row is absent if the host looked for it. It did not look for one that was defined after its
// last report, or for the other role.
func TestFactsNotReported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for ref, document := range map[string]string{"a.old": `{}`, "a.sensor": `{"roles": ["sensor"]}`, "a.new": `{}`} {
			e.exec(t, "INSERT INTO {schema}.runtime (ref, name, distributions) VALUES (?, 'R', ?)", ref, document)
		}
		e.exec(t, "UPDATE {schema}.runtime SET created = ? WHERE ref <> 'a.new'", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		const read = `"definitions": {"read": "2026-03-01T10:00:00.5Z"}`
		want := map[string][]string{}
		for name, c := range map[string]struct {
			document string
			rows     []schema.WorkerRuntime
			want     []string
		}{
			"verified":        {`{"source": "database", ` + read + `, "runtimes": []}`, nil, []string{"a.new", "a.sensor"}},
			"new":             {`{"source": "database", ` + read + `, "runtimes": ["new"]}`, []schema.WorkerRuntime{row("a.new", "new", "1.0.0", "/n")}, []string{"a.sensor"}},
			"new, could not":  {`{"source": "database", ` + read + `, "runtimes": []}`, []schema.WorkerRuntime{negative("a.new", "new", "timeout", "")}, []string{"a.sensor"}},
			"earlier release": {`{"source": "database", "runtimes": []}`, []schema.WorkerRuntime{negative("a.old", "old", "not_found", "")}, []string{"a.new", "a.sensor"}},
			"listed by hand":  {`{"source": "config", "runtimes": []}`, nil, nil},
			"hybrid":          {`{"source": "database", ` + read + `, "runtimes": []}`, nil, []string{"a.new"}},
		} {
			w := running(t, e, name)
			if _, err := e.Workers.Report(t.Context(), w.ID, "i1", store.Capabilities{Document: []byte(c.document), Runtimes: c.rows}); err != nil {
				t.Fatal(err)
			}
			want[name] = c.want
		}
		e.exec(t, "UPDATE {schema}.worker SET worker_role = 'hybrid' WHERE name = 'hybrid'")
		got, err := e.Workers.Facts(t.Context(), store.FactsQuery{Refs: []string{"a.old", "a.sensor", "a.new", "core.undefined"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range got {
			if diff := gocmp.Diff(want[f.Name], f.NotReported); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Name, diff)
			}
		}
	})
}

// The history tells a runtime that a worker lost from one that it never had.
func TestFactsLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		py := row("core.python", "python", "3.12.1", "/usr/bin/python3")
		ruby := row("core.ruby", "ruby", "", "/usr/bin/ruby")
		w := running(t, e, "a", py, ruby)
		never := running(t, e, "never")
		query := store.FactsQuery{Workers: []int64{w.ID, never.ID}, Refs: []string{"core.python", "core.ruby", "core.go"}, Lost: true}
		for _, step := range []struct {
			rows []schema.WorkerRuntime
			want map[string]string
		}{
			{[]schema.WorkerRuntime{py, ruby}, nil},
			{nil, map[string]string{"core.python": "3.12.1", "core.ruby": ""}},
			{[]schema.WorkerRuntime{py}, map[string]string{"core.ruby": ""}},
		} {
			if _, err := e.Workers.Report(t.Context(), w.ID, "i1", *found(t, step.rows...)); err != nil {
				t.Fatal(err)
			}
			got, err := e.Workers.Facts(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(step.want, got[0].Lost); diff != "" || got[1].Lost != nil {
				t.Errorf("%v (-want +got):\n%s", got[1].Lost, diff)
			}
		}
	})
}

// A requirement with faults is refused, and text that no database holds matches nothing.
func TestPlaceBadInput(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		running(t, e, "a", row("core.python", "python", "3.12.1", "/usr/bin/python3"))
		for _, r := range []requirement.Requirement{
			{Role: "action"}, {Selector: map[string]string{"a\x00": "b"}}, {Runtimes: []requirement.Runtime{{Name: "a\x00"}}}, {Slots: -1},
		} {
			if got, err := e.Workers.Place(t.Context(), &r, 1); err == nil {
				t.Errorf("%+v: got %+v", r, got)
			}
		}
		for _, r := range []requirement.Requirement{{}, {Runtimes: []requirement.Runtime{{Name: "core.python"}}}} {
			if got, err := e.Workers.Place(t.Context(), &r, -1); err != nil || len(got) != 1 {
				t.Errorf("all for %+v: got %+v, %v", r, got, err)
			}
		}
		for _, key := range []string{`it's`, `100%`, `"`, `?`, `?0`, `a'; DROP TABLE worker; --`, `\`, `{}`} {
			r := requirement.Requirement{
				Selector: map[string]string{key: key}, Tolerations: []requirement.Toleration{{Key: key, Value: key}},
				Affinity: requirement.Affinity{Preferred: []requirement.Preference{{Weight: 1, Term: requirement.Term{
					MatchExpressions: []requirement.Expression{{Key: key, Operator: requirement.In, Values: []string{key}}},
				}}}},
			}
			if got, err := e.Workers.Place(t.Context(), &r, 1); err != nil || len(got) != 0 {
				t.Errorf("%s: got %+v, %v", key, got, err)
			}
			capabilities, _ := json.Marshal(map[string]any{
				"labels": map[string]string{key: key}, "taints": []map[string]string{{"key": key, "value": key, "effect": "no_schedule"}},
			})
			e.exec(t, "UPDATE {schema}.worker SET capabilities = ?", string(capabilities))
			if got, err := e.Workers.Place(t.Context(), &r, 1); err != nil || len(got) != 1 || got[0].Weight != 1 {
				t.Errorf("%s: got %+v, %v", key, got, err)
			}
		}
	})
}

// A fleetMaker makes random fleets in a database.
type fleetMaker struct{ *rand.Rand }

func (g fleetMaker) one(of ...string) string { return of[g.IntN(len(of))] }

func (g fleetMaker) chance(percent int) bool { return g.IntN(100) < percent }

var fleetVersions = []string{"", "2.7.18", "3.9.1", "3.11.0-rc1", "3.11.0", "3.12.1", "3.12.1", "3.13.0-rc2", "3.13.0", "4.0.0"}

var fleetRefs = []string{"core.python", "core.nodejs"}

func (g fleetMaker) fleet(t *testing.T, e env, n int) {
	t.Helper()
	for i := range n {
		capabilities := map[string]any{}
		labels := map[string]string{}
		for _, key := range []string{"zone", "disk"} {
			if g.chance(70) {
				labels[key] = g.one("a", "b", "c")
			}
		}
		capabilities["labels"] = labels
		var taints []map[string]string
		for g.chance(25) {
			taint := map[string]string{"key": g.one("gpu", "spot", "attune/report-only"), "effect": g.one("no_schedule", "prefer_no_schedule")}
			if g.chance(50) {
				taint["value"] = g.one("a", "b")
			}
			taints = append(taints, taint)
		}
		if taints != nil {
			capabilities["taints"] = taints
		}
		if g.chance(50) {
			capabilities["max_concurrent_executions"] = 1 + g.IntN(4)
		}
		document, err := json.Marshal(capabilities)
		if err != nil {
			t.Fatal(err)
		}
		w := &schema.Worker{
			Name: fmt.Sprintf("host-%d", i), WorkerType: schema.WorkerLocal,
			WorkerRole:        schema.WorkerRole(g.one("action", "action", "sensor", "hybrid")),
			Status:            ptr(schema.WorkerStatus(g.one("active", "active", "active", "active", "active", "busy", "inactive", "error"))),
			Capabilities:      document,
			HeartbeatInterval: ptr(3600),
		}
		if g.chance(90) {
			w.LastHeartbeat = ptr(time.Now().UTC())
		}
		if g.chance(3) {
			w.Capabilities = nil
		}
		if err := e.Workers.Create(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		g.operate(t, e, w.ID)
		for _, ref := range fleetRefs {
			for j := range g.IntN(4) {
				g.installation(t, e, w, ref, j)
			}
		}
	}
}

// operate cordons or taints a worker, or does neither.
func (g fleetMaker) operate(t *testing.T, e env, id int64) {
	t.Helper()
	if g.chance(10) {
		if _, err := e.Workers.Cordon(t.Context(), g.one("", "disk"), id); err != nil {
			t.Fatal(err)
		}
	}
	for g.chance(20) {
		taint := requirement.Taint{
			Key: g.one("gpu", "spot"), Value: g.one("", "a", "b"),
			Effect: requirement.Effect(g.one("no_schedule", "prefer_no_schedule")),
		}
		if _, err := e.Workers.Taint(t.Context(), taint, id); err != nil {
			t.Fatal(err)
		}
	}
}

func (g fleetMaker) installation(t *testing.T, e env, w *schema.Worker, ref string, i int) {
	t.Helper()
	in := row(ref, ref, fleetVersions[g.IntN(len(fleetVersions))], fmt.Sprintf("/opt/%d/%d", g.IntN(3), i))
	in.Worker, in.Source, in.Active = w.ID, g.one("verified", "verified", "declared"), true
	in.VersionRaw = in.Version
	if v, err := version.Parse(in.Version); err == nil {
		in.SortKey, in.Prerelease = ptr(v.Key()), v.IsPrerelease()
	}
	if _, err := e.NewInsert().Model(&in).ModelTableExpr(e.schema + ".worker_runtime").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (g fleetMaker) requirement(t *testing.T) requirement.Requirement {
	t.Helper()
	var r requirement.Requirement
	r.Role = requirement.Role(g.one("", "", "worker", "sensor", "hybrid"))
	r.Prereleases, r.Verified = g.chance(20), g.chance(20)
	for _, i := range g.Perm(len(fleetRefs))[:g.IntN(3)] {
		text := g.one("", "", ">=3.9", "3.12", "<3.12", ">=3.11.0-rc1", "~3.11 || >=4", "!=3.12.1", ">=3,<3.13 || 2.7.18", ">9", ">4,<3")
		c, err := requirement.ParseConstraint(text)
		if err != nil {
			t.Fatal(err)
		}
		r.Runtimes = append(r.Runtimes, requirement.Runtime{Name: fleetRefs[i], Constraint: c})
	}
	if g.chance(30) {
		r.Selector = map[string]string{g.one("zone", "disk"): g.one("a", "b")}
	}
	for g.chance(20) {
		r.Affinity.Required = append(r.Affinity.Required, g.term())
	}
	for g.chance(15) {
		r.Affinity.Anti = append(r.Affinity.Anti, g.term())
	}
	for g.chance(25) {
		r.Affinity.Preferred = append(r.Affinity.Preferred, requirement.Preference{Weight: 1 + g.IntN(100), Term: g.term()})
	}
	for g.chance(40) {
		toleration := requirement.Toleration{
			Key: g.one("gpu", "spot"), Operator: requirement.TolerationOperator(g.one("", "equal", "exists")),
			Effect: requirement.Effect(g.one("", "no_schedule", "prefer_no_schedule")),
		}
		if toleration.Operator != requirement.TolerateExists {
			toleration.Value = g.one("", "a")
		}
		r.Tolerations = append(r.Tolerations, toleration)
	}
	if g.chance(15) {
		r.Slots = 1 + g.IntN(3)
	}
	return r
}

func (g fleetMaker) term() (t requirement.Term) {
	if g.chance(50) {
		t.MatchLabels = map[string]string{g.one("zone", "disk"): g.one("a", "b")}
	}
	if t.MatchLabels == nil || g.chance(30) {
		e := requirement.Expression{Key: g.one("zone", "disk"), Operator: requirement.Operator(g.one("in", "not_in", "exists", "does_not_exist"))}
		if e.Operator == requirement.In || e.Operator == requirement.NotIn {
			e.Values = []string{g.one("a", "b"), g.one("b", "c")}
		}
		t.MatchExpressions = []requirement.Expression{e}
	}
	return t
}

// TestPlaceIsOneRangeScan reads the plan of the one statement that finds the first workers: the candidates are a
// range of one index for each version, in its order, and all else are look-ups by key.
func TestPlaceIsOneRangeScan(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		manyWorkers(t, e, 1000)
		e.exec(t, "UPDATE {schema}.worker SET capabilities = '{}'")
		e.exec(t, e.vacuum())
		sent := new(statements)
		st := store.New(e.DB.WithQueryHook(sent), store.Config{Schema: e.schema})
		for _, text := range []string{">=3.11,<4", "<3.30 || >=3.40"} {
			*sent = nil
			placed, err := st.Workers.Place(t.Context(), &requirement.Requirement{
				Runtimes: []requirement.Runtime{{Name: "core.runtime3", Constraint: constraint(t, text)}},
			}, 20)
			if err != nil || len(placed) != 20 || len(*sent) != 1 {
				t.Fatalf("%d placed with %d statements, %v; want 20 with one", len(placed), len(*sent), err)
			}
			scans, others := []string{"using idx_worker_runtime_available on worker_runtime", "using worker_pkey"},
				[]string{"Seq Scan on worker_runtime", "Seq Scan on worker\n", "Bitmap", "Hash"}
			if !e.postgres {
				scans = []string{
					"SEARCH had USING INDEX idx_worker_runtime_available (runtime_ref=? AND sort_key>? AND sort_key<?)",
					"SEARCH had USING INDEX idx_worker_runtime_available (runtime_ref=? AND sort_key=? AND <expr>>? AND <expr><?)",
					"SEARCH worker USING INTEGER PRIMARY KEY",
				}
				others = []string{"SCAN had", "SCAN worker", "AUTOMATIC"}
			}
			plan := explain(t, e, (*sent)[0])
			for _, part := range scans {
				if !strings.Contains(plan, part) {
					t.Errorf("the plan lacks %q:\n%s", part, plan)
				}
			}
			for _, part := range others {
				if strings.Contains(plan+"\n", part) {
					t.Errorf("the plan has %q:\n%s", part, plan)
				}
			}
		}
	})
}

// TestPlaceOfRareLabel: two statements answer where a label belongs to few workers. The second looks these up and reads no table
// of the fleet, and its text stays the same when another worker gets the label, so that it is planned once.
func TestPlaceOfRareLabel(t *testing.T) {
	t.Parallel()
	e := postgres(t, "public")
	manyWorkers(t, e, 3000)
	e.exec(t, "UPDATE {schema}.worker SET capabilities = jsonb_build_object('labels', jsonb_build_object('rack', 'r' || id % 100, 'hall', 'warm'))")
	e.exec(t, e.vacuum())
	sent := new(statements)
	st := store.New(e.DB.WithQueryHook(sent), store.Config{Schema: e.schema})
	for _, c := range []struct {
		requirement string
		found       int
	}{
		{`{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"hall": "warm", "rack": "r7"}}`, 10},
		{`{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"hall": "cold", "rack": "r7"}}`, 0},
	} {
		r, err := requirement.Parse([]byte(c.requirement))
		if err != nil {
			t.Fatal(err)
		}
		var first statements
		for i := range 2 {
			*sent = nil
			placed, err := st.Workers.Place(t.Context(), &r, 20)
			if err != nil || len(placed) != c.found+min(i, c.found) {
				t.Fatalf("%s: %d placed, %v; want %d", c.requirement, len(placed), err, c.found+min(i, c.found))
			}
			if len(*sent) != 2 || i > 0 && !slices.Equal(*sent, first) {
				t.Fatalf("%s: %d statements, want the same two each time:\n%s", c.requirement, len(*sent), strings.Join(*sent, "\n"))
			}
			if first = slices.Clone(*sent); i == 0 {
				e.exec(t, `UPDATE {schema}.worker SET capabilities = jsonb_set(capabilities, '{labels,rack}', '"r7"') WHERE name = 'host-8'`)
			}
		}
		for _, part := range []string{"Seq Scan on worker\n", "Seq Scan on worker_runtime", "Seq Scan on worker_label"} {
			if plan := explain(t, e, first[1]); strings.Contains(plan+"\n", part) {
				t.Errorf("the plan has %q:\n%s", part, plan)
			}
		}
	}
}

// statements is a hook that collects the texts of statements.
type statements []string

func (s *statements) BeforeQuery(ctx context.Context, q *bun.QueryEvent) context.Context {
	*s = append(*s, q.Query)
	return ctx
}

func (s *statements) AfterQuery(context.Context, *bun.QueryEvent) {}
