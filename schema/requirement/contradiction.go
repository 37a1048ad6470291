package requirement

import (
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/document"
)

// Contradictions returns parts that no worker can satisfy, whatever it has, as document.Faults,
// or nil: a constraint without versions, a required term against itself or the selector, and a
// term of anti_affinity that excludes all that is selected. It is separate from Validate
// because a platform may hold such requirements, which are valid and fit nowhere.
func (r *Requirement) Contradictions() error {
	var c document.Checker
	c.Enter("runtimes")
	for _, runtime := range r.Runtimes {
		if runtime.Constraint != nil && len(runtime.Constraint.Ranges(true)) == 0 {
			c.At(runtime.Name, fmt.Sprintf("must be satisfied by some version, got %q", runtime.Wanted()))
		}
	}
	c.Leave()
	c.Enter("affinity")
	defer c.Leave()
	selected := Term{MatchLabels: r.Selector}
	c.Enter("required")
	for i, term := range r.Affinity.Required {
		c.EnterIndex(i)
		c.Here(r.conflict(selected, term))
		c.Leave()
	}
	c.Leave()
	c.Enter("anti_affinity")
	for i, term := range r.Affinity.Anti {
		if conditionsOf(selected).imply(term) {
			c.EnterIndex(i)
			c.Here("must not exclude every worker that the selector accepts")
			c.Leave()
		}
	}
	c.Leave()
	return c.Err()
}

// conflict returns why no worker can match a required term, or an empty text.
func (r *Requirement) conflict(selected, term Term) string {
	if key := conditionsOf(term).impossible(); key != "" {
		return fmt.Sprintf("must not contradict itself in %q", document.Excerpt(key))
	}
	both := conditionsOf(selected, term)
	if key := both.impossible(); key != "" {
		return fmt.Sprintf("must not contradict the selector in %q", document.Excerpt(key))
	}
	for _, anti := range r.Affinity.Anti {
		if !conditionsOf(selected).imply(anti) && both.imply(anti) {
			return "must not contradict anti_affinity"
		}
	}
	return ""
}

// A condition is what several terms together ask of one label.
type condition struct {
	// in holds the values that are left. Nil means all.
	in []string
	// out holds the values that are excluded.
	out []string
	// present and absent report that the label must, and must not, be there.
	present, absent bool
}

type conditions map[string]*condition

// conditionsOf joins terms.
func conditionsOf(terms ...Term) conditions {
	all := conditions{}
	for _, t := range terms {
		for key, value := range t.MatchLabels {
			all.at(key).add(In, []string{value})
		}
		for _, e := range t.MatchExpressions {
			all.at(e.Key).add(e.Operator, e.Values)
		}
	}
	return all
}

func (cs conditions) at(key string) *condition {
	if cs[key] == nil {
		cs[key] = &condition{}
	}
	return cs[key]
}

func (c *condition) add(operator Operator, values []string) {
	switch operator {
	case In:
		if c.in == nil {
			c.in = slices.Clone(values)
		} else {
			c.in = slices.DeleteFunc(c.in, func(v string) bool { return !slices.Contains(values, v) })
		}
		c.present = true
	case NotIn:
		c.out = append(c.out, values...)
	case Exists:
		c.present = true
	case DoesNotExist:
		c.absent = true
	}
}

// left returns the values of c.in that are not excluded.
func (c *condition) left() []string {
	return slices.DeleteFunc(slices.Clone(c.in), func(v string) bool { return slices.Contains(c.out, v) })
}

// impossible returns the first key that no label can satisfy, or an empty text.
func (cs conditions) impossible() string {
	for _, key := range sortedKeys(cs) {
		c := cs[key]
		if c.present && c.absent || c.in != nil && len(c.left()) == 0 {
			return key
		}
	}
	return ""
}

// imply reports whether all labels that satisfy the conditions match the term.
func (cs conditions) imply(t Term) bool {
	for key, value := range t.MatchLabels {
		if !cs.at(key).implies(In, []string{value}) {
			return false
		}
	}
	for _, e := range t.MatchExpressions {
		if !cs.at(e.Key).implies(e.Operator, e.Values) {
			return false
		}
	}
	return true
}

func (c *condition) implies(operator Operator, values []string) bool {
	within := func(list, of []string) bool {
		return !slices.ContainsFunc(list, func(v string) bool { return !slices.Contains(of, v) })
	}
	switch operator {
	case In:
		return c.in != nil && within(c.left(), values)
	case NotIn:
		disjoint := c.in != nil && !slices.ContainsFunc(c.left(), func(v string) bool { return slices.Contains(values, v) })
		return c.absent || disjoint || within(values, c.out)
	case Exists:
		return c.present
	case DoesNotExist:
		return c.absent
	}
	return false
}
