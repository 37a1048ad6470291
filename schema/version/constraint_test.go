package version_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/version"
)

// TestConstraint has, for each constraint, versions that satisfy it and, after
// "not", versions that do not; after "pre", pre-releases that satisfy it only
// where they are asked for.
func TestConstraint(t *testing.T) {
	tests := []struct{ constraint, spelled, versions string }{
		{"*", "*", "0 3.12.1 17.0.4.1 pre 3.13.0-rc1"},
		{"=*", "*", "1 pre 1-rc1"},
		{"3.12", "3.12", "3.12 3.12.0 3.12.99 3.12.1.1 not 3.11.9 3.13 3.13-rc1 31.2 pre 3.12.0-a1 3.12.4-rc1"},
		{"v3.12", "3.12", "3.12.1 not 3.13"},
		{"3", "3", "3.0 3.99 not 2.9 4 4-rc1 30 pre 3-rc1"},
		{"3.12.4", "3.12.4", "3.12.4 3.12.4.0 not 3.12.4.1 3.12.5 3.12.4-rc1"},
		{"17.0.4.1", "17.0.4.1", "17.0.4.1 not 17.0.4 17.0.4.1.1"},
		{"3.12.*", "3.12.*", "3.12.0 3.12.9 not 3.13 pre 3.12-rc1"},
		{"3.*", "3.*", "3.0 3.12 not 4 2.7"},
		{"17.0.4.*", "17.0.4.*", "17.0.4 17.0.4.1 not 17.0.5 17.0.3.9 17.0.5-rc1 pre 17.0.4-ea"},
		{"17.0.4.0.*", "17.0.4.0.*", "17.0.4 17.0.4.0.1 not 17.0.4.1 17.0.5"},

		{"=3.12", "3.12", "3.12.7 not 3.13 3.11"},
		{"!=3.12", "!=3.12", "3.11.9 3.13.0 not 3.12.0 3.12.9 3.12.1-rc1 pre 3.13.0-rc1"},
		{"!=3.12.4", "!=3.12.4", "3.12.3 3.12.4.1 not 3.12.4 pre 3.12.4-rc1"},
		{"!=3.12.*", "!=3.12.*", "3.11 3.13 not 3.12.5"},
		{">3.12", ">3.12", "3.13 4 not 3.12.0 3.12.99 3.11 3.12.5-rc1 pre 3.13-rc1"},
		{">3", ">3", "4 not 3.99 3"},
		{">3.12.0", ">3.12.0", "3.12.0.1 3.12.1 not 3.12 3.12.0-rc1 pre 3.12.1-rc1"},
		{">=3.12", ">=3.12", "3.12 3.12.1 4 not 3.11.9 3.11.9-rc1 pre 3.12-rc1"},
		{">=3.12.0", ">=3.12.0", "3.12 3.13 not 3.12.0-rc1"},
		{"<3.12", "<3.12", "3.11.99 2 not 3.12 3.12.1 3.12-rc1 pre 3.11.5-rc1"},
		{"<3.12.0", "<3.12.0", "3.11.99 not 3.12 pre 3.12-rc1"},
		{"<=3.12", "<=3.12", "3.12.0 3.12.99 3 not 3.13 3.13-rc1 pre 3.12.4-rc1"},
		{"<=3.12.4", "<=3.12.4", "3.12.4 not 3.12.4.1 3.12.5 pre 3.12.4-rc1"},
		{"<=17.0.4.*", "<=17.0.4.*", "17.0.4.1 not 17.0.5"},

		{"~3.12", "~3.12", "3.12.0 3.12.9 not 3.13 3.11 3.13-rc1"},
		{"~3.12.4", "~3.12.4", "3.12.4 3.12.9 not 3.12.3 3.13"},
		{"~3", "~3", "3.0 3.9 not 4 4-rc1"},
		{"~1.2.3.4", "~1.2.3.4", "1.2.3.4 1.2.9 not 1.2.3.3 1.3"},
		{"^3.12", "^3.12", "3.12 3.99 not 4 3.11 4-rc1"},
		{"^0.3", "^0.3", "0.3.0 0.3.9 not 0.4 0.2"},
		{"^0.3.1", "^0.3.1", "0.3.1 not 0.3.0 0.4"},
		{"^0.0.3", "^0.0.3", "0.0.3 0.0.3.7 not 0.0.4 0.0.2"},
		{"^0.0", "^0.0", "0.0.9 not 0.1"},
		{"^0", "^0", "0.9 not 1"},
		{"^0.0.0", "^0.0.0", "0.0.0 0.0.0.5 not 0.0.1"},
		{"^1.*", "^1.*", "1 1.9 not 2"},
		{"^9.99", "^9.99", "9.100 not 10"},
		{"^99", "^99", "99.9 not 100 100-rc1"},

		{"1.2 - 1.4", "1.2 - 1.4", "1.2 1.3 1.4.9 not 1.1.9 1.5 1.5-rc1 pre 1.2-rc1"},
		{"1.2.3 - 1.4.5", "1.2.3 - 1.4.5", "1.2.3 1.4.5 not 1.2.2 1.4.6"},
		{"1.2.* - 1.4.*", "1.2.* - 1.4.*", "1.2.0 1.4.9 not 1.5"},
		{"1.4 - 1.2", "1.4 - 1.2", "not 1.2 1.3 1.4"},

		{">=3.11,<4", ">=3.11,<4", "3.11 3.99 not 3.10 4 4-rc1"},
		{">=3.11 <4", ">=3.11,<4", "3.11 not 4"},
		{" >= 3.11 , < 4\n", ">=3.11,<4", "3.11 not 4"},
		{">=3.11, <4 !=3.12", ">=3.11,<4,!=3.12", "3.11 3.13 not 3.12.1 4"},
		{"1.2 - 1.4,!=1.3", "1.2 - 1.4,!=1.3", "1.2 1.4 not 1.3"},
		{"2.7 || >=3.9", "2.7 || >=3.9", "2.7.18 3.9 not 3.8"},
		{"2.7||3.9||3.11", "2.7 || 3.9 || 3.11", "2.7.1 3.9.1 3.11.1 not 3.10"},
		{">4,<3", ">4,<3", "not 1 3 3.5 4 5"},
		{"<0", "<0", "not 0 0-rc1"},

		// Pre-releases that the constraint names.
		{">=3.13.0-rc1", ">=3.13.0-rc1", "3.13.0-rc1 3.13.0-rc2 3.13.0 3.14 not 3.13.0-b9 3.12 pre 3.14.0-rc1 3.13.1-rc1"},
		{">=3.13rc1,<3.14", ">=3.13-rc1,<3.14", "3.13.0-rc1 3.13.7 not 3.14.0-rc1 3.14 pre 3.13.1-rc1"},
		{"3.13.0rc1", "3.13.0-rc1", "3.13.0-rc1 3.13.0-RC01 not 3.13.0-rc2 3.13.0"},
		{"<3.13.0-rc2", "<3.13.0-rc2", "3.12 3.13.0-rc1 not 3.13.0 3.13.0-rc2 pre 3.12.0-rc1"},
		{">3.13.0-rc2", ">3.13.0-rc2", "3.13.0-rc2.1 3.13.0-rc10 3.13.0 not 3.13.0-rc2 3.13.0-rc1"},
		{"^3.13.0-rc1", "^3.13.0-rc1", "3.13.0-rc1 3.99 not 4-rc1 pre 3.14-rc1"},
		{"~3.13.0-rc1", "~3.13.0-rc1", "3.13.0-rc1 3.13.9 not 3.14"},
		{"3.12-rc1 - 3.13-rc1", "3.12-rc1 - 3.13-rc1", "3.12-rc1 3.12.5 3.13-rc1 not 3.13-rc2 3.13.0 3.12-a1 pre 3.12.5-rc1"},
		{">=3.13,!=3.13.0-rc1", ">=3.13,!=3.13.0-rc1", "3.13 not 3.13.0-rc1 pre 3.13.0-rc2"},
		{">=3.13.0-rc1,!=3.13.0-rc2", ">=3.13.0-rc1,!=3.13.0-rc2", "3.13.0-rc1 3.13.0-rc3 not 3.13.0-rc2"},
		{">=3.13.0-rc1 || >=3.11", ">=3.13.0-rc1 || >=3.11", "3.11 3.13.0-rc2 not 3.10 pre 3.12-rc1"},
		{">=1.8.0_192", ">=8.0.192", "8.0.192 not 8.0.191"},
	}
	for _, tt := range tests {
		t.Run(tt.constraint, func(t *testing.T) {
			c, err := version.ParseConstraint(tt.constraint)
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != tt.spelled {
				t.Errorf("spelled %q, want %q", c, tt.spelled)
			}
			sameAgain(t, c)
			without, with := true, true
			for _, word := range strings.Fields(tt.versions) {
				switch word {
				case "not":
					without, with = false, false
					continue
				case "pre":
					without, with = false, true
					continue
				}
				v := parse(t, word)
				if got := c.Match(v, false); got != without {
					t.Errorf("%s: Match = %v, want %v", word, got, without)
				}
				if got := c.Match(v, true); got != with {
					t.Errorf("%s with pre-releases: Match = %v, want %v", word, got, with)
				}
			}
		})
	}
}

