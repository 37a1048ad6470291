package version

import (
	"cmp"
	"math"
	"strconv"
)

// A Distance is how far a version is from a constraint. The zero Distance is the greatest one,
// which an unknown version has.
type Distance struct {
	// Depth is the number of components, from the first, that the version shares with the
	// nearest bound of the constraint, plus 1. It is the greatest number if the version
	// satisfies the constraint.
	Depth int
	// By is the difference of the first components that differ.
	By uint64
}

// Compare returns -1 if d is nearer than o, 1 if it is farther, and 0 if they are equal. A
// difference in a later component is nearer than any difference in an earlier one.
func (d Distance) Compare(o Distance) int {
	return cmp.Or(cmp.Compare(o.Depth, d.Depth), cmp.Compare(d.By, o.By))
}

// Distance returns the distance of v to the nearest bound of the constraint: 3.11.4 differs
// from >=3.14 in the second component, by 3. A version that satisfies the constraint, perhaps
// as a pre-release, has none. Without any bound, as for a constraint that nothing satisfies,
// all versions are equally far.
func (c Constraint) Distance(v Version) Distance {
	if v.key == "" {
		return Distance{}
	}
	if c.all.contain(v.key) {
		return Distance{Depth: math.MaxInt}
	}
	nearest := Distance{}
	numbers := keyNumbers(v.key)
	for _, s := range c.all {
		for _, bound := range []string{s.from, s.to} {
			if d := distance(numbers, keyNumbers(bound)); bound != "" && d.Compare(nearest) < 0 {
				nearest = d
			}
		}
	}
	return nearest
}

func distance(a, b []uint64) Distance {
	n := max(len(a), len(b))
	for i := range n {
		x, y := at(a, i), at(b, i)
		if x != y {
			return Distance{Depth: i + 1, By: max(x, y) - min(x, y)}
		}
	}
	return Distance{Depth: n + 1}
}

func at(numbers []uint64, i int) uint64 {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}

// keyNumbers returns the numbers before the pre-release in a key. Those that do not fit become
// the greatest number.
func keyNumbers(key string) (numbers []uint64) {
	for key != "" && 'A' <= key[0] && key[0] <= 'Z' {
		n := int(key[0]-'A') + 1
		key = key[1:]
		if n == 26 {
			n, _ = strconv.Atoi(key[:3])
			key = key[3:]
		}
		number, err := strconv.ParseUint(key[:n], 10, 64)
		if err != nil {
			number = math.MaxUint64
		}
		numbers = append(numbers, number)
		key = key[n:]
	}
	return numbers
}
