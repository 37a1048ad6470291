package version_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

// The properties are held against a model that knows no keys: big numbers, and
// the operators as section 7 of the design words them.

// model is a version as its canonical text says.
type model struct {
	numbers []*big.Int
	pre     string
}

func modelOf(text string) model {
	release, pre, _ := strings.Cut(text, "-")
	m := model{pre: pre}
	for _, number := range strings.Split(release, ".") {
		n, ok := new(big.Int).SetString(number, 10)
		if !ok {
			panic("not canonical: " + text)
		}
		m.numbers = append(m.numbers, n)
	}
	return m
}

// compareNumbers compares the first n numbers; the missing ones are zero.
func (m model) compareNumbers(o model, n int) int {
	for i := range n {
		if c := m.number(i).Cmp(o.number(i)); c != 0 {
			return c
		}
	}
	return 0
}

func (m model) number(i int) *big.Int {
	if i < len(m.numbers) {
		return m.numbers[i]
	}
	return new(big.Int)
}

func (m model) compare(o model) int {
	if c := m.compareNumbers(o, max(len(m.numbers), len(o.numbers))); c != 0 {
		return c
	}
	if m.pre == "" || o.pre == "" {
		return sign(len(o.pre) - len(m.pre)) // the release is the greater one
	}
	return slices.CompareFunc(strings.Split(m.pre, "."), strings.Split(o.pre, "."), compareIdentifiers)
}

// compareIdentifiers: a run of digits is one character, ordered by its value,
// after the hyphen and before letters.
func compareIdentifiers(a, b string) int {
	x, y := characters(a), characters(b)
	return slices.CompareFunc(x, y, func(p, q string) int {
		if isNumber(p) && isNumber(q) {
			m, _ := new(big.Int).SetString(p, 10)
			n, _ := new(big.Int).SetString(q, 10)
			return m.Cmp(n)
		}
		return strings.Compare(p, q)
	})
}

func characters(s string) (list []string) {
	for _, r := range s {
		c := string(r)
		if last := len(list) - 1; isNumber(c) && last >= 0 && isNumber(list[last]) {
			list[last] += c
			continue
		}
		list = append(list, c)
	}
	return list
}

func isNumber(s string) bool { return s[0] >= '0' && s[0] <= '9' }

// term is one comparison of a constraint.
type term struct {
	operator string
	numbers  []string
	wildcard bool
	pre      string
	high     *term // the other end of a range
}

func (e term) operand() string {
	text := strings.Join(e.numbers, ".")
	switch {
	case e.pre != "":
		text += "-" + e.pre
	case e.wildcard && text == "":
		text = "*"
	case e.wildcard:
		text += ".*"
	}
	return text
}

func (e term) String() string {
	if e.high != nil {
		return e.operand() + " - " + e.high.operand()
	}
	return e.operator + e.operand()
}

func (e term) holds(v model) bool {
	if e.high != nil {
		return e.as(">=").holds(v) && e.high.as("<=").holds(v)
	}
	o := modelOf(e.padded())
	n := len(e.numbers)
	c := v.compare(o)
	if e.wildcard || n < 3 && e.pre == "" {
		c = v.compareNumbers(o, n)
	}
	switch e.operator {
	case "!=":
		return c != 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case "~":
		return c >= 0 && v.compareNumbers(o, min(n, 2)) == 0
	case "^":
		keep := slices.IndexFunc(e.numbers, func(s string) bool { return s != "0" }) + 1
		if keep == 0 {
			keep = n
		}
		return c >= 0 && v.compareNumbers(o, keep) == 0
	}
	return c == 0
}

func (e term) as(operator string) term { return term{operator, e.numbers, e.wildcard, e.pre, nil} }

func (e term) padded() string {
	numbers := slices.Clone(e.numbers)
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	text := strings.Join(numbers, ".")
	if e.pre != "" {
		text += "-" + e.pre
	}
	return text
}

// names reports whether e names a pre-release of v's numbers.
func (e term) names(v model) bool {
	if e.high != nil && e.high.as("<=").names(v) {
		return true
	}
	return e.operator != "!=" && e.pre != "" && modelOf(e.padded()).compareNumbers(v, 10) == 0
}

// matches is the whole rule: all terms of one alternative hold, and the alternative lets
// v in if v is a pre-release.
func matches(alternatives [][]term, v model, prereleases bool) bool {
	return slices.ContainsFunc(alternatives, func(terms []term) bool {
		named := v.pre == "" || prereleases
		for _, e := range terms {
			if !e.holds(v) {
				return false
			}
			named = named || e.names(v)
		}
		return named
	})
}

// generator makes versions and constraints that are near each other, so that
// they are equal, or just not, often enough.
type generator struct{ *rand.Rand }

func newGenerator() generator { return generator{rand.New(rand.NewPCG(7, 11))} }

func (g generator) number() string {
	switch g.IntN(12) {
	case 0:
		return pick(g, "9", "10", "11", "99", "100", "4294967296", "18446744073709551615", "18446744073709551616")
	case 1:
		return strings.Repeat("9", 23+g.IntN(5)) // around what a key's letter can count
	}
	return pick(g, "0", "0", "1", "1", "2", "3")
}

func (g generator) numbers(most int) (numbers []string) {
	for range 1 + g.IntN(most) {
		numbers = append(numbers, g.number())
	}
	return numbers
}

func (g generator) pre() string {
	pre := pick(g, "a1", "b1", "alpha", "beta", "beta", "rc", "rc", "ea", "dev")
	if g.IntN(3) > 0 {
		pre += pick(g, "1", "2", "9", "10", ".1", ".2", ".10", ".x", "-1", "-x", "1a", "1z", ".1a")
	}
	if g.IntN(3) == 0 {
		pre += pick(g, ".1", ".2", ".10", ".x", "-1", "-z")
	}
	return pre
}

