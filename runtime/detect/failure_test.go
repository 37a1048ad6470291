package detect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
)

// failedBriefly returns a line for each failure below root.
func failedBriefly(caps *capability.Document, root string) []string {
	var out []string
	for _, f := range caps.Failed {
		out = append(out, strings.ReplaceAll(fmt.Sprintf("%s%s %s %d", f.Path, f.Declared, f.Outcome, len(f.Attempts)), root+"/", ""))
	}
	return out
}

// TestFailures: a document has each failed executable once, beside the installations.
func TestFailures(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{
		"bin/kit": "echo kit 1.0.0", "kept/1.1/kit": "echo libssl >&2; exit 127", "kept/1.2/kit": "exec /bin/sleep 1000", "kept/1.3/kit": "echo kit 1.3.0",
		"bin/kit1.4": "echo kit 1.5.0",
	})
	const declared = `{"version": "%s", "distributions": {"verification": {"commands": [{"binary": "%s", "args": ["--version"], "pattern": "%s"}]}}}`
	def := defsOf(t, `{"ref": "acme.kit", "name": "kit", "distributions": {"verification": {
		"commands": [{"binary": "kit", "args": ["--version"], "timeout": "1s"}, {"binary": "kit", "args": ["-v"], "timeout": "1s"}], "locations": ["/kept"]}},
		"versions": [`+fmt.Sprintf(declared, "1.4", "kit1.4", "")+","+fmt.Sprintf(declared, "1.6", "kit1.6", "")+","+fmt.Sprintf(declared, "1.7", "kit1.7", "(")+`]}`)
	def[0].Distributions.Verification.Locations[0] = root + "/kept/*/kit"
	caps := detectOn(t, localWith(root+"/bin"), detect.Config{Policy: openPolicy(t), Explain: true}, def...)
	if diff := cmp.Diff([]string{"1.3.0 kept/1.3/kit", "1.0.0 bin/kit default"}, brief(caps, root)); diff != "" {
		t.Errorf("installations (-want +got):\n%s", diff)
	}
	want := []string{"1.6 not_found 1", "1.7 invalid_metadata 0", "bin/kit1.4 pattern_mismatch 1", "kept/1.1/kit exit_mismatch 2", "kept/1.2/kit timeout 2"}
	if diff := cmp.Diff(want, failedBriefly(caps, root)); diff != "" {
		t.Fatalf("failures (-want +got):\n%s", diff)
	}
	if f := caps.Failed[3]; f.VerifiedAt.IsZero() || !strings.Contains(f.Detail, "libssl") || f.Hint == "" || !strings.Contains(f.Attempts[0].Output, "libssl") {
		t.Errorf("what it says: %+v", f)
	}
	if f := caps.Failed[2]; f.Version != "1.5.0" {
		t.Errorf("the version that does not count is %q", f.Version)
	}
	// The document survives JSON. Without Config.Explain it has no attempts.
	text, err := json.Marshal(caps)
	if err != nil {
		t.Fatal(err)
	}
	again := new(capability.Document)
	if err := json.Unmarshal(text, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(caps.Failed, again.Failed); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	for _, f := range detectOn(t, localWith(root+"/bin"), detect.Config{Policy: openPolicy(t)}, def...).Failed {
		if f.Attempts != nil {
			t.Errorf("%s has attempts that nobody asked for", f.Path)
		}
	}
}

// TestRubbishInTheOnlyVersion: a runtime that was not looked for is undetermined.
func TestRubbishInTheOnlyVersion(t *testing.T) {
	rubbish := `"versions": [{"version": "1.2", "distributions": {"verification": {"commands": [{"binary": "kit", "pattern": "("}]}}}]`
	for name, text := range map[string]string{
		"alone":                    `{"ref": "acme.kit", "name": "kit", ` + rubbish + `}`,
		"beside what is not there": `{"ref": "acme.kit", "name": "kit", "distributions": {"verification": {"commands": [{"binary": "none"}]}}, ` + rubbish + `}`,
	} {
		caps := detectOn(t, withTools(t, "kit"), detect.Config{Policy: openPolicy(t)}, defsOf(t, text)...)
		if a := absence(t, caps, "acme.kit"); a.Outcome != capability.InvalidMetadata || !strings.Contains(a.Detail, "version 1.2") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
