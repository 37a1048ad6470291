package capability_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/capability"
)

// TestAttemptsAreRestored: what an entry and the host's PATH say is stored once, and reading gives every
// attempt as it was.
func TestAttemptsAreRestored(t *testing.T) {
	t.Parallel()
	path := []string{"/usr/bin", "/bin"}
	in := capability.Installation{
		Ref: "core.python", Version: "3.12.1", VersionRaw: "Python 3.12.1", Path: "/usr/bin/python3", RealPath: "/usr/bin/python3.12",
		Command: []string{"python3", "--version"}, DurationMS: 9.1, Outcome: capability.Available,
	}
	plain := in.Attempt()
	change := func(do func(a *capability.Attempt)) capability.Attempt {
		a := in.Attempt()
		do(&a)
		return a
	}
	missing := capability.Attempt{Command: []string{"python", "--version"}, Outcome: capability.NotFound, Optional: true}
	missing.Detail, missing.Hint = capability.NotFoundIn(path, "python")
	failure := capability.Failure{Path: "/opt/python", RealPath: "/opt/python", Outcome: capability.ExitMismatch, Detail: "exit code 1, want 0", Hint: "repair it"}
	failed := failure.Attempt()
	failed.Command, failed.ExitCode, failed.Output = []string{"/opt/python", "--version"}, new(1), "no"
	for name, c := range map[string]struct {
		attempts []capability.Attempt
		like     capability.Attempt
		most     int      // bytes
		without  []string // texts
	}{
		"what the entry says":        {[]capability.Attempt{plain}, plain, 0, nil},
		"a longer output":            {[]capability.Attempt{change(func(a *capability.Attempt) { a.Output = "Python 3.12.1\nand more" })}, plain, 150, []string{"/usr/bin"}},
		"another exit code":          {[]capability.Attempt{change(func(a *capability.Attempt) { a.ExitCode = new(3) })}, plain, 150, []string{"/usr/bin"}},
		"no exit code":               {[]capability.Attempt{change(func(a *capability.Attempt) { a.ExitCode = nil })}, plain, 300, nil},
		"without a version":          {[]capability.Attempt{change(func(a *capability.Attempt) { a.Version, a.VersionRaw = "", "" })}, plain, 300, nil},
		"one that was not found":     {[]capability.Attempt{missing, plain}, plain, 220, []string{"in none of", "add its folder"}},
		"not found elsewhere":        {[]capability.Attempt{change(func(a *capability.Attempt) { *a = missing; a.Detail = "python is in none of the 9 folders of PATH" })}, plain, 300, nil},
		"a failure":                  {[]capability.Attempt{failed}, failure.Attempt(), 150, []string{"want 0", "repair"}},
		"an attempt without command": {[]capability.Attempt{{Outcome: capability.Timeout, Detail: "no answer"}}, capability.Attempt{Outcome: capability.Timeout, Detail: "no answer"}, 100, []string{"no answer"}},
		"none":                       {[]capability.Attempt{}, capability.Attempt{}, 0, nil},
	} {
		text, err := capability.EncodeAttempts(c.attempts, c.like, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(text) > c.most {
			t.Errorf("%s: %d bytes, want at most %d: %s", name, len(text), c.most, text)
		}
		for _, part := range c.without {
			if strings.Contains(string(text), part) {
				t.Errorf("%s: %q is repeated in %s", name, part, text)
			}
		}
		got, err := capability.DecodeAttempts(text, c.like, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.attempts, got); diff != "" {
			t.Errorf("%s (-stored +read):\n%s", name, diff)
		}
	}
	// Earlier releases stored everything.
	got, err := capability.DecodeAttempts([]byte(`[{"command":["x"],"path":"/x","duration_ms":0,"outcome":"available"}]`), plain, path)
	if diff := cmp.Diff([]capability.Attempt{{Command: []string{"x"}, Path: "/x", Outcome: capability.Available}}, got); err != nil || diff != "" {
		t.Errorf("earlier evidence: %v (-want +got):\n%s", err, diff)
	}
}
