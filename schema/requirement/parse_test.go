package requirement_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/requirement"
)

// canonicalForms holds requirements with their canonical form.
var canonicalForms = []struct{ name, text, canonical string }{
	{"empty", `{}`, `{}`},
	{"null", `null`, `{}`},
	{"nulls", `{"role": null, "runtimes": null, "selector": null, "affinity": null, "tolerations": null, "slots": null}`, `{}`},
	{"defaults", `{"prereleases": false, "verified": false, "runtimes": {}, "selector": {}, "affinity": {}, "tolerations": [], "slots": 1}`, `{}`},
	{"empty lists of affinity", `{"affinity": {"required": [], "anti_affinity": [], "preferred": []}}`, `{}`},
	{
		"all", `{"role": "worker", "runtimes": {"python": ">=3.11,<4", "node": "*"}, "prereleases": true, "verified": true,
		"selector": {"zone": "a", "disk": "ssd"},
		"affinity": {"required": [{"match_labels": {"gpu": "a100"}}],
			"anti_affinity": [{"match_expressions": [{"key": "spot", "operator": "exists"}]}],
			"preferred": [{"weight": 50, "term": {"match_labels": {"zone": "b"}}}]},
		"tolerations": [{"key": "gpu", "operator": "exists"}], "slots": 2}`,
		`{"affinity":{"anti_affinity":[{"match_expressions":[{"key":"spot","operator":"exists"}]}],` +
			`"preferred":[{"term":{"match_labels":{"zone":"b"}},"weight":50}],"required":[{"match_labels":{"gpu":"a100"}}]},` +
			`"prereleases":true,"role":"worker","runtimes":{"python":">=3.11,<4","node":"*"},"selector":{"disk":"ssd","zone":"a"},` +
			`"slots":2,"tolerations":[{"key":"gpu","operator":"exists"}],"verified":true}`,
	},
	{"any version", `{"runtimes": {"a": "*", "b": "", "c": null, "d": " ", "e": "=*"}}`, `{"runtimes":{"a":"*","b":"*","c":"*","d":"*","e":"*"}}`},
	{"the first runtime stays", `{"runtimes": {"ruby": "*", "perl": "*", "go": "*"}}`, `{"runtimes":{"ruby":"*","go":"*","perl":"*"}}`},
	{"names and constraints in one spelling", `{"runtimes": {" Node.js ": ">= 18 , <21"}}`, `{"runtimes":{"node.js":">=18,<21"}}`},
	{"a bare version", `{"runtimes": {"python": "3.12"}}`, `{"runtimes":{"python":"3.12"}}`},
	{"default operator of a toleration", `{"tolerations": [{"key": "a", "operator": "equal", "value": "1"}]}`, `{"tolerations":[{"key":"a","value":"1"}]}`},
	{
		"order without a meaning", `{"tolerations": [{"key": "b"}, {"key": "a"}, {"key": "b", "operator": "equal"}],
		"affinity": {"required": [
			{"match_expressions": [{"key": "y", "operator": "in", "values": ["2", "1", "2"]}, {"key": "x", "operator": "exists"}]},
			{"match_expressions": [{"key": "x", "operator": "exists"}, {"key": "y", "operator": "in", "values": ["1", "2"]}]},
			{"match_labels": {"b": "1", "a": "2"}}]}}`,
		`{"affinity":{"required":[{"match_expressions":[{"key":"x","operator":"exists"},{"key":"y","operator":"in","values":["1","2"]}]},` +
			`{"match_labels":{"a":"2","b":"1"}}]},"tolerations":[{"key":"a"},{"key":"b"}]}`,
	},
	{"equal preferences add up", `{"affinity": {"preferred": [{"weight": 5, "term": {"match_labels": {"a": "1"}}}, {"weight": 5, "term": {"match_labels": {"a": "1"}}}]}}`,
		`{"affinity":{"preferred":[{"term":{"match_labels":{"a":"1"}},"weight":5},{"term":{"match_labels":{"a":"1"}},"weight":5}]}}`},
	{"any text in a label", `{"selector": {"it's \"100%\"/a~b=\\": "' OR 1=1 --"}}`, `{"selector":{"it's \"100%\"/a~b=\\":"' OR 1=1 --"}}`},
	{"an empty value", `{"selector": {"zone": ""}}`, `{"selector":{"zone":""}}`},
}

func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	for _, c := range canonicalForms {
		r, err := requirement.Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := r.MarshalJSON()
		if err != nil || string(got) != c.canonical {
			t.Errorf("%s:\ngot  %s (%v)\nwant %s", c.name, got, err, c.canonical)
			continue
		}
		again, err := requirement.Parse(got)
		if err != nil || again.Digest() != r.Digest() || again.Start() != r.Start() || r.Start() < 0 {
			t.Errorf("%s: the canonical form is read as %+v (%v)", c.name, again, err)
		}
	}
}

