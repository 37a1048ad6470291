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
	alone := false
	for i, term := range r.Affinity.Anti {
		if conditionsOf(selected).imply(term) {
			alone = true
			c.EnterIndex(i)
			c.Here("must not exclude every worker that the selector accepts")
			c.Leave()
		}
	}
	if key := excluded(r.Affinity.Anti).all(conditionsOf(selected)); key != "" && !alone {
		c.Here(fmt.Sprintf("must not exclude together every worker that the selector accepts, by the label %q", document.Excerpt(key)))
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
	if all := excluded(r.Affinity.Anti); all.all(conditionsOf(selected)) == "" && all.all(both) != "" {
		return "must not contradict anti_affinity"
	}
	return ""
}

// exclusions holds what terms of anti_affinity exclude together, by label. Terms on several labels are left out.
type exclusions map[string]*exclusion

// An exclusion is what several terms exclude of one label.
type exclusion struct {
	// absent reports that workers without the label are excluded, and most that all values are but those in except.
	absent, most bool
	except       map[string]bool
	// values holds further excluded values.
	values map[string]bool
}

func excluded(anti []Term) exclusions {
	all := exclusions{}
	for _, term := range anti {
		conditions := conditionsOf(term)
		if len(conditions) != 1 || conditions.impossible() != "" {
			continue
		}
		for key, c := range conditions {
			if all[key] == nil {
				all[key] = &exclusion{except: map[string]bool{}, values: map[string]bool{}}
			}
			all[key].add(c)
		}
	}
	return all
}

func (e *exclusion) add(c *condition) {
	e.absent = e.absent || !c.present
	switch {
	case c.absent:
	case c.in != nil:
		for _, v := range c.left() {
			e.values[v] = true
		}
	default:
		except := map[string]bool{}
		for _, v := range c.out {
			except[v] = !e.most || e.except[v]
		}
		e.most, e.except = true, except
	}
}

// excludes reports whether a value is excluded.
func (e *exclusion) excludes(value string) bool { return e.values[value] || e.most && !e.except[value] }

// all returns the first label by which every worker is excluded that satisfies the conditions, or an empty text.
func (es exclusions) all(cs conditions) string {
	for _, key := range sortedKeys(es) {
		if e := es[key]; e.covers(cs.at(key)) {
			return key
		}
	}
	return ""
}

// covers reports whether every label that satisfies a condition, present or not, is excluded.
func (e *exclusion) covers(c *condition) bool {
	if !c.present && !e.absent {
		return false
	}
	values := c.left()
	switch {
	case c.absent:
		return true
	case c.in == nil: // all values but c.out
		if !e.most {
			return false
		}
		for v := range e.except {
			if e.except[v] && !slices.Contains(c.out, v) {
				values = append(values, v)
			}
		}
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !e.excludes(v) })
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
