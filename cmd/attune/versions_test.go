package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

func TestVersionsMatch(t *testing.T) {
	isolate(t)
	for _, c := range []struct {
		args   string
		status int
		say    []string
	}{
		{">=3.12,<4 3.12 v3.13.1", 0, []string{"3.12.0", "3.13.1", "yes"}},
		{">=3.12,<4 3.12 3.11.7", 3, []string{"3.11.7 is not >=3.12"}},
		{">=3.12,<4 4.1", 3, []string{"4.1.0 is not <4"}},
		{">=3.12,<3.11 3.11.5", 3, []string{"3.11.5 is not >=3.12 nor <3.11"}},
		{"~3.12||2.7.18 3.11", 3, []string{"3.11.0 is not ~3.12; 3.11.0 is not 2.7.18"}},
		{"!=3.12 3.12.4", 3, []string{"3.12.4 is not !=3.12"}},
		{">=3.12 3.13.0rc1", 3, []string{"3.13.0-rc1", "a pre-release, and the constraint names none of 3.13.0", "--prereleases"}},
		{"--prereleases >=3.12 3.13.0rc1", 0, []string{"yes"}},
		{">=3.13.0-rc1 3.13.0rc2", 0, []string{"yes"}},
		{"<3 3.0.0-rc1", 3, []string{"3.0.0-rc1 is not <3 (3 begins with the pre-releases of 3.0.0; <3.0.0 includes them with --prereleases)"}},
		{"--prereleases <3 3.0.0-rc1 3.1.0-rc1", 3, []string{"(3 begins with", "3.1.0-rc1 is not <3\n"}},
		{"--prereleases <3.0.0 3.0.0-rc1", 0, nil},
		{">=8 1.8.0_392", 0, []string{"8.0.392"}},
		{">=3.x 3", 2, []string{"constraint", ">=3.x"}},
		{">=3 junk", 2, []string{"version", "junk"}},
		{">=3", 2, []string{"version"}},
	} {
		want(t, run(t, append([]string{"versions", "match"}, strings.Fields(c.args)...)...), c.status, c.say...)
	}
	want(t, run(t, "versions", "match", "1.2 - 1.4", "1.5"), 3, "1.5.0 is not 1.2 - 1.4")
	want(t, run(t, "versions", "match", "--help"), 0, "Exit status: 0 every version", "3 a version does not satisfy it")

	got := run(t, "versions", "match", "--json", "^1.4", "1.9", "2.0")
	want(t, got, 3)
	var doc struct {
		Constraint string
		Match      bool
		Versions   []verdict
	}
	if err := json.Unmarshal([]byte(got.out), &doc); err != nil || doc.Constraint != "^1.4" || doc.Match || len(doc.Versions) != 2 ||
		!doc.Versions[0].Match || doc.Versions[0].Version != "1.9.0" || len(doc.Versions[1].Reasons) != 1 {
		t.Errorf("--json: %v, %+v in\n%s", err, doc, got.out)
	}
}

// TestWhyNotIsTrue: whatever is given as a reason is one, and there is always
// one for each alternative.
func TestWhyNotIsTrue(t *testing.T) {
	given := 0
	for _, text := range []string{
		"*", ">=3.12,<4", ">3.12", "<=3.12", "!=3.12", "!=3.12.1,>3", "~3.12 || ^2.7", "1.2 - 3.12", "=3.12.1", "3.12.*,!=3.12.1",
		">=3.13.0-rc1,<3.13.0-rc3", "<3.13.0-rc1 || >4", ">4,<3", "!=3.13.0-rc2",
	} {
		c, err := version.ParseConstraint(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{"0.1", "2.7.18", "3.12", "3.12.1", "3.12.1-rc1", "3.13.0-rc1", "3.13.0-rc2", "3.13.0-rc3", "3.13", "4", "4.0.0-beta1", "5.1"} {
			v, err := version.Parse(said)
			if err != nil {
				t.Fatal(err)
			}
			for _, prereleases := range []bool{false, true} {
				if c.Match(v, prereleases) {
					continue
				}
				given++
				reasons := whyNot(c, v, prereleases)
				if c.Match(v, true) {
					if len(reasons) != 1 || !strings.Contains(reasons[0], "--prereleases") || prereleases {
						t.Errorf("%s and %s, %v: %q", text, said, prereleases, reasons)
					}
					continue
				}
				if len(reasons) != 1+strings.Count(c.String(), "||") {
					t.Errorf("%s and %s: %q", text, said, reasons)
				}
				for _, r := range reasons {
					_, terms, _ := strings.Cut(r, " is not ")
					for term := range strings.SplitSeq(terms, " nor ") {
						if partial, why, said := strings.Cut(term, " ("); said {
							term = partial
							if !v.IsPrerelease() || !strings.Contains(why, "<"+release(v)+" takes them in") {
								t.Errorf("%s and %s: %q", text, v, r)
							}
						}
						if one, err := version.ParseConstraint(term); err != nil || strings.Contains(term, ",") || one.Match(v, true) {
							t.Errorf("%s and %s: the term %q satisfies the version or does not parse (%v)", text, said, r, err)
						}
					}
				}
			}
		}
	}
	if given < 100 {
		t.Errorf("only %d pairs did not match", given)
	}
}
