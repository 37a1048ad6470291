package capability_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/capability"
)

func TestWithoutOutput(t *testing.T) {
	t.Parallel()
	const line = "secret: no, want 0: its output has no version: x"
	for detail, want := range map[string]string{
		capability.ExitDetail(-1, 0, line):                                   "exit status -1, want 0",
		capability.PatternDetail("^a: b", line):                              "its output does not match the pattern",
		capability.VersionDetail("3.12", line):                               "min_version is 3.12, and its output has no version",
		"none satisfies >=3; one more: " + capability.ExitDetail(1, 0, "\n"): "none satisfies >=3; one more: exit status 1, want 0",
		"its output does not match the pattern, but was cut off":             "its output does not match the pattern, but was cut off",
		"gone is in none of the 3 folders of PATH":                           "gone is in none of the 3 folders of PATH",
		"": "",
	} {
		if got := capability.WithoutOutput(detail); got != want || strings.Contains(got, "secret") {
			t.Errorf("%q: got %q, want %q", detail, got, want)
		}
	}
}
