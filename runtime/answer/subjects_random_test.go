package answer_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// TestSubjectsAreNaive writes random requirements to the columns of actions and sensors. How many workers fit each of
// them, and what changes do to them, is what an evaluator finds that shares no code with the database's answers.
func TestSubjectsAreNaive(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		g := randomFleets{naive.World{Rand: rand.New(rand.NewPCG(25, 26))}, db, st}
		g.define(t)
		defs, err := st.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		index := metadata.NewIndex(defs)
		workers := g.fleet(t, 60)
		wanted := g.subjects(t)

		counts, err := answer.CountSubjects(t.Context(), st, index, store.SubjectQuery{})
		if err != nil || counts.Fleet != len(workers) || len(counts.Subjects) != len(wanted) {
			t.Fatalf("%+v, %v", counts, err)
		}
		var got, want []string
		for _, s := range counts.Subjects {
			got = append(got, fmt.Sprintf("%02d %s %s %s", s.Fit, s.Ref, s.Kind, s.Fault))
		}
		fitting := 0
		for ref, s := range wanted {
			n := naive.Count(s.requirement, workers)
			want = append(want, fmt.Sprintf("%02d %s %s ", n, ref, s.kind))
			fitting += min(n, 1)
		}
		slices.Sort(want) // the fewest first, then by ref
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if fitting < 20 {
			t.Errorf("%d subjects that fit do not test much", fitting)
		}

		lose := 0
		for range 10 {
			changes, after := g.changes(t, workers)
			found, err := answer.WhatIfSubjects(t.Context(), st, index, store.SubjectQuery{}, changes)
			if err != nil || len(found.Faulty) != 0 || len(found.Changes) != len(changes) {
				t.Fatalf("%+v, %v", found, err)
			}
			var want []placement.Effect
			for ref, s := range wanted {
				e := placement.Effect{Kind: string(s.kind), Ref: ref, Before: naive.Count(s.requirement, workers), After: naive.Count(s.requirement, after)}
				e.Stranded = e.Before > 0 && e.After == 0
				want = append(want, e)
				lose += min(e.Before-e.After, 1)
			}
			first := func(stranded bool) int {
				if stranded {
					return 0
				}
				return 1
			}
			slices.SortFunc(want, func(a, b placement.Effect) int {
				return cmp.Or(cmp.Compare(first(a.Stranded), first(b.Stranded)), cmp.Compare(b.Before-b.After, a.Before-a.After), cmp.Compare(a.Ref, b.Ref))
			})
			if diff := gocmp.Diff(want, found.Effects); diff != "" {
				t.Errorf("%v (-want +got):\n%s", changes, diff)
			}
		}
		if lose < 20 {
			t.Errorf("%d subjects that lose workers do not test much", lose)
		}
	})
}

type randomSubject struct {
	kind        store.SubjectKind
	requirement *naive.Requirement
}

// subjects adds actions and sensors, and returns them by ref. A sensor has a runtime of its own, and an action may have one.
func (g *randomFleets) subjects(t *testing.T) map[string]randomSubject {
	t.Helper()
	etl := fixtures.Pack(t.Context(), t, g.db, fixtures.PackOpts{Ref: new("etl")})
	all := map[string]randomSubject{}
	for i := range 80 {
		r, ref, sensor := g.Requirement(), fmt.Sprintf("etl.r%02d", i), i%4 == 0
		request := r.Request()
		sensor = sensor && len(request.Runtimes) > 0
		r.Role, r.Prereleases, r.Verified, r.Slots = requirement.Worker, false, false, 0
		s := randomSubject{store.ActionSubject, r}
		if sensor {
			s.kind, r.Role = store.SensorSubject, requirement.Sensor
		}
		all[ref] = s

		var own *schema.Runtime
		var constraint *string
		request = r.Request()
		if len(request.Runtimes) > 0 && (sensor || g.IntN(2) == 0) {
			var err error
			if own, err = g.st.Runtimes.ByRef(t.Context(), request.Runtimes[0].Name); err != nil {
				t.Fatal(err)
			}
			constraint, request.Runtimes = new(request.Runtimes[0].Wanted()), request.Runtimes[1:]
		}
		text, err := request.MarshalJSON()
		parts := struct{ Runtimes, Selector, Affinity, Tolerations json.RawMessage }{
			json.RawMessage("{}"), json.RawMessage("{}"), json.RawMessage("{}"), json.RawMessage("[]"),
		}
		if err == nil {
			err = json.Unmarshal(text, &parts)
		}
		if err != nil {
			t.Fatal(err)
		}
		table := "action"
		var id int64
		if sensor {
			table = "sensor"
			id = fixtures.Sensor(t.Context(), t, g.db, fixtures.SensorOpts{Ref: &ref, Pack: etl, Runtime: own, RuntimeVersionConstraint: constraint}).ID
		} else {
			id = fixtures.Action(t.Context(), t, g.db, fixtures.ActionOpts{Ref: &ref, Pack: etl, Runtime: own, RuntimeVersionConstraint: constraint}).ID
		}
		_, err = g.db.ExecContext(t.Context(), "UPDATE "+table+" SET required_worker_runtimes = ?, worker_selector = ?, worker_affinity = ?, worker_tolerations = ? WHERE id = ?",
			string(parts.Runtimes), string(parts.Selector), string(parts.Affinity), string(parts.Tolerations), id)
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
