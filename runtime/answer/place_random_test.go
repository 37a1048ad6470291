package answer_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

var placements = flag.Int("placements", 200, "how many random pairs of a fleet and a requirement TestPlaceIsNaive tests on each database")

// A scan of more than 200 candidates needs more workers than the default.
var fleetSize = flag.Int("placement-workers", 60, "how many workers each fleet of TestPlaceIsNaive has")

// randomRequirements is the number of requirements for each fleet.
const randomRequirements = 100

// TestPlaceIsNaive makes random fleets and requirements. The database's answers are those of an
// evaluator that shares no code with it: which workers fit, their order, whatever the limit, their
// installations, the groups of the others, their nearest misses, and the effects of changes.
func TestPlaceIsNaive(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		g := randomFleets{naive.World{Rand: rand.New(rand.NewPCG(21, 22))}, db, st}
		g.define(t)
		g.compare(t, g.fleet)
	})
}

// randomFleets makes fleets in a database.
type randomFleets struct {
	naive.World
	db *testdb.DB
	st *store.Store
}

// define defines the runtimes, one a day.
func (g *randomFleets) define(t *testing.T) {
	t.Helper()
	for day, ref := range naive.Refs {
		r := &schema.Runtime{Ref: ref, Name: ref}
		r.Created = definedOn(day)
		if _, err := g.db.NewInsert().Model(r).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func definedOn(day int) time.Time { return time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC) }

// readOn says in a worker's document when it read the definitions: it did not look for those that are newer.
func (g *randomFleets) readOn(w *naive.Worker, document map[string]any) {
	first := g.IntN(len(naive.Refs) + 1)
	document["source"], document["definitions"] = "database", map[string]any{"read": definedOn(first).Add(-time.Hour)}
	w.NotReported = nil
	for _, ref := range naive.Refs[first:] {
		if !slices.Contains(w.Unknown, ref) && !slices.ContainsFunc(w.Installed, func(i naive.Installation) bool { return i.Ref == ref }) {
			w.NotReported = append(w.NotReported, ref)
		}
	}
}

// compare compares the answers about fleets.
func (g *randomFleets) compare(t *testing.T, fleet func(t *testing.T, n int) []*naive.Worker) {
	pairs := *placements
	if testing.Short() {
		pairs = 100
	}
	seen := map[string]int{}
	for done := 0; done < pairs; {
		workers := fleet(t, *fleetSize)
		requirements := make([]*naive.Requirement, min(randomRequirements, pairs-done))
		requests := make([]*placement.Requirement, len(requirements))
		for i := range requirements {
			requirements[i] = g.Requirement()
			requests[i] = new(requirements[i].Request())
		}
		facts, err := g.st.Workers.Facts(t.Context(), store.FactsFor(requests...))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range requirements {
			order := g.comparePlaces(t, r, requests[i], workers, seen)
			a := placement.Place(requests[i], facts, 1)
			if i%10 == 0 { // the whole answer reads the facts itself
				whole, err := answer.Place(t.Context(), g.st, requests[i], 1)
				if err != nil {
					t.Fatal(err)
				}
				a = *whole
				g.compareEffects(t, workers, seen)
			}
			compareGroups(t, r, requests[i], &a, workers, len(order), seen)
		}
		done += len(requirements)
	}
	t.Logf("%d pairs of a fleet and a requirement: %v", pairs, seen)
	for _, what := range []string{"placed", "groups", "groups of several", "effects"} {
		if seen[what] < pairs/10 {
			t.Errorf("%d %s do not test much", seen[what], what)
		}
	}
}

// comparePlaces returns the order of the workers that fit.
func (g *randomFleets) comparePlaces(
	t *testing.T, r *naive.Requirement, request *placement.Requirement, workers []*naive.Worker, seen map[string]int,
) []int64 {
	t.Helper()
	order, _ := naive.Place(r, request.Start(), workers)
	text, err := request.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1 + g.IntN(5), 1 + g.IntN(len(workers)/2)} {
		placed, err := g.st.Workers.Place(t.Context(), request, limit)
		if err != nil {
			t.Fatal(err)
		}
		want := order
		if limit > 0 {
			want = want[:min(limit, len(want))]
		}
		var got []int64
		for _, p := range placed {
			got = append(got, p.Worker)
			i := slices.IndexFunc(workers, func(w *naive.Worker) bool { return w.Worker == p.Worker })
			v := naive.Evaluate(r, workers[i])
			var paths []string
			for _, chosen := range p.Runtimes {
				paths = append(paths, chosen.Path)
			}
			if !slices.Equal(paths, v.Paths) || p.Weight != v.Weight || p.Free != max(workers[i].Slots, 1) {
				t.Fatalf("%s: worker %d has %v, weight %d, %d free; want %v, %d", text, p.Worker, paths, p.Weight, p.Free, v.Paths, v.Weight)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s, limit %d: got %v, want %v", text, limit, got, want)
		}
	}
	seen["placed"] += len(order)
	return order
}

func compareGroups(
	t *testing.T, r *naive.Requirement, request *placement.Requirement, a *placement.Answer, workers []*naive.Worker, fit int, seen map[string]int,
) {
	t.Helper()
	_, groups := naive.Place(r, request.Start(), workers)
	text, err := request.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, hosts := map[string]string{}, 0
	for _, group := range a.Groups {
		got[strings.Join(naive.Texts(group.Reasons), " ")] = fmt.Sprintf("%d, nearest %d", group.Hosts, group.Nearest.Worker)
		hosts += group.Hosts
		if group.Hosts > 1 {
			seen["groups of several"]++
		}
	}
	if a.Fleet != len(workers) || a.Fit != fit || a.Fit+hosts != a.Fleet {
		t.Fatalf("%s: %d fit and %d do not, of %d; want %d", text, a.Fit, hosts, a.Fleet, fit)
	}
	if fmt.Sprint(got) != fmt.Sprint(groups) {
		t.Fatalf("%s:\ngot  %v\nwant %v", text, got, groups)
	}
	seen["groups"] += len(got)
}

func (g *randomFleets) compareEffects(t *testing.T, workers []*naive.Worker, seen map[string]int) {
	t.Helper()
	changes, after := g.changes(t, workers)
	var subjects []placement.Subject
	var requirements []*naive.Requirement
	for range 10 {
		requirements = append(requirements, g.Requirement())
		subjects = append(subjects, placement.Subject{Ref: "etl.load", Requirement: requirements[len(subjects)].Request()})
	}
	effects, err := answer.WhatIf(t.Context(), g.st, subjects, changes)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range effects {
		before, later := naive.Count(requirements[i], workers), naive.Count(requirements[i], after)
		if e.Before != before || e.After != later || e.Stranded != (before > 0 && later == 0) {
			text, _ := subjects[i].Requirement.MarshalJSON()
			t.Fatalf("%s, %v: got %+v, want %d and %d", text, changes, e, before, later)
		}
		seen["effects"]++
		if e.Before > e.After {
			seen["effects that lose workers"]++
		}
	}
}

// changes returns random changes, and the workers after them.
func (g *randomFleets) changes(t *testing.T, workers []*naive.Worker) (changes []placement.Change, after []*naive.Worker) {
	t.Helper()
	after = workers
	for range 1 + g.IntN(3) {
		text, apply := g.Change()
		c, err := placement.ParseChange(text)
		if err != nil {
			t.Fatal(err)
		}
		// Changes name workers that exist.
		c.Workers = slices.DeleteFunc(c.Workers, func(name string) bool {
			return !slices.ContainsFunc(workers, func(w *naive.Worker) bool { return w.Name == name })
		})
		changes = append(changes, c)
		after = apply(after)
	}
	return changes, after
}

// fleet replaces the workers of a database of attune's own by random ones.
func (g *randomFleets) fleet(t *testing.T, n int) []*naive.Worker {
	t.Helper()
	if _, err := g.db.NewDelete().Model((*schema.Worker)(nil)).Where("true").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	var workers []*naive.Worker
	for i := range n {
		w := g.Worker(int64(i))
		w.Used = 0
		w.Stale = w.Stale && (w.Status == "active" || w.Status == "busy")
		row := &schema.Worker{
			Name: w.Name, WorkerType: schema.WorkerLocal, WorkerRole: schema.WorkerRole(w.Role), HeartbeatInterval: new(3600),
			Identity: new(fmt.Sprintf("host-%d", i)), Capabilities: documentOf(t, w, g.readOn),
		}
		if w.Role == "worker" {
			row.WorkerRole = schema.RoleAction
		}
		if w.Status != "" {
			row.Status = new(schema.WorkerStatus(w.Status))
		}
		if !w.Stale {
			row.LastHeartbeat = new(time.Now().UTC())
		}
		if w.NeverReported {
			w.Labels, w.Taints, w.Slots, w.NotReported = nil, nil, 0, nil
			row.Capabilities = nil
		}
		if err := g.st.Workers.Create(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		w.Worker, w.Spread = row.ID, schema.Spread(row.ID)
		g.report(t, w)
		g.operate(t, w)
		workers = append(workers, w)
	}
	return workers
}

// operate cordons a worker, and adds taints of operators.
func (g *randomFleets) operate(t *testing.T, w *naive.Worker) {
	t.Helper()
	if w.Cordoned {
		if _, err := g.st.Workers.Cordon(t.Context(), "", w.Worker); err != nil {
			t.Fatal(err)
		}
	}
	for g.IntN(8) == 0 {
		taint := requirement.Taint{Key: "operator", Effect: requirement.NoSchedule}
		if g.IntN(2) == 0 {
			taint = requirement.Taint{Key: "spot", Value: "a", Effect: requirement.PreferNoSchedule}
		}
		changed, err := g.st.Workers.Taint(t.Context(), taint, w.Worker)
		if err != nil {
			t.Fatal(err)
		}
		if len(changed) > 0 {
			w.Taints = append(w.Taints, taint)
		}
	}
}

// documentOf returns the capability document of a worker, with what others add to it.
func documentOf(t *testing.T, w *naive.Worker, add ...func(w *naive.Worker, document map[string]any)) json.RawMessage {
	t.Helper()
	names := []string{}
	for _, i := range w.Installed {
		names = append(names, i.Ref)
	}
	slices.Sort(names)
	document := map[string]any{"labels": w.Labels, "runtimes": slices.Compact(names)}
	var taints []map[string]string
	for _, taint := range w.Taints {
		one := map[string]string{"key": taint.Key, "effect": string(taint.Effect)}
		if taint.Value != "" {
			one["value"] = taint.Value
		}
		taints = append(taints, one)
	}
	if taints != nil {
		document["taints"] = taints
	}
	if w.Slots > 0 {
		document["max_concurrent_executions"] = w.Slots
	}
	for _, add := range add {
		add(w, document)
	}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// report writes what a worker reported of its runtimes.
func (g *randomFleets) report(t *testing.T, w *naive.Worker) {
	t.Helper()
	for _, row := range g.rows(t, w) {
		row.Worker, row.Active = w.Worker, w.Status == "active"
		if _, err := g.db.NewInsert().Model(&row).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// rows returns the rows for the installations of a worker, each path once, and for what could not be
// determined.
func (g *randomFleets) rows(t *testing.T, w *naive.Worker) (rows []schema.WorkerRuntime) {
	t.Helper()
	seen := map[string]bool{}
	w.Installed = slices.DeleteFunc(w.Installed, func(i naive.Installation) bool {
		twice := seen[i.Ref+i.Path]
		seen[i.Ref+i.Path] = true
		return twice
	})
	for _, i := range w.Installed {
		row := schema.WorkerRuntime{RuntimeRef: i.Ref, Name: i.Ref, Outcome: schema.OutcomeAvailable, Source: "verified", Path: i.Path}
		if i.Declared {
			row.Source = "declared"
		}
		if i.Version != nil {
			v, err := version.Parse(i.Version.String())
			if err != nil {
				t.Fatal(err)
			}
			row.Version, row.VersionRaw, row.SortKey, row.Prerelease = v.String(), v.String(), new(v.Key()), v.IsPrerelease()
		}
		if g.IntN(10) == 0 {
			row.UnconfirmedSince = new(time.Now().UTC())
		}
		rows = append(rows, row)
	}
	for _, ref := range w.Unknown {
		rows = append(rows, schema.WorkerRuntime{RuntimeRef: ref, Name: ref, Outcome: "timeout", Source: "verified"})
	}
	return rows
}
