package packs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// TestComplete: what a platform's row lacks comes from the core pack, and what it says
// stays.
func TestComplete(t *testing.T) {
	var core = map[string]metadata.Definition{}
	for _, d := range packs.Core().Definitions {
		core[d.Ref] = d
	}
	for name, c := range map[string]struct {
		row, stored, note string
		check             func(d metadata.Definition) bool
	}{
		"usable": {
			`{"ref": "core.python", "name": "P", "aliases": ["py"], "distributions": {"verification": {"commands": [{"binary": "py3"}]}}}`, "", "",
			func(d metadata.Definition) bool {
				return d.CapabilityName() == "py" && d.Distributions.Verification.Commands[0].Binary == "py3"
			},
		},
		"by a version": {
			`{"ref": "core.python", "name": "P", "versions": [{"version": "3.12", "distributions": {"verification": {"commands": [{"binary": "py3"}]}}}]}`, "", "",
			func(d metadata.Definition) bool {
				return d.CapabilityName() == "python" && d.Distributions.Verification == nil
			},
		},
		"no verification": {
			`{"ref": "core.python", "name": "P", "distributions": {"min_version": "3.11"}, "execution_config": {"interpreter": {"binary": "py3"}}}`, "", "no verification",
			func(d metadata.Definition) bool {
				return d.Name == "P" && d.Distributions.MinVersion == "3.11" && len(d.Distributions.Verification.Commands) > 0 &&
					d.ExecutionConfig.Interpreter.Binary == "py3"
			},
		},
		"malformed": {
			`{"ref": "core.python", "name": ""}`, `["python"]`, "malformed",
			func(d metadata.Definition) bool { return d.Name == "Python" && d.Validate() == nil },
		},
		"malformed, not of the core pack": {
			`{"ref": "acme.x", "name": "X"}`, `["x"]`, "",
			func(d metadata.Definition) bool { return d.Distributions.Fault() != nil },
		},
	} {
		var d metadata.Definition
		if err := json.Unmarshal([]byte(c.row), &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.stored != "" {
			if err := d.Distributions.Scan([]byte(c.stored)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		got := packs.Complete([]metadata.Definition{d}, []string{"core.ruby"})
		if names := metadata.NewIndex(got.Retired).All("ruby"); len(names) != 1 {
			t.Errorf("%s: %d retired runtimes have the name of a core definition, want 1", name, len(names))
		}
		var found metadata.Definition
		for _, g := range got.Definitions {
			if g.Ref == "core.ruby" {
				t.Errorf("%s: what the platform has retired is back", name)
			}
			if g.Ref == d.Ref {
				found = g
			}
		}
		want := len(core) - 1
		if core[d.Ref].Ref == "" {
			want++
		}
		if len(got.Definitions) != want || !c.check(found) {
			t.Errorf("%s: %d definitions, %+v", name, len(got.Definitions), found)
		}
		if note := got.Notes[d.Ref]; (c.note == "") != (note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%s: note %q, want %q", name, note, c.note)
		}
		if got.Notes["core.go"] == "" {
			t.Errorf("%s: no note of what has no row", name)
		}
	}
}
