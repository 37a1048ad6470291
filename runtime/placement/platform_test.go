package placement_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

// TestPlatform holds requirements as a platform's actions have them against the answers of the
// platform's own scheduler, where those are defined. The worker has Python 3.12.1 and Node.js
// 20.20.2, the label zone=a, and the taint of each case.
func TestPlatform(t *testing.T) {
	t.Parallel()
	index := metadata.NewIndex([]metadata.Definition{
		{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}},
		{Ref: "core.nodejs", Name: "Node.js", Aliases: metadata.Aliases{"node", "nodejs"}},
	})
	noSchedule := func(key, value string) *requirement.Taint {
		return &requirement.Taint{Key: key, Value: value, Effect: requirement.NoSchedule}
	}
	expression := func(operator, key, values string) string {
		return `{"match_expressions": [{"key": "` + key + `", "operator": "` + operator + `"` + values + `}]}`
	}
	required := func(term string) string { return `{"affinity": {"required": [` + term + `]}}` }
	anti := func(term string) string { return `{"affinity": {"anti_affinity": [` + term + `]}}` }
	for _, c := range []struct {
		name, requirement string
		taint             *requirement.Taint
		fits              bool
	}{
		{"an alias", `{"runtimes": {"python3": "*"}}`, nil, true},
		{"a name in any case", `{"runtimes": {"PYTHON": "", "Node.JS": "*"}}`, nil, true},
		{"a ref", `{"runtimes": {"core.nodejs": "*"}}`, nil, true},
		{"a bare version", `{"runtimes": {"python": "3.12"}}`, nil, true},
		{"a bare version of another minor", `{"runtimes": {"python": "3.1"}}`, nil, false},
		{"a bare major version", `{"runtimes": {"node": "20"}}`, nil, true},
		{"a range", `{"runtimes": {"python": ">=3.11,<4"}}`, nil, true},
		{"a range above", `{"runtimes": {"python": ">=3.13"}}`, nil, false},
		{"a tilde", `{"runtimes": {"python": "~3.12"}}`, nil, true},
		{"a caret", `{"runtimes": {"node": "^20.1"}}`, nil, true},
		{"both runtimes are needed", `{"runtimes": {"python": "3.12", "node": ">=21"}}`, nil, false},

		{"a selector", `{"selector": {"zone": "a"}}`, nil, true},
		{"a selector of another value", `{"selector": {"zone": "b"}}`, nil, false},
		{"a selector of a missing label", `{"selector": {"disk": "ssd"}}`, nil, false},
		{"all labels of a selector", `{"selector": {"zone": "a", "disk": "ssd"}}`, nil, false},
		{"no selector", `{"selector": {}}`, nil, true},

		{"a taint", `{}`, noSchedule("gpu", ""), false},
		{"a taint that prefers no work", `{}`, &requirement.Taint{Key: "gpu", Effect: requirement.PreferNoSchedule}, true},
		{"tolerated by exists", `{"tolerations": [{"key": "gpu", "operator": "exists"}]}`, noSchedule("gpu", "a100"), true},
		{"tolerated by equal", `{"tolerations": [{"key": "gpu", "operator": "equal", "value": "a100"}]}`, noSchedule("gpu", "a100"), true},
		{"another value", `{"tolerations": [{"key": "gpu", "operator": "equal", "value": "h100"}]}`, noSchedule("gpu", "a100"), false},
		{"without an operator", `{"tolerations": [{"key": "gpu", "value": "a100"}]}`, noSchedule("gpu", "a100"), true},
		{"without an operator and value", `{"tolerations": [{"key": "gpu"}]}`, noSchedule("gpu", ""), true},
		{"equal without a value", `{"tolerations": [{"key": "gpu", "operator": "equal"}]}`, noSchedule("gpu", "a100"), false},
		{"another key", `{"tolerations": [{"key": "spot", "operator": "exists"}]}`, noSchedule("gpu", ""), false},
		{"the effect", `{"tolerations": [{"key": "gpu", "operator": "exists", "effect": "no_schedule"}]}`, noSchedule("gpu", ""), true},
		{"another effect", `{"tolerations": [{"key": "gpu", "operator": "exists", "effect": "prefer_no_schedule"}]}`, noSchedule("gpu", ""), false},
		{"keys are exact", `{"tolerations": [{"key": "GPU", "operator": "exists"}]}`, noSchedule("gpu", ""), false},

		{"in", required(expression("in", "zone", `, "values": ["b", "a"]`)), nil, true},
		{"in others", required(expression("in", "zone", `, "values": ["b", "c"]`)), nil, false},
		{"in, without the label", required(expression("in", "disk", `, "values": ["ssd"]`)), nil, false},
		{"not in", required(expression("not_in", "zone", `, "values": ["b"]`)), nil, true},
		{"not in its own", required(expression("not_in", "zone", `, "values": ["a", "b"]`)), nil, false},
		{"not in, without the label", required(expression("not_in", "disk", `, "values": ["ssd"]`)), nil, true},
		{"exists", required(expression("exists", "zone", ``)), nil, true},
		{"exists, without the label", required(expression("exists", "disk", ``)), nil, false},
		{"does not exist", required(expression("does_not_exist", "zone", ``)), nil, false},
		{"does not exist, without the label", required(expression("does_not_exist", "disk", ``)), nil, true},
		{"match_labels", required(`{"match_labels": {"zone": "a"}}`), nil, true},
		{"both parts of a term", required(`{"match_labels": {"zone": "a"}, "match_expressions": [{"key": "disk", "operator": "exists"}]}`), nil, false},
		{"one of several terms", required(`{"match_labels": {"zone": "b"}}, {"match_labels": {"zone": "a"}}`), nil, true},
		{"anti-affinity", anti(`{"match_labels": {"zone": "a"}}`), nil, false},
		{"anti-affinity of another value", anti(`{"match_labels": {"zone": "b"}}`), nil, true},
		{"one of several terms of anti-affinity", anti(`{"match_labels": {"zone": "b"}}, {"match_labels": {"zone": "a"}}`), nil, false},
		{"a preference excludes nobody", `{"affinity": {"preferred": [{"weight": 100, "term": {"match_labels": {"zone": "b"}}}]}}`, nil, true},
	} {
		r, err := parse(t, c.requirement).Resolve(index)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		f := worker(t, "3.12.1")
		node := installed(t, "20.20.2")
		node.Ref = "core.nodejs"
		f.Installations = append(f.Installations, node)
		f.Labels = map[string]string{"zone": "a"}
		if c.taint != nil {
			f.Taints = []requirement.Taint{*c.taint}
		}
		v := placement.Evaluate(&r, f)
		if v.Fits() != c.fits {
			t.Errorf("%s: fits is %v, with %+v", c.name, v.Fits(), v.Reasons)
		}
	}
}