func TestParseConstraintRefuses(t *testing.T) {
	tests := []struct{ constraint, want string }{
		{"", `position 1: a version is missing; * is every version`},
		{"  ", `position 3: a version is missing; * is every version`},
		{">=", `position 3: a version is missing; * is every version`},
		{">=3.12,", `position 8: a version is missing; * is every version`},
		{">=3.12,,<4", `position 8: a version is missing; * is every version`},
		{",3", `position 1: a version is missing; * is every version`},
		{"3 ||", `position 5: a version is missing; * is every version`},
		{"|| 3", `position 1: a version is missing; * is every version`},
		{"3 | 4", `position 3: unexpected "| 4"`},
		{"==3.12", `position 1: unknown operator ==; write =`},
		{"3 ~>3.12", `position 3: unknown operator ~>; ~1.2 is >=1.2,<1.3 and ^1.2 is >=1.2,<2`},
		{"=>3.12", `position 1: unknown operator =>; write >=`},
		{"!3.12", `position 1: unknown operator !; write !=`},
		{"><3", `position 1: unknown operator ><`},
		{">=*", `position 1: >= needs a version; * alone is every version`},
		{"!=*", `position 1: != needs a version; * alone is every version`},
		{"~*", `position 1: ~ needs a version; * alone is every version`},
		{"latest", `position 1: a version must begin with a number, got "latest"`},
		{">=3.12 && <4", `position 8: a version must begin with a number, got "&&"; a comma or a blank is and: >=3.12,<4`},
		{">=3.12&&<4", `position 7: unexpected "&&<4"; a comma or a blank is and: >=3.12,<4`},
		{">=3.12 and <4", `position 8: a version must begin with a number, got "and"; a comma or a blank is and: >=3.12,<4`},
		{"3.11 OR 3.12", `position 6: a version must begin with a number, got "OR"; || is or`},
		{">= latest", `position 4: a version must begin with a number, got "latest"`},
		{">=3.12<4", `position 7: unexpected "<4"`},
		{"3.12.x", `position 5: unexpected ".x"; write .*`},
		{"3.*.1", `position 4: unexpected ".1"`},
		{"**", `position 2: unexpected "*"`},
		{"3.12.*-rc1", `position 7: unexpected "-rc1"`},
		{"3.12-rc1.*", `position 9: unexpected ".*"`},
		{"1.2-1.4", `position 4: unexpected "-1.4"; a range has blanks around the hyphen, "1.2 - 1.4", and a distribution's suffix is left out`},
		{"1.2 -1.4", `position 5: a version must begin with a number, got "-1.4"`},
		{">=1.2 - 1.4", `position 1: a range such as "1.2 - 1.4" takes no operator`},
		{"1.2 - >1.4", `position 7: a version must begin with a number, got ">1.4"`},
		{"1.2 - ", `position 7: a version is missing; * is every version`},
		{"3.1.2p20", `position 6: unexpected "p20"`},
		{"1.2.3+build", `position 6: unexpected "+build"`},
		{"3" + strings.Repeat("x", 99), `position 2: unexpected "` + strings.Repeat("x", 32) + `…"`},
		{"3.1O", `position 4: unexpected "O"`},
		{"3\x00", `position 2: unexpected "\x00"`},
	}
	for _, tt := range tests {
		c, err := version.ParseConstraint(tt.constraint)
		if err == nil {
			t.Errorf("%q was read as %q", tt.constraint, c)
			continue
		}
		if got := err.Error(); !strings.HasSuffix(got, ": "+tt.want) || !strings.HasPrefix(got, "constraint \"") {
			t.Errorf("%q: got %s, want …: %s", tt.constraint, got, tt.want)
		}
	}
	for _, long := range []string{strings.Repeat("3,", 600) + "3", ">=" + strings.Repeat("1", 300)} {
		if _, err := version.ParseConstraint(long); err == nil {
			t.Errorf("%d bytes were read", len(long))
		}
	}
}

