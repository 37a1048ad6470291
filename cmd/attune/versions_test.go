package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestVersionsMatch(t *testing.T) {
	t.Parallel()
	isolated(t)
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
		{"<3 3.0.0-rc1", 3, []string{"3.0.0-rc1 is not <3 (3 begins with the pre-releases of 3.0.0; <3.0.0 includes them if pre-releases count)"}},
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
