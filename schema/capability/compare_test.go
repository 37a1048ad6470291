package capability_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/capability"
)

func TestCompare(t *testing.T) {
	doc := func(versions map[string][]string, runtimes ...string) *capability.Document {
		return &capability.Document{Runtimes: runtimes, RuntimeVersions: versions}
	}
	undetected := func(c *capability.Document, gone ...capability.Absence) *capability.Document {
		c.Undetected = gone
		return c
	}
	renamed := doc(nil, "nodejs")
	renamed.Detected = []capability.Installation{{Ref: "core.nodejs", Name: "nodejs"}}
	type names = []string
	tests := []struct {
		name          string
		before, after *capability.Document
		want          capability.Diff
	}{
		{"never registered", nil, doc(nil, "a", "b"), capability.Diff{Gained: names{"a", "b"}}},
		{"same", doc(map[string][]string{"a": {"1.0.0"}}, "a"), doc(map[string][]string{"a": {"1.0.0"}}, "a"), capability.Diff{}},
		{"lost and gained", doc(nil, "a", "b"), doc(nil, "b", "c"), capability.Diff{Gained: names{"c"}, Lost: names{"a"}}},
		{
			"versions", doc(map[string][]string{"a": {"1.0.0"}, "b": {"2.0.0"}}, "a", "b"), doc(map[string][]string{"a": {"1.1.0", "1.0.0"}}, "a", "b"),
			capability.Diff{Changed: []capability.VersionChange{{Name: "a", Old: names{"1.0.0"}, New: names{"1.1.0", "1.0.0"}}, {Name: "b", Old: names{"2.0.0"}, New: names{}}}},
		},
		{"absent is lost", doc(nil, "a"), undetected(doc(nil), capability.Absence{Name: "a", Outcome: capability.NotFound}), capability.Diff{Lost: names{"a"}}},
		{"could not tell is not lost", doc(nil, "a"), undetected(doc(nil), capability.Absence{Name: "a", Outcome: capability.Timeout}), capability.Diff{Unconfirmed: names{"a"}}},
		{
			"could not tell under another name", renamed, undetected(doc(nil), capability.Absence{Ref: "core.nodejs", Name: "node", Outcome: capability.Error}),
			capability.Diff{Unconfirmed: names{"nodejs"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			for _, list := range []*[]string{&want.Gained, &want.Lost, &want.Unconfirmed} {
				if *list == nil {
					*list = names{}
				}
			}
			if want.Changed == nil {
				want.Changed = []capability.VersionChange{}
			}
			got := capability.Compare(tt.before, tt.after)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Empty() != (tt.name == "same") {
				t.Errorf("Empty is %v for %+v", got.Empty(), got)
			}
		})
	}
}