// TestDigest checks that each part of a requirement changes its digest.
func TestDigest(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, text := range []string{
		`{}`, `{"role": "worker"}`, `{"role": "sensor"}`, `{"role": "hybrid"}`, `{"runtimes": {"a": "*"}}`, `{"runtimes": {"a": "1"}}`,
		`{"runtimes": {"a": "*", "b": "*"}}`, `{"runtimes": {"b": "*", "a": "*"}}`, `{"prereleases": true}`, `{"verified": true}`,
		`{"selector": {"a": "1"}}`, `{"selector": {"a": "2"}}`, `{"selector": {"b": "1"}}`, `{"slots": 2}`,
		`{"tolerations": [{"key": "a"}]}`, `{"tolerations": [{"key": "a", "value": "1"}]}`, `{"tolerations": [{"key": "a", "operator": "exists"}]}`,
		`{"tolerations": [{"key": "a", "effect": "no_schedule"}]}`, `{"affinity": {"required": [{"match_labels": {"a": "1"}}]}}`,
		`{"affinity": {"anti_affinity": [{"match_labels": {"a": "1"}}]}}`,
		`{"affinity": {"preferred": [{"weight": 1, "term": {"match_labels": {"a": "1"}}}]}}`,
		`{"affinity": {"preferred": [{"weight": 2, "term": {"match_labels": {"a": "1"}}}]}}`,
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "exists"}]}]}}`,
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "does_not_exist"}]}]}}`,
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "in", "values": ["1"]}]}]}}`,
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "not_in", "values": ["1"]}]}]}}`,
	} {
		r, err := requirement.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if other, ok := seen[r.Digest()]; ok {
			t.Errorf("%s and %s have one digest", text, other)
		}
		seen[r.Digest()] = text
	}
}

