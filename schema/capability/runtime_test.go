package capability_test

import (
	"slices"
	"testing"

	"github.com/attune-go/attune/schema/capability"
)

func TestRuntimeOfADocument(t *testing.T) {
	slow := capability.Absence{Ref: "core.ruby", Name: "ruby", Outcome: capability.Timeout, Attempts: []capability.Attempt{{Path: "/usr/bin/ruby"}}}
	caps := &capability.Document{
		Detected: []capability.Installation{
			{Ref: "acme.python", Name: "python", Version: "9.0.0"},
			{Ref: "core.python", Name: "python", Version: "3.12.1", Path: "/opt/python"},
			{Ref: "core.python", Name: "python", Version: "3.11.7", Path: "/usr/bin/python3"},
		},
		Undetected: []capability.Absence{slow},
	}
	python, ok := caps.Runtime("core.python")
	var paths []string
	for _, in := range python.Installations {
		paths = append(paths, in.Path)
	}
	if !ok || python.Version != "3.12.1" || python.Absence != nil || !slices.Equal(paths, []string{"/opt/python", "/usr/bin/python3"}) {
		t.Errorf("core.python: %v, %+v", ok, python)
	}
	ruby, ok := caps.Runtime("core.ruby")
	if ok || !ruby.Outcome.CouldNotTell() || ruby.Name != "ruby" || ruby.Absence == nil || len(ruby.Absence.Attempts) != 1 {
		t.Errorf("core.ruby: %v, %+v", ok, ruby)
	}
	for name, c := range map[string]*capability.Document{"no document": nil, "a document that says nothing of it": caps} {
		if perl, ok := c.Runtime("core.perl"); ok || perl.Ref != "core.perl" || perl.Outcome != "" || perl.Absence != nil {
			t.Errorf("%s: %v, %+v", name, ok, perl)
		}
	}
}
