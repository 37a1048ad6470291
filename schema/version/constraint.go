package version

import "slices"

// A Constraint decides which versions are acceptable. Its operators are =, !=, >, >=, <,
// <=, ~ (the same major and minor number), ^ (the same first number that is
// not zero), "1.2 - 1.4" (including both ends), "3.12.*" and "*". A version
// without an operator means =. Comma or blank is AND, "||" is OR.
//
// A version of one or two numbers, or with ".*", stands for every version that
// begins with these numbers, under every operator: >3.12 begins at 3.13, <=3.12
// ends with 3.12.x. That includes pre-releases: 3.13.0-rc1 is a 3.13, and is not
// below 3.13. But 3.13.0 is one version, and 3.13.0-rc1 is below it.
//
// A Constraint holds the keys that satisfy it, so that Match and a database with
// the Ranges cannot disagree. No version satisfies the zero Constraint.
type Constraint struct {
	text string
	// all holds the keys that satisfy the constraint by order alone.
	all spans
	// named holds the pre-releases among them that match, because the constraint names a
	// pre-release of the same numbers.
	named spans
}

// A Range is a part of the sort keys: From <= key, and key < To.
type Range struct {
	// From is the inclusive start. Empty means the first key.
	From string
	// To is the exclusive end. Empty means after the last key.
	To string
	// ReleasesOnly excludes the pre-releases in between.
	ReleasesOnly bool
}

// String returns the constraint in one spelling: ">=3.12,<4 || 2.7.18".
// ParseConstraint reads it back as the same constraint.
func (c Constraint) String() string { return c.text }

// Match reports whether v satisfies the constraint. A pre-release does so only
// if the constraint names a pre-release of the same numbers, or if prereleases is
// true: 3.13.0-rc2 satisfies >=3.13.0-rc1, and 3.14.0-rc1 does not. A pre-release
// that is named with != does not count as named.
func (c Constraint) Match(v Version, prereleases bool) bool {
	if v.IsPrerelease() && !prereleases {
		return c.named.contain(v.key)
	}
	return v.key != "" && c.all.contain(v.key)
}

// Ranges returns the ranges of sort keys that Match is true for. In SQL, over a
// column in byte order and one with IsPrerelease, each of them is
//
//	key >= From AND key < To AND NOT prerelease
//
// without the second term if To is empty, and without the third unless
// ReleasesOnly is set. The ranges do not overlap. Without ranges nothing matches.
func (c Constraint) Ranges(prereleases bool) []Range {
	var ranges []Range
	for _, s := range c.all {
		ranges = append(ranges, Range{From: s.from, To: s.to, ReleasesOnly: !prereleases})
	}
	if !prereleases {
		for _, s := range c.named {
			ranges = append(ranges, Range{From: s.from, To: s.to})
		}
	}
	return ranges
}

// An operand is a version in a constraint.
type operand struct {
	parts
	wildcard bool // ".*" follows the numbers; without any, it is "*"
}

// span returns the keys that the operand stands for.
func (o operand) span() span {
	switch {
	case len(o.numbers) == 0:
		return span{}
	case o.wildcard || len(o.numbers) < 3 && o.pre == "":
		return span{lowest(o.numbers), lowest(next(o.numbers))}
	}
	key := o.version().key
	return span{key, key + after}
}

// prereleases returns the pre-releases of the operand's numbers if it is one itself.
func (o operand) prereleases() spans {
	if o.pre == "" {
		return nil
	}
	numbers := significant(o.numbers)
	return spans{{lowest(numbers), key(numbers, "")}}
}

// apply returns the keys that satisfy the operator.
func (o operand) apply(operator string) spans {
	s := o.span()
	switch operator {
	case "!=":
		return spans{{"", s.from}, {s.to, ""}}
	case ">":
		return spans{{s.to, ""}}
	case ">=":
		return spans{{s.from, ""}}
	case "<":
		return spans{{"", s.from}}
	case "<=":
		return spans{{"", s.to}}
	case "~":
		return spans{{s.from, lowest(next(o.numbers[:min(2, len(o.numbers))]))}}
	case "^":
		return spans{{s.from, lowest(next(o.numbers[:o.caret()]))}}
	}
	return spans{s}
}

// caret returns how many numbers ^ keeps but for raising the last of them: up
// to the first that is not zero.
func (o operand) caret() int {
	for i, number := range o.numbers {
		if number != "0" {
			return i + 1
		}
	}
	return len(o.numbers)
}

// next returns the numbers with the last one incremented.
func next(numbers []string) []string {
	raised := slices.Clone(numbers)
	last := []byte(raised[len(raised)-1])
	i := len(last) - 1
	for ; i >= 0 && last[i] == '9'; i-- {
		last[i] = '0'
	}
	if i < 0 {
		last = append([]byte("1"), last...)
	} else {
		last[i]++
	}
	raised[len(raised)-1] = string(last)
	return raised
}
