package version_test

import (
	"math"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	satisfied := version.Distance{Depth: math.MaxInt}
	for _, c := range []struct {
		version, constraint string
		want                version.Distance
	}{
		{"3.11.4", ">=3.14", version.Distance{Depth: 2, By: 3}},
		{"2.7.18", ">=3.14", version.Distance{Depth: 1, By: 1}},
		{"3.14.0", ">=3.14.2", version.Distance{Depth: 3, By: 2}},
		{"3.14.0", ">=3.14", satisfied},
		{"3.14.0-rc1", ">=3.14", satisfied},
		{"3.14.0-rc1", ">=3.14.0", version.Distance{Depth: 4}},
		{"3.12.1", "<3.9", version.Distance{Depth: 2, By: 3}},
		{"3.12.1", "~3.8 || ~3.14", version.Distance{Depth: 2, By: 2}},
		{"3.12.1", "!=3.12.1", version.Distance{Depth: 4}},
		{"17.0.4.1", ">=17.0.4.3", version.Distance{Depth: 4, By: 2}},
		{"1", ">=4,<3", version.Distance{}},
		{"1." + strings.Repeat("9", 30), ">=1.2,<1.3", version.Distance{Depth: 2, By: math.MaxUint64 - 3}},
	} {
		v, err := version.Parse(c.version)
		if err != nil {
			t.Fatal(err)
		}
		constraint, err := version.ParseConstraint(c.constraint)
		if err != nil {
			t.Fatal(err)
		}
		if got := constraint.Distance(v); got != c.want {
			t.Errorf("%s to %s: got %+v, want %+v", c.version, c.constraint, got, c.want)
		}
	}
	constraint, _ := version.ParseConstraint(">=1")
	if got := constraint.Distance(version.Version{}); got != (version.Distance{}) {
		t.Errorf("an unknown version: got %+v", got)
	}
}

// The distances are ordered from satisfied to unknown.
func TestDistanceCompare(t *testing.T) {
	t.Parallel()
	constraint, _ := version.ParseConstraint(">=3.14.2")
	var last version.Distance
	for i, text := range []string{"3.14.2", "3.14.1", "3.14.0", "3.13.9", "3.10.0", "2.99.0", "1.0.0", ""} {
		var v version.Version
		if text != "" {
			v, _ = version.Parse(text)
		}
		d := constraint.Distance(v)
		if i > 0 && (last.Compare(d) != -1 || d.Compare(last) != 1) {
			t.Errorf("%q is not farther than the one before: %+v, %+v", text, last, d)
		}
		last = d
	}
}
