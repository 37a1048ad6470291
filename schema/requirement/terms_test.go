package requirement_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/requirement"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		terms     requirement.Terms
		canonical string
	}{
		{"none", requirement.Terms{}, `{}`},
		{"runtimes", requirement.Terms{Runtimes: []string{"python@>=3.11, <4", "node", "Go@*"}}, `{"runtimes":{"python":">=3.11,<4","go":"*","node":"*"}}`},
		{"select", requirement.Terms{Select: []string{"zone=a", "zone=a", "path=/a=b", "empty="}}, `{"selector":{"empty":"","path":"/a=b","zone":"a"}}`},
		{"tolerate", requirement.Terms{Tolerate: []string{"gpu", "gpu=a100", "spot:prefer_no_schedule", "a:b=c:d:no_schedule", "a:b"}},
			`{"tolerations":[{"effect":"no_schedule","key":"a:b","value":"c:d"},{"effect":"prefer_no_schedule","key":"spot","operator":"exists"},` +
				`{"key":"a:b","operator":"exists"},{"key":"gpu","operator":"exists"},{"key":"gpu","value":"a100"}]}`},
		{"prefer", requirement.Terms{Prefer: []string{"zone=b", "zone=c:20", "image=repo:5:50", "at=a:b"}},
			`{"affinity":{"preferred":[{"term":{"match_labels":{"at":"a:b"}},"weight":50},{"term":{"match_labels":{"image":"repo:5"}},"weight":50},` +
				`{"term":{"match_labels":{"zone":"b"}},"weight":50},{"term":{"match_labels":{"zone":"c"}},"weight":20}]}}`},
		{"others", requirement.Terms{Role: "sensor", Prereleases: true, Verified: true, Slots: 3},
			`{"prereleases":true,"role":"sensor","slots":3,"verified":true}`},
	} {
		r, err := c.terms.Requirement()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, _ := r.MarshalJSON(); string(got) != c.canonical {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.canonical)
		}
		roundTrip(t, r)
	}
}

// roundTrip checks that the terms of a requirement are read as that requirement.
func roundTrip(t *testing.T, r requirement.Requirement) {
	t.Helper()
	terms, ok := r.Terms()
	if !ok {
		return
	}
	again, err := terms.Requirement()
	if err != nil || again.Digest() != r.Digest() {
		got, _ := again.MarshalJSON()
		t.Errorf("%+v is read as %s (%v)", terms, got, err)
	}
}

func TestTermErrors(t *testing.T) {
	t.Parallel()
	_, err := requirement.Terms{
		Runtimes: []string{"", "python@", "python>=3.11", "python@>=x", "go", "Go@1", "@1"},
		Select:   []string{"zone", "=a", "zone=a", "zone=b", "k=" + strings.Repeat("v", 2000)},
		Tolerate: []string{"", "=a", ":no_schedule", "gpu:NoSchedule"},
		Prefer:   []string{"zone", "zone=a:0", "zone=a:101", "=a"},
		Role:     "action",
		Slots:    -1,
	}.Requirement()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, err := range joined.Unwrap() {
		if term := new(requirement.TermError); errors.As(err, &term) {
			got = append(got, term.Error())
		}
	}
	want := []string{
		`runtime "": must name a runtime, such as python`,
		`runtime "python@": must have versions after the @; outside of quotes a shell redirects at > and <`,
		`runtime "python>=3.11": must have an @ between the runtime and its versions, such as "python@>=3.12"`,
		`runtime "python@>=x": constraint ">=x": position 3: a version must begin with a number, got "x"`,
		`runtime "Go@1": must name each runtime once; a comma joins constraints, such as "python@>=3.11,<4"`,
		`runtime "@1": must name a runtime, such as python`,
		`select "zone": must be KEY=VALUE`,
		`select "=a": must name a label`,
		`select "zone=b": must not contradict "zone=a": a label has one value`,
		`select "k=` + strings.Repeat("v", 58) + `…": must have at most 1024 characters, got 2000`,
		`tolerate "": must name the key of a taint`,
		`tolerate "=a": must name the key of a taint`,
		`tolerate ":no_schedule": must name the key of a taint`,
		`tolerate "gpu:NoSchedule": must end in :no_schedule to have this effect`,
		`prefer "zone": must be KEY=VALUE or KEY=VALUE:WEIGHT`,
		`prefer "zone=a:0": must be from 1 to 100, got 0`,
		`prefer "zone=a:101": must be from 1 to 100, got 101`,
		`prefer "=a": must name a label`,
		`role "action": must be worker, sensor or hybrid, got "action"`,
		`slots "-1": must be from 1 to 10000, got -1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestInexpressibleTerms(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"affinity": {"required": [{"match_labels": {"a": "1"}}]}}`,
		`{"affinity": {"anti_affinity": [{"match_labels": {"a": "1"}}]}}`,
		`{"affinity": {"preferred": [{"weight": 1, "term": {"match_labels": {"a": "1", "b": "2"}}}]}}`,
		`{"affinity": {"preferred": [{"weight": 1, "term": {"match_expressions": [{"key": "a", "operator": "exists"}]}}]}}`,
		`{"selector": {"a=b": "1"}}`,
		`{"tolerations": [{"key": "a=b"}]}`,
		`{"runtimes": {"a@b": "*"}}`,
		`{"tolerations": [{"key": "a", "value": "b:no_schedule"}]}`,
		`{"tolerations": [{"key": "a:no_schedule", "operator": "exists"}]}`,
	} {
		r, err := requirement.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if terms, ok := r.Terms(); ok {
			t.Errorf("%s: got %+v", text, terms)
		}
	}
}

func TestParseTaint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]requirement.Taint{
		"gpu":                       {Key: "gpu", Effect: requirement.NoSchedule},
		"gpu=a100":                  {Key: "gpu", Value: "a100", Effect: requirement.NoSchedule},
		"gpu:prefer_no_schedule":    {Key: "gpu", Effect: requirement.PreferNoSchedule},
		"a:b=c:d=e:no_schedule":     {Key: "a:b", Value: "c:d=e", Effect: requirement.NoSchedule},
		"gpu=a100:x":                {Key: "gpu", Value: "a100:x", Effect: requirement.NoSchedule},
		"gpu=a100:NoSchedule":       {},
		"gpu:prefer-no-schedule":    {},
		"gpu:no_scedule":            {},
		"it's 100%:no_schedule":     {Key: "it's 100%", Effect: requirement.NoSchedule},
		"":                          {},
		":no_schedule":              {},
		"a\n":                       {},
		strings.Repeat("k", 10_000): {},
	} {
		got, err := requirement.ParseTaint(text)
		if got != want || (err != nil) != (want.Key == "") {
			t.Errorf("%.40q: got %+v (%v), want %+v", text, got, err, want)
		}
		if err == nil {
			if again, err := requirement.ParseTaint(got.String()); err != nil || again != got {
				t.Errorf("%q is read as %+v (%v)", got, again, err)
			}
		}
	}
}
