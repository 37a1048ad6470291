package version_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"21", "21.0.0"},
		{"3.12", "3.12.0"},
		{"3.10", "3.10.0"},
		{"3.12.1", "3.12.1"},
		{" 3.12.1\r\n", "3.12.1"},
		{"3.012.01", "3.12.1"},
		{"v1.2", "1.2.0"},
		{"V20.20.2", "20.20.2"},
		{"go1.22.1", "1.22.1"},
		// A fourth number, and further ones, unless they are zero.
		{"17.0.4.1", "17.0.4.1"},
		{"17.0.4.0", "17.0.4"},
		{"22.3.4.12.1", "22.3.4.12.1"},
		{"1.2.3.0.1", "1.2.3.0.1"},
		{"9.4.3.0", "9.4.3"},
		{"99999999999999999999999999999999.1", "99999999999999999999999999999999.1.0"},
		// Java before 9.
		{"1.8.0_192", "8.0.192"},
		{"1.8.0_05", "8.0.5"},
		{"1.4.2_19", "4.2.19"},
		{"1.8.0_392-b08", "8.0.392"},
		{"1.8.0_392-ea", "8.0.392-ea"},
		{"1.8.0_392-8u392-ga-1~deb11u1-b08", "8.0.392"},
		{"8u192", "8.0.192"},
		{"8u392-b08", "8.0.392"},
		{"1.8.0", "1.8.0"}, // nothing says that it is Java's
		// Pre-releases, however they are attached.
		{"3.13.0rc1", "3.13.0-rc1"},
		{"3.13.0a1+", "3.13.0-a1"},
		{"3.13.0b12", "3.13.0-b12"},
		{"3.13.0-a1", "3.13.0-a1"},
		{"3.13-rc1", "3.13.0-rc1"},
		{"go1.22rc1", "1.22.0-rc1"},
		{"1.26-devel_2e6387cbec", "1.26.0-devel"},
		{"8.3.0RC6", "8.3.0-rc6"},
		{"8.3.0-dev", "8.3.0-dev"},
		{"3.3.0preview1", "3.3.0-preview1"},
		{"2.4.0.rc1", "2.4.0-rc1"},
		{"1.2_rc1", "1.2.0-rc1"},
		{"22-ea", "22.0.0-ea"},
		{"22-ea+15", "22.0.0-ea"},
		{"17-internal+0-adhoc.user.jdk", "17.0.0-internal"},
		{"1.75.0-nightly", "1.75.0-nightly"},
		{"21.0.0-nightly20230801deadbeef", "21.0.0-nightly20230801deadbeef"},
		{"8.0.100-preview.7.23376.3", "8.0.100-preview.7.23376.3"},
		{"1.11.0-DEV.1234", "1.11.0-dev.1234"},
		{"1.0.0-rc.01", "1.0.0-rc.1"},
		{"1.0.0-beta-2", "1.0.0-beta-2"},
		{"1.0.0-alpha.beta", "1.0.0-alpha.beta"},
		{"1.0.0-rc.1+build.5", "1.0.0-rc.1"},
		{"1.0-SNAPSHOT", "1.0.0-snapshot"},
		{"1.2~rc1-1ubuntu1", "1.2.0-rc1"},
		{"17.0.4.1-beta", "17.0.4.1-beta"},
		// Suffixes of distributions and builders do not make a pre-release.
		{"5.2.15(1)-release", "5.2.15"},
		{"3.1.2p20", "3.1.2"},
		{"1.9.3p551", "1.9.3"},
		{"2.7.18-7ubuntu2", "2.7.18"},
		{"2.7ubuntu2", "2.7.0"},
		{"7ubuntu2", "7.0.0"},
		{"3.12.0+", "3.12.0"},
		{"18.19.0+dfsg", "18.19.0"},
		{"15.18-0+deb12u1", "15.18.0"},
		{"12.2.0-14+deb12u1", "12.2.0"},
		{"17.0.15+6-Debian-1deb12u1", "17.0.15"},
		{"21.0.1+12-LTS", "21.0.1"},
		{"3.18.4-r0", "3.18.4"},
		{"3.9-alpine", "3.9.0"},
		{"10.11.4-MariaDB", "10.11.4"},
		{"8.2.7-1+0~20230609.41+debian11~1.gbp1dd1a4", "8.2.7"},
		{"1.2-1~deb11u1", "1.2.0"},
		{"3.11.2_1", "3.11.2"},
	}
	for _, tt := range tests {
		v, err := version.Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if v.String() != tt.want {
			t.Errorf("Parse(%q) = %s, want %s", tt.text, v, tt.want)
		}
		if again, err := version.Parse(v.String()); err != nil || again != v {
			t.Errorf("Parse(%q) = %v, %v: not what %q was read as", v.String(), again, err, tt.text)
		}
		if got, want := v.IsPrerelease(), strings.Contains(tt.want, "-"); got != want {
			t.Errorf("%s: IsPrerelease = %v, want %v", v, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		text     string
		position int
	}{
		{"", 1}, {" ", 1}, {"v", 1}, {"latest", 1}, {"go", 1}, {"vv1", 1}, {"-1", 1}, {".5", 1},
		{"3.", 2}, {"3..1", 2}, {"3.l2", 2}, {"3.1O", 4}, {"3.1O2", 4}, {"3.12foo", 5}, {"3.12.x", 5}, {"3.12.*", 5},
		{"3.12 1", 5}, {"3.12-", 5}, {"3.12, 3.13", 5}, {">=3.12", 1}, {"3.12\x00", 5}, {"3.१", 2}, {"３.12", 1},
		{"3.12-rc1 ", 0}, {"3.12-é", 6},
		{strings.Repeat("1", 257), 257},
	}
	for _, tt := range tests {
		v, err := version.Parse(tt.text)
		if tt.position == 0 {
			if err != nil {
				t.Errorf("Parse(%q): %v", tt.text, err)
			}
			continue
		}
		syntax, ok := err.(*version.SyntaxError)
		if !ok || syntax.Position != tt.position || v != (version.Version{}) {
			t.Errorf("Parse(%q) = %s, %v; want an error at %d", tt.text, v, err, tt.position)
		}
	}
}

func TestSyntaxErrorSaysWhatAndWhere(t *testing.T) {
	_, err := version.Parse("3.1O")
	if got, want := err.Error(), `version "3.1O": position 4: unexpected "O"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOrder has versions in ascending order, equal ones on one line.
func TestOrder(t *testing.T) {
	lines := strings.Fields(`
		0
		0.0.0.1
		1.0.0-alpha
		1.0.0-alpha.1
		1.0.0-alpha.beta
		1.0.0-alpha-1
		1.0.0-alpha1
		1.0.0-alphabet1=1.0.0=1=1.0=v1.0.0.0=1.0.0-1ubuntu2
		1.0.0.1-rc1
		1.0.0.1
		1.0.0.1.1
		1.0.0.2
		1.0.1-rc1
		1.0.1
		1.9
		1.10
		3.13.0a1
		3.13.0a2
		3.13.0b1=3.13.0-b01
		3.13.0-beta
		3.13.0-beta.2
		3.13.0-beta.11
		3.13.0rc1=3.13.0RC1=3.13.0-rc01
		3.13.0rc2
		3.13.0rc10
		3.13.0
		9.0.0
		10.0.0
		99999999999999999999999999
		100000000000000000000000000`)
	var groups [][]version.Version
	for _, line := range lines {
		var group []version.Version
		for _, text := range strings.Split(line, "=") {
			group = append(group, parse(t, text))
		}
		groups = append(groups, group)
	}
	for i, left := range groups {
		for j, right := range groups {
			for _, v := range left {
				for _, w := range right {
					want := sign(i - j)
					if got := v.Compare(w); got != want {
						t.Errorf("%s compared with %s = %d, want %d (keys %s, %s)", v, w, got, want, v.Key(), w.Key())
					}
					if (v == w) != (want == 0) || (v.Key() == w.Key()) != (want == 0) {
						t.Errorf("%s and %s: equality of version or key is not that of order", v, w)
					}
				}
			}
		}
	}
}

func TestZeroVersionSortsFirst(t *testing.T) {
	zero := version.Version{}
	if zero.Compare(parse(t, "0-a1")) >= 0 || zero.String() != "" || zero.IsPrerelease() {
		t.Errorf("the zero version is %q, prerelease %v", zero, zero.IsPrerelease())
	}
}

// TestKey fixes the key: rows hold it, so it never changes without a migration.
func TestKey(t *testing.T) {
	for text, want := range map[string]string{
		"3.12.1":                         "A3B12A1.",
		"3.12":                           "A3B12A0.",
		"17.0.4.1":                       "B17A0A4A1.",
		"3.13.0rc1":                      "A3B13A0-rcA1",
		"8.0.100-preview.7.23376.3":      "A8A0C100-preview,A7,E23376,A3",
		"12345678901234567890123456.1.0": "Z02612345678901234567890123456A1A0.",
	} {
		if got := parse(t, text).Key(); got != want {
			t.Errorf("key of %s is %s, want %s", text, got, want)
		}
	}
}

func TestSortByCompare(t *testing.T) {
	var got []string
	versions := []version.Version{parse(t, "3.9"), parse(t, "3.13rc1"), parse(t, "3.10"), parse(t, "3.13")}
	slices.SortFunc(versions, version.Version.Compare)
	for _, v := range versions {
		got = append(got, v.String())
	}
	if want := []string{"3.9.0", "3.10.0", "3.13.0-rc1", "3.13.0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func parse(t testing.TB, text string) version.Version {
	t.Helper()
	v, err := version.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
