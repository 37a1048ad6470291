package placement_test

import (
	"fmt"
	"log"

	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A requirement names runtimes as people do. Resolve replaces the names by refs, and Evaluate
// returns every reason why a worker does not fit.
func ExampleEvaluate() {
	written, err := requirement.Parse([]byte(`{"runtimes": {"python": ">=3.11"}, "selector": {"zone": "a"}}`))
	if err != nil {
		log.Fatal(err)
	}
	r, err := written.Resolve(metadata.NewIndex(core.Definitions()))
	if err != nil {
		log.Fatal(err)
	}
	python, err := version.Parse("3.9.2")
	if err != nil {
		log.Fatal(err)
	}
	verdict := placement.Evaluate(&r, &placement.Facts{
		Worker: 7, Name: "build-7", Role: requirement.Worker, Status: "active", Cordoned: true,
		Labels:        map[string]string{"zone": "b"},
		Installations: []placement.Installation{{Ref: core.RefPython, Version: python, Path: "/usr/bin/python3"}},
	})
	for _, reason := range verdict.Reasons {
		fmt.Printf("%s: wanted %s, got %s\n", reason.Kind, reason.Wanted, reason.Actual)
	}
	// Output:
	// cordoned: wanted not cordoned, got cordoned
	// selector: wanted zone=a, got zone=b
	// version: wanted >=3.11, got 3.9.2
}

// Place replaces the filter of a scheduler that has all workers in memory: it orders those that
// fit, groups the others by their reasons, and says what would help.
func ExamplePlace() {
	r, err := requirement.Terms{Runtimes: []string{"core.python@>=3.12"}, Prefer: []string{"zone=b"}}.Requirement()
	if err != nil {
		log.Fatal(err)
	}
	var fleet []placement.Facts
	for i, w := range []struct{ name, zone, python string }{
		{"a-1", "a", "3.13.1"}, {"a-2", "a", "3.11.4"}, {"a-3", "a", "3.11.9"}, {"b-1", "b", "3.12.0"}, {"b-2", "b", "3.9.2"},
	} {
		v, err := version.Parse(w.python)
		if err != nil {
			log.Fatal(err)
		}
		fleet = append(fleet, placement.Facts{
			Worker: int64(i), Name: w.name, Role: requirement.Worker, Status: "active", Labels: map[string]string{"zone": w.zone},
			Installations: []placement.Installation{{Ref: "core.python", Version: v, Path: "/usr/bin/python3"}},
		})
	}
	answer := placement.Place(&r, fleet, 20)
	fmt.Printf("%d of %d fit\n", answer.Fit, answer.Fleet)
	for _, p := range answer.Placed {
		fmt.Println(p.Name, p.Weight, p.Runtimes[0].Version)
	}
	for _, g := range answer.Groups {
		fmt.Printf("%d hosts: %s, wanted %s; nearest is %s with %s\n",
			g.Hosts, g.Reasons[0].Kind, g.Reasons[0].Wanted, g.Nearest.Name, g.Nearest.Reasons[0].Actual)
	}
	for _, h := range answer.Helps {
		fmt.Printf("%d: %s\n", h.Workers, h.Text)
	}
	// Output:
	// 2 of 5 fit
	// b-1 50 3.12.0
	// a-1 0 3.13.1
	// 3 hosts: version, wanted >=3.12; nearest is a-2 with 3.11.4
	// 3: install core.python >=3.12 on a-2 or 2 more workers
	// 2: relax core.python to >=3.11
}

func ExampleWhatIf() {
	change, err := placement.ParseChange("core.python min 3.12")
	if err != nil {
		log.Fatal(err)
	}
	python, err := version.Parse("3.11.4")
	if err != nil {
		log.Fatal(err)
	}
	r, err := requirement.Terms{Runtimes: []string{"core.python@3"}}.Requirement()
	if err != nil {
		log.Fatal(err)
	}
	fleet := []placement.Facts{{
		Worker: 1, Name: "a-1", Role: requirement.Worker, Status: "active",
		Installations: []placement.Installation{{Ref: "core.python", Version: python}},
	}}
	for _, effect := range placement.WhatIf([]placement.Subject{{Ref: "etl.load", Requirement: r}}, fleet, []placement.Change{change}) {
		fmt.Println(effect.Ref, effect.Before, effect.After, effect.Stranded)
	}
	// Output: etl.load 1 0 true
}
