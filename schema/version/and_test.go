package version_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

// And matches what both match. Only pre-releases may match more: one that a side names satisfies
// the whole.
func TestAnd(t *testing.T) {
	t.Parallel()
	texts := []string{"*", "3.12", ">=3.11,<4", "!=3.12.1", "1.2 - 3.12.1 || >3.13", "<3 || ~3.12 || 4.*", ">=3.13.0-rc1", ">4,<3"}
	for _, a := range texts {
		for _, b := range texts {
			x, _ := version.ParseConstraint(a)
			y, _ := version.ParseConstraint(b)
			both, err := x.And(y)
			if err != nil {
				t.Fatalf("%s and %s: %v", a, b, err)
			}
			for _, text := range []string{"1.2.0", "2.7.18", "3.0.0", "3.11.4", "3.12.0", "3.12.1", "3.13.0-rc1", "3.13.0", "3.14.0-rc1", "4.1.0"} {
				v, _ := version.Parse(text)
				if want := x.Match(v, true) && y.Match(v, true); both.Match(v, true) != want {
					t.Errorf("%s and %s are %s, and match %s: %v", a, b, both, v, !want)
				}
				if !v.IsPrerelease() && both.Match(v, false) != (x.Match(v, false) && y.Match(v, false)) {
					t.Errorf("%s and %s are %s, and differ for %s", a, b, both, v)
				}
			}
			if again, err := version.ParseConstraint(both.String()); err != nil || again.String() != both.String() {
				t.Errorf("%s is read as %s (%v)", both, again, err)
			}
		}
	}
	long, err := version.ParseConstraint(strings.Repeat("1.2 || ", 30) + "1.3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := long.And(long); err == nil {
		t.Error("a result of more than 1024 bytes was accepted")
	}
}
