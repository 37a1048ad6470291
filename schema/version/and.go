package version

import "strings"

// And returns the constraint that a version satisfies if it satisfies both c and o. The error is
// a *SyntaxError if the text of the result is too long.
func (c Constraint) And(o Constraint) (Constraint, error) {
	var texts []string
	for a := range strings.SplitSeq(c.text, " || ") {
		for b := range strings.SplitSeq(o.text, " || ") {
			switch {
			case a == b || b == "*":
				texts = append(texts, a)
			case a == "*":
				texts = append(texts, b)
			default:
				texts = append(texts, a+","+b)
			}
		}
	}
	return ParseConstraint(strings.Join(texts, " || "))
}