func TestZeroConstraintMatchesNothing(t *testing.T) {
	var c version.Constraint
	if c.Match(parse(t, "1"), true) || c.Match(version.Version{}, true) || len(c.Ranges(true)) > 0 {
		t.Error("the zero constraint is satisfied")
	}
	if any := constraint(t, "*"); any.Match(version.Version{}, true) {
		t.Error("no version satisfies a constraint")
	}
}

// TestRanges fixes what a database is asked.
func TestRanges(t *testing.T) {
	type ranges = []version.Range
	tests := []struct {
		constraint  string
		prereleases bool
		want        ranges
	}{
		{"*", false, ranges{{ReleasesOnly: true}}},
		{"*", true, ranges{{}}},
		{">=3.11,<4", false, ranges{{"A3B11A0-", "A4A0A0-", true}}},
		{">=3.11,<4", true, ranges{{"A3B11A0-", "A4A0A0-", false}}},
		{"3.12.4", false, ranges{{"A3B12A4.", "A3B12A4.!", true}}},
		{"!=3.12", true, ranges{{"", "A3B12A0-", false}, {"A3B13A0-", "", false}}},
		{">=3.13.0-rc1", false, ranges{{"A3B13A0-rcA1", "", true}, {"A3B13A0-rcA1", "A3B13A0.", false}}},
		{"3.12 || 3.11 || 3.13", true, ranges{{"A3B11A0-", "A3B14A0-", false}}},
		{"<2 || *", true, ranges{{}}},
		{">4,<3", false, nil},
		{"3.8 || 3.18", true, ranges{{"A3A8A0-", "A3A9A0-", false}, {"A3B18A0-", "A3B19A0-", false}}},
		{"3.9 || 3.19 || 3.99", true, ranges{{"A3A9A0-", "A3B10A0-", false}, {"A3B19A0-", "A3B20A0-", false}, {"A3B99A0-", "A3C100A0-", false}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, constraint(t, tt.constraint).Ranges(tt.prereleases)); diff != "" {
			t.Errorf("%s, pre-releases %v (-want +got):\n%s", tt.constraint, tt.prereleases, diff)
		}
	}
}

func constraint(t testing.TB, text string) version.Constraint {
	t.Helper()
	c, err := version.ParseConstraint(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sameAgain fails unless c's text is read as c.
func sameAgain(t testing.TB, c version.Constraint) {
	t.Helper()
	again := constraint(t, c.String())
	if again.String() != c.String() ||
		!cmp.Equal(again.Ranges(false), c.Ranges(false)) || !cmp.Equal(again.Ranges(true), c.Ranges(true)) {
		t.Errorf("%q is read as %q with other ranges", c, again)
	}
}
