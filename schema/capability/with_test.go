package capability_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/capability"
)

// TestWithRefs: of what is open, what was known counts.
func TestWithRefs(t *testing.T) {
	at := func(ref, version string) capability.Installation {
		return capability.Installation{Ref: ref, Name: ref, Version: version, Warnings: []string{}}
	}
	not := func(ref string, o capability.Outcome) capability.Absence {
		return capability.Absence{Ref: ref, Name: ref, Outcome: o}
	}
	failed := func(ref, path string) capability.Failure { return capability.Failure{Ref: ref, Name: ref, Path: path} }
	now := &capability.Document{
		Detected:   []capability.Installation{at("a", "2.0.0")},
		Undetected: []capability.Absence{not("b", capability.Timeout), not("c", capability.Timeout), not("d", capability.NotFound), not("e", capability.Timeout)},
		Failed:     []capability.Failure{failed("a", "/new")},
		Warnings:   []string{"a: new", "host: new"},
	}
	before := &capability.Document{
		Detected:   []capability.Installation{at("a", "1.0.0"), at("b", "1.0.0"), at("d", "1.0.0")},
		Undetected: []capability.Absence{not("c", capability.NotFound)},
		Failed:     []capability.Failure{failed("a", "/old"), failed("b", "/old")},
		Warnings:   []string{"a: old", "b: old", "host: old"},
	}
	got := now.WithRefs([]string{"b", "c", "e"}, before)
	want := &capability.Document{
		Runtimes:        []string{"a", "b"},
		RuntimeVersions: map[string][]string{"a": {"2.0.0"}, "b": {"1.0.0"}},
		Detected:        []capability.Installation{at("a", "2.0.0"), at("b", "1.0.0")},
		Undetected:      []capability.Absence{not("c", capability.NotFound), not("d", capability.NotFound), not("e", capability.Timeout)},
		Failed:          []capability.Failure{failed("a", "/new"), failed("b", "/old")},
		Warnings:        []string{"a: new", "host: new", "b: old"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(now.Undetected) != 4 || len(now.Warnings) != 2 || len(before.Detected) != 3 {
		t.Error("it changed the documents that it is made of")
	}
}
