package detect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
)

// TestInstead: of what is open, what was known counts.
func TestInstead(t *testing.T) {
	at := func(ref, version string) detect.Detection {
		return detect.Detection{Ref: ref, Name: ref, Version: version, Warnings: []string{}}
	}
	not := func(ref string, o detect.Outcome) detect.Absence {
		return detect.Absence{Ref: ref, Name: ref, Outcome: o}
	}
	failed := func(ref, path string) detect.Failure { return detect.Failure{Ref: ref, Name: ref, Path: path} }
	now := &detect.Capabilities{
		Detected:   []detect.Detection{at("a", "2.0.0")},
		Undetected: []detect.Absence{not("b", detect.Timeout), not("c", detect.Timeout), not("d", detect.NotFound), not("e", detect.Timeout)},
		Failed:     []detect.Failure{failed("a", "/new")},
		Warnings:   []string{"a: new", "host: new"},
	}
	before := &detect.Capabilities{
		Detected:   []detect.Detection{at("a", "1.0.0"), at("b", "1.0.0"), at("d", "1.0.0")},
		Undetected: []detect.Absence{not("c", detect.NotFound)},
		Failed:     []detect.Failure{failed("a", "/old"), failed("b", "/old")},
		Warnings:   []string{"a: old", "b: old", "host: old"},
	}
	got := now.Instead([]string{"b", "c", "e"}, before)
	want := &detect.Capabilities{
		Runtimes:        []string{"a", "b"},
		RuntimeVersions: map[string][]string{"a": {"2.0.0"}, "b": {"1.0.0"}},
		Detected:        []detect.Detection{at("a", "2.0.0"), at("b", "1.0.0")},
		Undetected:      []detect.Absence{not("c", detect.NotFound), not("d", detect.NotFound), not("e", detect.Timeout)},
		Failed:          []detect.Failure{failed("a", "/new"), failed("b", "/old")},
		Warnings:        []string{"a: new", "host: new", "b: old"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(now.Undetected) != 4 || len(now.Warnings) != 2 || len(before.Detected) != 3 {
		t.Error("it changed the documents that it is made of")
	}
}
