package detect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
)

// Locations do not run other programs, and have limits.
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
	want := []string{fmt.Sprintf("acme.ruby: locations match %s/usr/3 and 4 more, left out because it is not named like a command (ruby); let them end in such a name", root)}
	if diff := cmp.Diff(want, caps.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}

	caps = detectOn(t, h, detect.Config{Policy: openPolicy(t)}, defsOf(t, fmt.Sprintf(def, root+"/many/*/ruby"))...)
	if got := ran(); len(got) != 64 || slices.Contains(got, root+"/many/64/ruby") {
		t.Errorf("of 70 executables %d are run: %v", len(got), got)
	}
	want = []string{"acme.ruby: locations match 70 executables, and only the first 64 are verified; name fewer folders"}
	if diff := cmp.Diff(want, caps.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Installations at locations count, and cause no warning that PATH lacks them.
// Without PATH and locations, the detail names the empty PATH.
func TestRealNothingInPath(t *testing.T) {
	root := tree(t, map[string]string{"opt/bin/one": "echo one 1.2.3"})
	def := fmt.Sprintf(`{"ref": "acme.one", "name": "one", "distributions": {"verification": {"locations": ["%s/opt/bin/one"],
		"commands": [{"binary": "one", "args": ["--version"]}, {"binary": "uno", "args": ["--version"]}]}}}`, root)
	for _, path := range []string{"", root} {
		h := host.Local(host.LocalConfig{Environ: []string{"PATH=" + path}})
		caps := detectOn(t, h, detect.Config{Policy: openPolicy(t)}, append(defsOf(t, def), tool(t, "two", ""))...)
		if len(caps.Detected) != 1 || len(caps.Detected[0].Warnings) != 0 || len(caps.Warnings) != 0 {
			t.Errorf("PATH=%s: got %+v with warnings %q, want one without a warning", path, caps.Detected, caps.Warnings)
		}
		want := "two is in none of the 1 folders of PATH"
		if path == "" {
			want = "two is not found: PATH is empty"
		}
		if got := absence(t, caps, "acme.two").Detail; got != want {
			t.Errorf("PATH=%s: got %q, want %q", path, got, want)
		}
	}
}
