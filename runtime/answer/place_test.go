package answer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// TestPlace checks the whole answer about a small fleet, and what-if, on both databases.
func TestPlace(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		testPlace(t, store.New(db.DB, store.Config{Schema: db.Schema}))
	})
}

func testPlace(t *testing.T, st *store.Store) {
	instance, interval := "i1", 3600
	report := func(version string) *store.Capabilities {
		c := &store.Capabilities{Document: []byte(`{"runtimes": []}`)}
		if version != "" {
			c.Document = []byte(`{"runtimes": ["python"]}`)
			c.Runtimes = []schema.WorkerRuntime{{
				RuntimeRef: "core.python", Name: "python", Outcome: schema.OutcomeAvailable, Source: "verified", Version: version, Path: "/usr/bin/python3",
			}}
		}
		return c
	}
	register := func(name, version string) *schema.Worker {
		t.Helper()
		w, _, err := st.Workers.Register(t.Context(), store.Registration{
			Name: name, Role: metadata.Worker, Instance: &instance, HeartbeatInterval: &interval, Capabilities: report(version),
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for i, version := range []string{"3.13.1", "3.12.4", "3.11.2", "3.9.1"} {
		register(fmt.Sprintf("build-%d", i), version)
	}
	register("never", "")
	lost := register("lost", "3.12.0")
	if _, err := st.Workers.Report(t.Context(), lost.ID, instance, *report("")); err != nil {
		t.Fatal(err)
	}
	r, err := requirement.Terms{Runtimes: []string{"core.python@>=3.12"}}.Requirement()
	if err != nil {
		t.Fatal(err)
	}
	a, err := answer.Place(t.Context(), st, &r, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range a.Placed {
		got = append(got, "placed "+p.Name+" "+p.Runtimes[0].Version)
	}
	for _, g := range a.Groups {
		got = append(got, fmt.Sprintf("%d %s: %s has %s", g.Hosts, g.Reasons[0].Kind, g.Nearest.Name, g.Nearest.Reasons[0].Actual))
	}
	for _, h := range a.Helps {
		got = append(got, fmt.Sprintf("%d %s", h.Workers, h.Text))
	}
	want := []string{
		"placed build-0 3.13.1",
		"2 runtime_absent: lost has absent; 3.12.0 was there before",
		"2 version: build-2 has 3.11.2",
		"2 install core.python >=3.12 on lost or one more worker",
		"2 install core.python >=3.12 on build-2 or one more worker",
		"1 relax core.python to >=3.11",
	}
	slices.Sort(got[3:])
	slices.Sort(want[3:])
	if diff := gocmp.Diff(want, got); diff != "" || a.Fleet != 6 || a.Fit != 2 {
		t.Errorf("%d of %d fit (-want +got):\n%s", a.Fit, a.Fleet, diff)
	}
	change := func(text string) placement.Change {
		c, err := placement.ParseChange(text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	subjects := []placement.Subject{{Ref: "etl.load", Requirement: r}, {Ref: "etl.any"}}
	effects, err := answer.WhatIf(t.Context(), st, subjects, []placement.Change{change("core.python min 3.13"), change("without build-0 never")})
	if diff := gocmp.Diff([]placement.Effect{{Ref: "etl.load", Before: 2, After: 0, Stranded: true}, {Ref: "etl.any", Before: 6, After: 4}}, effects); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := answer.WhatIf(t.Context(), st, subjects, []placement.Change{change("without build-9")}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