func (g generator) version() string {
	text := strings.Join(g.numbers(5), ".")
	if g.IntN(3) == 0 {
		text += "-" + g.pre()
	}
	return text
}

func (g generator) term() (e term) {
	e.numbers = g.numbers(4)
	switch g.IntN(6) {
	case 0:
		e.wildcard = true
	case 1, 2:
		e.pre = g.pre()
	}
	switch g.IntN(12) {
	case 0:
		high := term{numbers: g.numbers(4)}
		e.high = &high
	case 1:
		return term{wildcard: true}
	default:
		e.operator = pick(g, "", "=", "!=", ">", ">=", "<", "<=", "~", "^")
	}
	return e
}

// constraint returns a constraint and one of its spellings.
func (g generator) constraint() (alternatives [][]term, text string) {
	var texts []string
	for range 1 + g.IntN(3) {
		var terms []term
		var spelled []string
		for range 1 + g.IntN(3) {
			terms = append(terms, g.term())
			spelled = append(spelled, terms[len(terms)-1].String())
		}
		alternatives = append(alternatives, terms)
		texts = append(texts, strings.Join(spelled, pick(g, ",", " ", " , ", ", ")))
	}
	return alternatives, strings.Join(texts, pick(g, "||", " || "))
}

func pick(g generator, choices ...string) string { return choices[g.IntN(len(choices))] }

func (g generator) versions(t *testing.T, n int) []version.Version {
	var list []version.Version
	for range n {
		list = append(list, parse(t, g.version()))
	}
	return list
}

// TestOrderIsThatOfTheModel also shows that the order is total, antisymmetric
// and transitive, for the model's is; and that keys are in the same order.
func TestOrderIsThatOfTheModel(t *testing.T) {
	list := newGenerator().versions(t, 400)
	for _, v := range list {
		for _, w := range list {
			want := modelOf(v.String()).compare(modelOf(w.String()))
			if got := v.Compare(w); got != want {
				t.Fatalf("%s compared with %s = %d, want %d", v, w, got, want)
			}
			if got := strings.Compare(v.Key(), w.Key()); got != want {
				t.Fatalf("keys of %s and %s: %d, want %d", v, w, got, want)
			}
			if (v == w) != (want == 0) || (v.String() == w.String()) != (want == 0) {
				t.Fatalf("%s and %s: equality is not that of order", v, w)
			}
		}
	}
}

// TestOrderIsTotal asks Compare itself, without the model.
func TestOrderIsTotal(t *testing.T) {
	list := newGenerator().versions(t, 120)
	for _, a := range list {
		for _, b := range list {
			if a.Compare(b) != -b.Compare(a) {
				t.Fatalf("%s and %s are not antisymmetric", a, b)
			}
			for _, c := range list {
				if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
					t.Fatalf("%s <= %s <= %s is not transitive", a, b, c)
				}
			}
		}
	}
}

func TestKeysArePrintable(t *testing.T) {
	for _, v := range newGenerator().versions(t, 1000) {
		for _, c := range []byte(v.Key()) {
			if c <= ' ' || c > '~' {
				t.Fatalf("key of %s is %q", v, v.Key())
			}
		}
		if strings.Contains(v.Key(), "-") != v.IsPrerelease() {
			t.Fatalf("key of %s is %s", v, v.Key())
		}
	}
}

// TestMatchAndRangesAreThoseOfTheModel asks each constraint of versions near it.
func TestMatchAndRangesAreThoseOfTheModel(t *testing.T) {
	g := newGenerator()
	versions := g.versions(t, 250)
	matched := 0
	for range 600 {
		alternatives, text := g.constraint()
		c := constraint(t, text)
		sameAgain(t, c)
		for _, prereleases := range []bool{false, true} {
			ranges := c.Ranges(prereleases)
			for _, v := range versions {
				want := matches(alternatives, modelOf(v.String()), prereleases)
				if got := c.Match(v, prereleases); got != want {
					t.Fatalf("%q (%q), pre-releases %v: Match(%s) = %v, want %v", text, c, prereleases, v, got, want)
				}
				if got := inRanges(ranges, v); got != btoi(want) {
					t.Fatalf("%q, pre-releases %v: %s is in %d ranges, want %d: %v", text, prereleases, v, got, btoi(want), ranges)
				}
				matched += btoi(want)
			}
		}
	}
	if matched == 0 {
		t.Error("nothing matched at all")
	}
}

// inRanges returns how many ranges v is in, as a database would tell.
func inRanges(ranges []version.Range, v version.Version) (n int) {
	for _, r := range ranges {
		if v.Key() >= r.From && (r.To == "" || v.Key() < r.To) && (!r.ReleasesOnly || !v.IsPrerelease()) {
			n++
		}
	}
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestRangesAreFew: a constraint of n terms has not more than n+2 ranges and as
// many again for the pre-releases it names.
func TestRangesAreFew(t *testing.T) {
	var terms []string
	for i := range 100 {
		terms = append(terms, fmt.Sprintf("!=%d.1", i))
	}
	if got := len(constraint(t, strings.Join(terms, ",")).Ranges(false)); got != 101 {
		t.Errorf("100 exceptions have %d ranges, want 101", got)
	}
	if got := len(constraint(t, strings.Join(terms, "||")).Ranges(false)); got != 1 {
		t.Errorf("the union of all has %d ranges, want 1", got)
	}
}
