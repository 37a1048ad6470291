package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
)

// Locations find a runtime; they do not run what else a host has, nor without
// end.
func TestRealHostileLocations(t *testing.T) {
	files := map[string]string{
		"usr/ruby": "echo ruby 3.1.2", "usr/ruby3.3": "echo ruby 3.3.0", "usr/ruby-3.4.1": "echo ruby 3.4.1",
		"usr/rubyfmt": "echo 1.2.3", "usr/cpan": "echo 2.34", "usr/reboot": "echo 252", "usr/[": "echo 9.1", "usr/3": "echo 3.0.0",
	}
	for i := range 70 {
		files[fmt.Sprintf("many/%02d/ruby", i)] = fmt.Sprintf("echo ruby 2.0.%d", i)
	}
	root := tree(t, files)
	h, ran := counting(host.Local(host.LocalConfig{Environ: []string{"PATH=" + root + "/none"}}))
	const def = `{"ref": "acme.ruby", "name": "ruby", "distributions": {"verification": {"locations": [%q],
		"commands": [{"binary": "ruby", "args": ["--version"], "pattern": "^ruby "}]}}}`

	caps := detectOn(t, h, detect.Config{Policy: openPolicy(t)}, defsOf(t, fmt.Sprintf(def, root+"/usr/*"))...)
	if diff := cmp.Diff([]string{root + "/usr/ruby", root + "/usr/ruby-3.4.1", root + "/usr/ruby3.3"}, ran()); diff != "" {
		t.Errorf("what is run of /usr/* (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"3.4.1 usr/ruby-3.4.1", "3.3.0 usr/ruby3.3", "3.1.2 usr/ruby"}, brief(caps, root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []string{fmt.Sprintf("acme.ruby: locations show %s/usr/3 and 4 more, left out as not named for a command (ruby); let them end in such a name", root)}
	if diff := cmp.Diff(want, ofLocations(caps)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}

	caps = detectOn(t, h, detect.Config{Policy: openPolicy(t)}, defsOf(t, fmt.Sprintf(def, root+"/many/*/ruby"))...)
	if got := ran(); len(got) != 64 || slices.Contains(got, root+"/many/64/ruby") {
		t.Errorf("of 70 executables %d are run: %v", len(got), got)
	}
	want = []string{"acme.ruby: locations show 70 executables, of which the first 64 are verified; name fewer folders"}
	if diff := cmp.Diff(want, ofLocations(caps)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// ofLocations are the document's warnings but that PATH shows no ruby.
func ofLocations(caps *detect.Capabilities) []string {
	return slices.DeleteFunc(slices.Clone(caps.Warnings), func(w string) bool { return strings.HasPrefix(w, "acme.ruby: not_found:") })
}
