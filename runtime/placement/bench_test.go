package placement_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// benchFleet returns workers with two runtimes and three labels each.
func benchFleet(b *testing.B, n int) []placement.Facts {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	var versions []version.Version
	for minor := range 14 {
		v, err := version.Parse(fmt.Sprintf("3.%d.%d", minor, minor%5))
		if err != nil {
			b.Fatal(err)
		}
		versions = append(versions, v)
	}
	fleet := make([]placement.Facts, n)
	for i := range fleet {
		fleet[i] = placement.Facts{
			Worker: int64(i), Name: fmt.Sprintf("build-%d", i), Role: requirement.Worker, Status: "active", Spread: random.Int64N(requirement.MaxSpread),
			Labels: map[string]string{"zone": string(rune('a' + i%3)), "disk": "ssd", "arch": "amd64"},
			Installations: []placement.Installation{
				{Ref: "core.python", Version: versions[random.IntN(len(versions))], Path: "/usr/bin/python3"},
				{Ref: "core.python", Version: versions[random.IntN(len(versions))], Path: "/opt/python/bin/python3"},
				{Ref: "core.nodejs", Version: versions[random.IntN(len(versions))], Path: "/usr/bin/node"},
			},
		}
	}
	return fleet
}

func benchRequirement(b *testing.B, text string) placement.Requirement {
	b.Helper()
	r, err := requirement.Parse([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func BenchmarkEvaluate(b *testing.B) {
	for name, text := range map[string]string{
		"fits":     `{"runtimes": {"core.python": ">=3"}, "selector": {"zone": "a"}}`,
		"does not": `{"runtimes": {"core.python": ">=3.20"}, "selector": {"zone": "z"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			r, fleet := benchRequirement(b, text), benchFleet(b, 1)
			b.ReportAllocs()
			for b.Loop() {
				placement.Evaluate(&r, &fleet[0])
			}
		})
	}
}

// BenchmarkPlace is the whole answer about 100,000 workers: order, groups, nearest misses, helps.
func BenchmarkPlace(b *testing.B) {
	r, fleet := benchRequirement(b, `{"runtimes": {"core.python": ">=3.12"}, "selector": {"zone": "a"}}`), benchFleet(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		if a := placement.Place(&r, fleet, 20); a.Fit == 0 {
			b.Fatal("nobody fits")
		}
	}
}

// BenchmarkWhatIf asks about 1,000 actions with 100 distinct requirements and 10,000 workers.
func BenchmarkWhatIf(b *testing.B) {
	fleet := benchFleet(b, 10_000)
	var subjects []placement.Subject
	for i := range 1000 {
		text := fmt.Sprintf(`{"runtimes": {"core.python": ">=3.%d"}, "selector": {"zone": "%c"}, "slots": %d}`, i%14, 'a'+i%3, 1+i%100/50)
		subjects = append(subjects, placement.Subject{Ref: fmt.Sprintf("etl.%d", i), Requirement: benchRequirement(b, text)})
	}
	change, err := placement.ParseChange("core.python min 3.10")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		placement.WhatIf(subjects, fleet, []placement.Change{change})
	}
}
