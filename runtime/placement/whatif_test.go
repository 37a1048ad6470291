package placement_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
)

func TestParseChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		kind placement.ChangeKind
		name string
		want string
	}{
		{"python min 3.12", placement.MinVersion, "python", "python min 3.12.0"},
		{"GNU  Bash min 5", placement.MinVersion, "GNU Bash", "GNU Bash min 5.0.0"},
		{"python without 3.8", placement.WithoutVersion, "python", "python without 3.8"},
		{"python without <3.9 || 3.10.1", placement.WithoutVersion, "python", "python without <3.9 || 3.10.1"},
		{"without build-7", placement.WithoutWorkers, "", "without build-7"},
		{"without build-7  build-9", placement.WithoutWorkers, "", "without build-7 build-9"},
		{"without without", placement.WithoutWorkers, "", "without without"},
		{"runtime core.python removed", placement.RuntimeRemoved, "core.python", "runtime core.python removed"},
		{"runtime min 3", placement.MinVersion, "runtime", "runtime min 3.0.0"},
	} {
		got, err := placement.ParseChange(c.text)
		if err != nil || got.Kind != c.kind || got.Runtime != c.name || got.String() != c.want {
			t.Errorf("%q: got %+v, %s (%v)", c.text, got, got, err)
		}
	}
	forms := "must be RUNTIME min VERSION, RUNTIME without VERSION, without WORKER…, or runtime REF removed"
	for text, want := range map[string]string{
		"":                      `change "": ` + forms,
		"python":                `change "python": ` + forms,
		"without":               `change "without": ` + forms,
		"python without":        `change "python without": ` + forms,
		"python max 3.12":       `change "python max 3.12": ` + forms,
		"runtime removed":       `change "runtime removed": ` + forms,
		"python min x":          `change "python min x": version "x": position 1: a version must begin with a number`,
		"python without >=4,<3": `change "python without >=4,<3": must be satisfied by some version, got ">=4,<3"`,
		"python without >= x":   `change "python without >= x": constraint ">= x": position 4: a version must begin with a number, got "x"`,
	} {
		if _, err := placement.ParseChange(text); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParseChange(f *testing.F) {
	for _, text := range []string{"python min 3.12", "a b without >=3 <4", "without a b", "runtime x removed", "without min 3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := placement.ParseChange(text)
		if err != nil {
			return
		}
		again, err := placement.ParseChange(c.String())
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%q was read as %+v, and %q as %+v (%v)", text, c, c, again, err)
		}
	})
}

func TestResolveChange(t *testing.T) {
	t.Parallel()
	index := metadata.NewIndex([]metadata.Definition{{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}}})
	for text, want := range map[string]string{
		"Python3 min 3.12":       "core.python min 3.12.0",
		"python without 3.8":     "core.python without 3.8",
		"runtime python removed": "runtime core.python removed",
		"without pyton":          "without pyton",
		"pyton min 3.12":         `change "pyton min 3.12.0": /runtimes/pyton: unknown runtime "pyton"; did you mean python?`,
	} {
		c, err := placement.ParseChange(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err = c.Resolve(index)
		got := c.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestWhatIfProperty makes random changes twice: by WhatIf, and to the naive workers, which
// the naive evaluator judges before and after.
func TestWhatIfProperty(t *testing.T) {
	t.Parallel()
	g := naive.World{Rand: rand.New(rand.NewPCG(9, 10))}
	lost, stranded := map[placement.ChangeKind]int{}, 0
	for range 400 {
		var workers []*naive.Worker
		var fleet []placement.Facts
		for i := range 30 {
			workers = append(workers, g.Worker(int64(i)))
			fleet = append(fleet, workers[i].Known())
		}
		untouched := fleet[0].Installations
		var changes []placement.Change
		after := workers
		for range 1 + g.IntN(3) {
			text, apply := g.Change()
			c, err := placement.ParseChange(text)
			if err != nil {
				t.Fatal(err)
			}
			changes = append(changes, c)
			after = apply(after)
		}
		var subjects []placement.Subject
		var requirements []*naive.Requirement
		for range 3 {
			r := g.Requirement()
			requirements = append(requirements, r)
			subjects = append(subjects, placement.Subject{Ref: "etl.load", Requirement: r.Request()})
		}
		for i, effect := range placement.WhatIf(subjects, fleet, changes) {
			before, later := naive.Count(requirements[i], workers), naive.Count(requirements[i], after)
			if effect.Before != before || effect.After != later || effect.Stranded != (before > 0 && later == 0) {
				t.Fatalf("%v: got %+v, want %d and %d", changes, effect, before, later)
			}
			if len(changes) == 1 && later < before {
				lost[changes[0].Kind]++
			}
			if effect.Stranded {
				stranded++
			}
		}
		if !reflect.DeepEqual(untouched, workers[0].Known().Installations) {
			t.Fatal("WhatIf changed the facts")
		}
	}
	for _, kind := range []placement.ChangeKind{placement.MinVersion, placement.WithoutVersion, placement.WithoutWorkers, placement.RuntimeRemoved} {
		if lost[kind] < 2 {
			t.Errorf("%s took workers from a requirement %d times only", kind, lost[kind])
		}
	}
	if stranded < 20 {
		t.Errorf("only %d requirements were stranded", stranded)
	}
}

func TestUnknownWorkers(t *testing.T) {
	t.Parallel()
	changes := []placement.Change{
		{Kind: placement.WithoutWorkers, Workers: []string{"build-0", "build-7"}}, {Kind: placement.MinVersion, Runtime: "core.python"},
		{Kind: placement.WithoutWorkers, Workers: []string{"build-7", "x"}},
	}
	if got := placement.UnknownWorkers(changes, []string{"build-0"}); !slices.Equal(got, []string{"build-7", "x"}) {
		t.Errorf("got %v", got)
	}
}