// A digest is kept beside stored requirements, so it must not change between releases.
func TestDigestIsStable(t *testing.T) {
	t.Parallel()
	r, err := requirement.Parse([]byte(`{"role": "worker", "runtimes": {"python": ">=3.11"}, "selector": {"zone": "a"}}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "b680"
	if got := r.Digest(); len(got) != 64 || got[:4] != want {
		t.Errorf("got %s, want one that begins with %s", got, want)
	}
}

// wrongRequirements holds requirements with all their faults.
var wrongRequirements = []struct {
	text   string
	faults []string
}{
	{`[]`, []string{`must be an object, got a list`}},
	{`{`, []string{`not JSON: unexpected EOF (byte 1)`}},
	{`{"role": "action"}`, []string{`/role: must be worker, sensor or hybrid, got "action"`}},
	{`{"role": 1}`, []string{`/role: must be text, got a number`}},
	{`{"rol": "worker", "xyz": 1}`, []string{
		`/rol: unknown key; did you mean role?`,
		`/xyz: unknown key; known are role, runtimes, prereleases, verified, selector, affinity, tolerations, slots`,
	}},
	{`{"role": "worker", "role": "sensor"}`, []string{`/role: duplicate key`}},
	{`{"runtimes": {"python": ">=x"}}`, []string{`/runtimes/python: constraint ">=x": position 3: a version must begin with a number, got "x"`}},
	{`{"runtimes": {"python": 3.12, "go": [], "": "1", "a\u0001": "*"}}`, []string{
		`/runtimes/python: must be text, got a number`, `/runtimes/go: must be text, got a list`,
		`/runtimes/: must name a runtime, such as python`, `/runtimes/a` + "\x01" + `: must not contain control characters, got "a\x01"`,
	}},
	{`{"runtimes": {"python": "*", "Python": "*"}}`, []string{`/runtimes/Python: duplicate "python"`}},
	{`{"runtimes": {"python": "*", "python": "*"}}`, []string{`/runtimes/python: duplicate key`}},
	{`{"runtimes": ["python"]}`, []string{`/runtimes: must be an object, got a list`}},
	{`{"selector": {"zone": "a", "zone": "b"}}`, []string{`/selector/zone: duplicate key`}},
	{`{"selector": {"": "a", "n": 1, "b": true}}`, []string{
		`/selector/n: must be text, got a number`, `/selector/b: must be text, got true or false`, `/selector/: must name a label`,
	}},
	{`{"selector": {"` + strings.Repeat("k", 10_000) + `": "a"}}`, []string{
		`/selector/` + strings.Repeat("k", 120) + `…: must have at most 1024 characters, got 10000`,
	}},
	{`{"selector": {"a/b~c": "` + strings.Repeat("%", 1025) + `"}}`, []string{`/selector/a~1b~0c: must have at most 1024 characters, got 1025`}},
	{`{"slots": 0}`, []string{`/slots: must be from 1 to 10000, got 0`}},
	{`{"slots": -1}`, []string{`/slots: must be from 1 to 10000, got -1`}},
	{`{"slots": 1.5}`, []string{`/slots: must be a whole number from -2147483648 to 2147483647, got 1.5`}},
	{`{"affinity": {"preferred": [{"weight": 0, "term": {"match_labels": {"a": "1"}}}, {"weight": 101, "term": {}}, {"term": 1}]}}`, []string{
		`/affinity/preferred/2/term: must be an object, got a number`,
		`/affinity/preferred/0/weight: must be from 1 to 100, got 0`,
		`/affinity/preferred/1/weight: must be from 1 to 100, got 101`,
		`/affinity/preferred/1/term: must have match_labels or match_expressions; an empty term would match every worker`,
		`/affinity/preferred/2/weight: must be from 1 to 100, got 0`,
	}},
	{`{"affinity": {"required": [null, {"match_expressions": [{"key": "", "operator": "In", "values": ["a"]},
		{"key": "a", "operator": "in"}, {"key": "a", "operator": "exists", "values": ["b"]}, {"key": "a", "operator": "gt", "values": []}]}]}}`, []string{
		`/affinity/required/0: must be an object, got null`,
		`/affinity/required/1/match_expressions/0/key: must name a label`,
		`/affinity/required/1/match_expressions/0/operator: must be in, not_in, exists or does_not_exist, got "In"`,
		`/affinity/required/1/match_expressions/0/values: must be left out: only in and not_in compare values`,
		`/affinity/required/1/match_expressions/1/values: must have a value with the operator in`,
		`/affinity/required/1/match_expressions/2/values: must be left out: only in and not_in compare values`,
		`/affinity/required/1/match_expressions/3/operator: must be in, not_in, exists or does_not_exist, got "gt"`,
	}},
	{`{"tolerations": [{}, {"key": "a", "operator": "exists", "value": "1"}, {"key": "a", "operator": "in", "effect": "no_execute"}]}`, []string{
		`/tolerations/0/key: must name the key of a taint`,
		`/tolerations/1/value: must be left out with the operator exists, which accepts every value`,
		`/tolerations/2/operator: must be equal or exists, got "in"`,
		`/tolerations/2/effect: must be no_schedule or prefer_no_schedule, got "no_execute"`,
	}},
	{`{"tolerations": [` + strings.Repeat(`{"key": "a"},`, 64) + `{"key": "a"}]}`, []string{`/tolerations: must have at most 64 elements, got 65`}},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range wrongRequirements {
		_, err := requirement.Parse([]byte(c.text))
		var faults document.Faults
		if !errors.As(err, &faults) {
			t.Errorf("%.80s: %v", c.text, err)
			continue
		}
		var got []string
		for _, f := range faults {
			got = append(got, f.Error())
		}
		if !slices.Equal(got, c.faults) {
			t.Errorf("%.80s:\ngot  %s\nwant %s", c.text, strings.Join(got, "\n     "), strings.Join(c.faults, "\n     "))
		}
	}
}

// A text that is too large is refused before it is read.
func TestTooLarge(t *testing.T) {
	text := []byte(`{"selector": {"` + strings.Repeat("k", 1<<20) + `": "a"}}`)
	_, err := requirement.Parse(text)
	if want := fmt.Sprintf("a requirement must have at most 65536 bytes, got %d", len(text)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = requirement.Parse(text) }); n > 10 {
		t.Errorf("refusing it takes %v allocations", n)
	}
}

// A document with thousands of faults is read in little time, and a hundred faults are listed.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, element, after string }{
		{`{`, `"k%d":1`, `}`},
		{`{"selector": {`, `"k%d":1`, `}}`},
		{`{"selector": {`, `"\u0001%d":""`, `}}`},
		{`{"runtimes": {`, `"k%d":">"`, `}}`},
		{`{"affinity": {"required": [{"match_labels": {`, `"k%d":[]`, `}}]}}`},
		{`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "in", "values": [`, `%d`, `]}]}]}}`},
		{`{"tolerations": [`, `{"k%d": 1}`, `]}`},
	} {
		text := []byte(c.before)
		for i := 0; len(text) < requirement.MaxSize-100; i++ {
			text = fmt.Appendf(text, c.element+",", i)
		}
		text = append(text[:len(text)-1], c.after...)
		begin := time.Now()
		_, err := requirement.Parse(text)
		took := time.Since(begin)
		var faults document.Faults
		if !errors.As(err, &faults) || len(faults) > 101 {
			t.Errorf("%s%s: got %d faults", c.before, c.element, len(faults))
		}
		if took > 2*time.Second {
			t.Errorf("%s%s: took %v", c.before, c.element, took)
		}
	}
}

// MarshalJSON refuses what Parse refuses.
func TestMarshalFaults(t *testing.T) {
	t.Parallel()
	for _, r := range []requirement.Requirement{
		{Role: "action"},
		{Runtimes: []requirement.Runtime{{Name: ""}}},
		{Runtimes: []requirement.Runtime{{Name: "a"}, {Name: "A"}}},
		{Selector: map[string]string{"a": "\xff"}},
		{Tolerations: []requirement.Toleration{{}}},
		{Affinity: requirement.Affinity{Required: []requirement.Term{{}}}},
		{Slots: 10_001},
	} {
		if text, err := r.MarshalJSON(); err == nil {
			t.Errorf("%+v was written as %s", r, text)
		}
	}
}