// TestStricterThanPlatform holds what a platform accepts and attune refuses, as
// docs/placement.md lists it.
func TestStricterThanPlatform(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"affinity": {"required": [{}]}}`:                                         "/affinity/required/0: must have match_labels or match_expressions",
		`{"tolerations": [{"key": "gpu", "operator": "exists", "value": "a100"}]}`: "/tolerations/0/value: must be left out",
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "exists", "values": ["b"]}]}]}}`: "/affinity/required/0/match_expressions/0/values: " +
			"must be left out",
		`{"affinity": {"required": [{"match_expressions": [{"key": "a", "operator": "in", "values": []}]}]}}`: "/affinity/required/0/match_expressions/0/values: " +
			"must have a value",
		`{"selector": {"zone": 1}}`:                                                            "/selector/zone: must be text",
		`{"affinity": {"requires": []}}`:                                                       "/affinity/requires: unknown key; did you mean required?",
		`{"runtimes": {"python": "=>3.12"}}`:                                                   "/runtimes/python: constraint",
		`{"tolerations": [{"operator": "exists"}]}`:                                            "/tolerations/0/key: must name the key of a taint",
		`{"affinity": {"preferred": [{"weight": 0, "term": {"match_labels": {"a": "b"}}}]}}`:   "/affinity/preferred/0/weight: must be from 1 to 100, got 0",
		`{"affinity": {"preferred": [{"weight": 101, "term": {"match_labels": {"a": "b"}}}]}}`: "/affinity/preferred/0/weight: must be from 1 to 100, got 101",
		`{"selector": {"a": "` + strings.Repeat("b", requirement.MaxSize) + `"}}`:              "a requirement must have at most 65536 bytes",
	} {
		_, err := requirement.Parse([]byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	// Workers that a platform chooses and attune does not.
	for _, c := range []struct {
		constraint, version, kind string
		change                    func(f *placement.Facts)
	}{
		{">=3.13", "3.14.0rc1", "prerelease", nil},
		{">=3.11", "", "version_unknown", nil},
		{"*", "3.12.1", "never_reported", func(f *placement.Facts) { f.NeverReported = true }},
		{"*", "3.12.1", "busy", func(f *placement.Facts) { f.Used = f.Slots }},
	} {
		f := worker(t, c.version)
		if c.change != nil {
			c.change(f)
		}
		v := placement.Evaluate(parse(t, `{"runtimes": {"core.python": "`+c.constraint+`"}}`), f)
		if len(v.Reasons) != 1 || string(v.Reasons[0].Kind) != c.kind {
			t.Errorf("%s on %s: got %+v", c.constraint, c.version, v.Reasons)
		}
	}
	// Documents that a platform's rule satisfies and attune refuses above.
	w := &platformWorker{role: "action", status: "active", document: map[string]any{
		"labels": map[string]any{"a": "x"}, "taints": []any{map[string]any{"key": "gpu", "effect": "no_schedule"}},
	}}
	tolerated := []any{map[string]any{"key": "gpu", "operator": "exists", "value": "a100"}}
	for name, affinity := range map[string]any{
		"a term without conditions":         map[string]any{"required": []any{map[string]any{}}},
		"exists with values":                map[string]any{"required": []any{map[string]any{"match_expressions": []any{map[string]any{"key": "a", "operator": "exists", "values": []any{"b"}}}}}},
		"a key that the platform overlooks": map[string]any{"requires": []any{}},
	} {
		if !platformChooses(w, map[string]any{"tolerations": tolerated, "affinity": affinity}, platformNames) {
			t.Errorf("%s: the platform refuses too", name)
		}
	}
}
