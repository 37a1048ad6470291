package requirement

import (
	"slices"
	"strings"
)

// Matches reports whether labels satisfy every part of the term.
func (t Term) Matches(labels map[string]string) bool {
	for key, value := range t.MatchLabels {
		if have, ok := labels[key]; !ok || have != value {
			return false
		}
	}
	for _, e := range t.MatchExpressions {
		if !e.Matches(labels) {
			return false
		}
	}
	return true
}

// Matches reports whether labels satisfy the expression.
func (e Expression) Matches(labels map[string]string) bool {
	have, ok := labels[e.Key]
	switch e.Operator {
	case In:
		return ok && slices.Contains(e.Values, have)
	case NotIn:
		return !ok || !slices.Contains(e.Values, have)
	case Exists:
		return ok
	case DoesNotExist:
		return !ok
	}
	return false
}

// Tolerates reports whether the toleration accepts a taint.
func (t Toleration) Tolerates(taint Taint) bool {
	if t.Key != taint.Key || t.Effect != "" && t.Effect != taint.Effect {
		return false
	}
	return t.Operator == TolerateExists || t.Value == taint.Value
}

// Tolerates reports whether one of the tolerations accepts a taint, or the taint is ReportOnly.
func (r *Requirement) Tolerates(taint Taint) bool {
	return taint.Key == ReportOnly || slices.ContainsFunc(r.Tolerations, func(t Toleration) bool { return t.Tolerates(taint) })
}

// Weight returns the rank of a worker by its labels and taints: the sum of the weights of the
// preferences that match, less 100 for each taint with the effect PreferNoSchedule that is not
// tolerated.
func (r *Requirement) Weight(labels map[string]string, taints []Taint) int {
	weight := 0
	for _, p := range r.Affinity.Preferred {
		if p.Term.Matches(labels) {
			weight += p.Weight
		}
	}
	for _, taint := range taints {
		if taint.Effect == PreferNoSchedule && !r.Tolerates(taint) {
			weight -= TaintWeight
		}
	}
	return weight
}

// TaintWeight is what a taint with the effect PreferNoSchedule takes from the rank of a worker.
const TaintWeight = 100

// String returns the term in words, with sorted keys: "zone=a and disk exists".
func (t Term) String() string {
	var parts []string
	for _, key := range sortedKeys(t.MatchLabels) {
		parts = append(parts, key+"="+t.MatchLabels[key])
	}
	for _, e := range t.normal().MatchExpressions {
		parts = append(parts, e.String())
	}
	return strings.Join(parts, " and ")
}

// String returns the expression in words: "zone in (a, b)".
func (e Expression) String() string {
	operator := strings.ReplaceAll(string(e.Operator), "_", " ")
	if !e.Operator.takesValues() {
		return e.Key + " " + operator
	}
	return e.Key + " " + operator + " (" + strings.Join(e.Values, ", ") + ")"
}

// keys appends the keys that the term asks for.
func (t Term) keys(to []string) []string {
	to = append(to, sortedKeys(t.MatchLabels)...)
	for _, e := range t.MatchExpressions {
		to = append(to, e.Key)
	}
	return to
}

// Keys returns the labels that the terms ask for, sorted, each once.
func Keys(terms ...Term) []string {
	var all []string
	for _, t := range terms {
		all = t.keys(all)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// labelText returns KEY=VALUE, or KEY without a value.
func labelText(key, value string) string {
	if value == "" {
		return key
	}
	return key + "=" + value
}
