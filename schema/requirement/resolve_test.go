package requirement_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	index := metadata.NewIndex([]metadata.Definition{
		{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}},
		{Ref: "core.nodejs", Name: "Node.js", Aliases: metadata.Aliases{"node", "nodejs"}},
		{Ref: "acme.python", Name: "Python", Aliases: metadata.Aliases{"python"}},
	})
	index.Retire([]metadata.Definition{{Ref: "core.ruby", Aliases: metadata.Aliases{"ruby", "rb"}}, {Ref: "old.python"}})
	for _, c := range []struct{ terms, want string }{
		{"python3@3.12 Node.js", `{"runtimes":{"core.python":"3.12","core.nodejs":"*"}}`},
		{"NODE acme.python", `{"runtimes":{"core.nodejs":"*","acme.python":"*"}}`},
		{"pyton", `/runtimes/pyton: unknown runtime "pyton"; did you mean python?`},
		{"core.pyhton", `/runtimes/core.pyhton: unknown runtime "core.pyhton"; did you mean core.python?`},
		{"cobol fortran", `/runtimes/cobol: unknown runtime "cobol"; /runtimes/fortran: unknown runtime "fortran"`},
		{"rb", `/runtimes/rb: the platform has retired the runtime core.ruby`},
		{"old.python python", `/runtimes/old.python: the platform has retired the runtime old.python`},
		{"python core.python", `/runtimes/core.python: must name each runtime once: "python" is core.python too`},
	} {
		r, err := requirement.Terms{Runtimes: strings.Fields(c.terms)}.Requirement()
		if err != nil {
			t.Fatalf("%s: %v", c.terms, err)
		}
		resolved, err := r.Resolve(index)
		got, _ := resolved.MarshalJSON()
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.terms, got, c.want)
		}
	}
}

func TestContradictions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`{"runtimes": {"python": ">=4,<3", "go": ">1.21,<1.22", "node": "18"}}`,
			`/runtimes/python: must be satisfied by some version, got ">=4,<3"; /runtimes/go: must be satisfied by some version, got ">1.21,<1.22"`},
		{`{"selector": {"zone": "a"}, "affinity": {"required": [{"match_labels": {"zone": "b"}}, {"match_labels": {"disk": "ssd"}}]}}`,
			`/affinity/required/0: must not contradict the selector in "zone"`},
		{`{"affinity": {"required": [{"match_labels": {"zone": "b"}, "match_expressions": [{"key": "zone", "operator": "not_in", "values": ["b", "c"]}]}]}}`,
			`/affinity/required/0: must not contradict itself in "zone"`},
		{`{"affinity": {"required": [{"match_expressions": [{"key": "gpu", "operator": "exists"}, {"key": "gpu", "operator": "does_not_exist"}]}]}}`,
			`/affinity/required/0: must not contradict itself in "gpu"`},
		{`{"selector": {"zone": "a", "disk": "ssd"}, "affinity": {"anti_affinity": [{"match_expressions": [{"key": "zone", "operator": "in", "values": ["a", "b"]}]}]}}`,
			`/affinity/anti_affinity/0: must not exclude every worker that the selector accepts`},
		{`{"affinity": {"required": [{"match_labels": {"zone": "a"}}], "anti_affinity": [{"match_expressions": [{"key": "zone", "operator": "exists"}]}]}}`,
			`/affinity/required/0: must not contradict anti_affinity`},
		{`{"affinity": {"required": [{"match_expressions": [{"key": "zone", "operator": "not_in", "values": ["a", "b"]}]}],
			"anti_affinity": [{"match_expressions": [{"key": "zone", "operator": "not_in", "values": ["a"]}]}]}}`,
			`/affinity/required/0: must not contradict anti_affinity`},
		{`{"selector": {"zone": "a"}, "affinity": {"required": [{"match_expressions": [{"key": "zone", "operator": "in", "values": ["a", "b"]}]}],
			"anti_affinity": [{"match_labels": {"zone": "a", "gpu": "1"}}]}}`, ``},
		{`{"affinity": {"anti_affinity": [{"match_expressions": [{"key": "gpu", "operator": "exists"}]}, {"match_expressions": [{"key": "gpu", "operator": "does_not_exist"}]}]}}`,
			`/affinity/anti_affinity: must not exclude together every worker that the selector accepts, by the label "gpu"`},
		{`{"affinity": {"anti_affinity": [{"match_expressions": [{"key": "gpu", "operator": "exists"}]}, {"match_expressions": [{"key": "zone", "operator": "does_not_exist"}]}]}}`, ``},
		{`{"affinity": {"required": [{"match_expressions": [{"key": "zone", "operator": "in", "values": ["a", "b"]}]}],
			"anti_affinity": [{"match_labels": {"zone": "a"}}, {"match_labels": {"zone": "b"}}]}}`,
			`/affinity/required/0: must not contradict anti_affinity`},
	} {
		r, err := requirement.Parse([]byte(c.text))
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		got := ""
		if err := r.Contradictions(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

// Contradictions are held against all labels of a small world: where a contradiction is found, no labels
// satisfy the requirement; where none is found, some do, unless a term of anti_affinity is about both
// labels.
func TestContradictionsProperty(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	keys, values := []string{"x", "y"}, []string{"1", "2", "3"}
	expression := func() requirement.Expression {
		e := requirement.Expression{Key: keys[random.IntN(2)], Operator: []requirement.Operator{
			requirement.In, requirement.NotIn, requirement.Exists, requirement.DoesNotExist,
		}[random.IntN(4)]}
		if e.Operator == requirement.In || e.Operator == requirement.NotIn {
			for range 1 + random.IntN(2) {
				e.Values = append(e.Values, values[random.IntN(3)])
			}
		}
		return e
	}
	term := func() (t requirement.Term) {
		for range 1 + random.IntN(3) {
			t.MatchExpressions = append(t.MatchExpressions, expression())
		}
		return t
	}
	found, clear, together := 0, 0, 0
	for range 10_000 {
		r := requirement.Requirement{Affinity: requirement.Affinity{Required: []requirement.Term{term()}}}
		if random.IntN(2) == 0 {
			r.Selector = map[string]string{keys[random.IntN(2)]: values[random.IntN(3)]}
		}
		oneLabel := true
		for range random.IntN(4) {
			t := term()
			r.Affinity.Anti = append(r.Affinity.Anti, t)
			oneLabel = oneLabel && len(requirement.Keys(t)) == 1
		}
		satisfied := false
		// "4" stands for every other value.
		for _, x := range []string{"", "1", "2", "3", "4"} {
			for _, y := range []string{"", "1", "2", "3", "4"} {
				labels := map[string]string{}
				if x != "" {
					labels["x"] = x
				}
				if y != "" {
					labels["y"] = y
				}
				fits := requirement.Term{MatchLabels: r.Selector}.Matches(labels) && r.Affinity.Required[0].Matches(labels)
				for _, anti := range r.Affinity.Anti {
					fits = fits && !anti.Matches(labels)
				}
				satisfied = satisfied || fits
			}
		}
		err := r.Contradictions()
		text, _ := r.MarshalJSON()
		switch {
		case err != nil && satisfied:
			t.Fatalf("%s can be satisfied, got %v", text, err)
		case err == nil && !satisfied && oneLabel:
			t.Fatalf("%s cannot be satisfied, got nothing", text)
		case err != nil:
			found++
			if strings.Contains(err.Error(), "together") {
				together++
			}
		default:
			clear++
		}
	}
	if found < 1000 || clear < 1000 || together < 100 {
		t.Errorf("%d contradictions, %d of several terms, and %d without do not test much", found, together, clear)
	}
}
