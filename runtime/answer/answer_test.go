package answer_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/answer"
)

func TestNatural(t *testing.T) {
	want := []string{"", "-1", "1", "2", "10", "A", "a", "a-02", "a-2", "a-10", "a-10-b", "a-99999999999999999999", "a-100000000000000000000", "b", "web", "Web-1", "web-2"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, answer.Natural)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sorted (-want +got):\n%s", diff)
	}
	for i := range got {
		for j := range got {
			a, b := answer.Natural(got[i], got[j]), answer.Natural(got[j], got[i])
			if (a < 0) != (i < j) || (a == 0) != (i == j) || (a < 0) != (b > 0) {
				t.Errorf("%q and %q compare as %d and %d", got[i], got[j], a, b)
			}
		}
	}
	for _, pair := range [][2]string{{"build-2", "build-10"}, {"Build-2", "build-10"}, {"build-2", "build-2a"}, {"a-99999999999999999999", "a-100000000000000000000"}} {
		if answer.Natural(pair[0], pair[1]) >= 0 {
			t.Errorf("%q does not come before %q", pair[0], pair[1])
		}
	}
}

// TestImports checks that the package links no driver, no command line and no detection.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range strings.Fields(string(out)) {
		for _, wrong := range []string{"jackc/pgx", "modernc.org", "alecthomas/kong", "dockertest", "attune/cmd", "attune/runtime/detect", "attune/runtime/host", "attune/runtime/service", "attune/schema/database", "attune/fixtures"} {
			if strings.Contains(dependency, wrong) {
				t.Errorf("answer imports %s", dependency)
			}
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s ago", 59 * time.Second: "59s ago", time.Minute: "1m0s ago", 65 * time.Minute: "1h5m ago", 49 * time.Hour: "2d1h ago",
	} {
		if got := answer.Ago(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
