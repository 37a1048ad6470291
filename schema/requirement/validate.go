package requirement

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/document"
)

// Validate returns every fault of the requirement as document.Faults, or nil.
func (r *Requirement) Validate() error {
	var c checker
	if r.Role != "" {
		c.At("role", document.OneOf(r.Role, Worker, Sensor, Hybrid))
	}
	c.within("runtimes", func() { c.runtimes(r.Runtimes) })
	c.within("selector", func() { c.labels(r.Selector) })
	c.within("affinity", func() { c.affinity(&r.Affinity) })
	each(&c, "tolerations", r.Tolerations, c.toleration)
	if r.Slots != 0 {
		c.At("slots", document.Within(r.Slots, 1, MaxSlots))
	}
	return c.Err()
}

type checker struct{ document.Checker }

func (c *checker) within(key string, check func()) {
	c.Enter(key)
	check()
	c.Leave()
}

// each checks the elements of a list.
func each[T any](c *checker, key string, list []T, check func(T)) {
	c.within(key, func() {
		c.Here(document.Most(len(list), MaxElements))
		for i, element := range list {
			c.EnterIndex(i)
			check(element)
			c.Leave()
		}
	})
}

func (c *checker) runtimes(runtimes []Runtime) {
	c.Here(document.Most(len(runtimes), MaxElements))
	seen := map[string]bool{}
	for _, r := range runtimes {
		name := fold(r.Name)
		c.Enter(r.Name)
		if c.Here(document.Bounded(r.Name, MaxName, validName)) && seen[name] {
			c.Here(document.Duplicate(name))
		}
		c.Leave()
		seen[name] = true
	}
}

func validName(name string) string {
	if fold(name) == "" {
		return "must name a runtime, such as python"
	}
	return displayable(name)
}

// fold returns the form in which names are compared.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func displayable(s string) string {
	switch {
	case !utf8.ValidString(s):
		return fmt.Sprintf("must be UTF-8, got %q", document.Excerpt(s))
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Sprintf("must not contain control characters, got %q", document.Excerpt(s))
	}
	return ""
}

func validKey(key string) string {
	if key == "" {
		return "must name a label"
	}
	return displayable(key)
}

func (c *checker) labels(labels map[string]string) {
	c.Here(document.Most(len(labels), MaxElements))
	for _, key := range sortedKeys(labels) {
		c.Enter(key)
		c.Here(document.Bounded(key, MaxLabel, validKey))
		c.Here(document.Bounded(labels[key], MaxLabel, displayable))
		c.Leave()
	}
}

func (c *checker) affinity(a *Affinity) {
	each(c, "required", a.Required, c.term)
	each(c, "anti_affinity", a.Anti, c.term)
	each(c, "preferred", a.Preferred, func(p Preference) {
		c.At("weight", document.Within(p.Weight, 1, 100))
		c.within("term", func() { c.term(p.Term) })
	})
}

func (c *checker) term(t Term) {
	if len(t.MatchLabels)+len(t.MatchExpressions) == 0 {
		c.Here("must have match_labels or match_expressions; an empty term would match every worker")
	}
	c.within("match_labels", func() { c.labels(t.MatchLabels) })
	each(c, "match_expressions", t.MatchExpressions, c.expression)
}

func (c *checker) expression(e Expression) {
	c.At("key", document.Bounded(e.Key, MaxLabel, validKey))
	c.At("operator", document.OneOf(e.Operator, In, NotIn, Exists, DoesNotExist))
	switch {
	case e.Operator.takesValues() && len(e.Values) == 0:
		c.At("values", fmt.Sprintf("must have a value with the operator %s", e.Operator))
	case !e.Operator.takesValues() && len(e.Values) > 0:
		c.At("values", "must be left out: only in and not_in compare values")
	}
	each(c, "values", e.Values, func(value string) { c.Here(document.Bounded(value, MaxLabel, displayable)) })
}

func (c *checker) toleration(t Toleration) {
	c.At("key", document.Bounded(t.Key, MaxLabel, validTaintKey))
	if t.Operator != "" {
		c.At("operator", document.OneOf(t.Operator, TolerateEqual, TolerateExists))
	}
	if t.Operator == TolerateExists && t.Value != "" {
		c.At("value", "must be left out with the operator exists, which accepts every value")
	}
	c.At("value", document.Bounded(t.Value, MaxLabel, displayable))
	if t.Effect != "" {
		c.At("effect", validEffect(t.Effect))
	}
}

func validTaintKey(key string) string {
	if key == "" {
		return "must name the key of a taint"
	}
	return displayable(key)
}

func validEffect(e Effect) string { return document.OneOf(e, NoSchedule, PreferNoSchedule) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
