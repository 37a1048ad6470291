package version

import (
	"cmp"
	"slices"
	"strings"
)

// A span is the keys from a bound up to, but without, another. An empty from is
// the beginning of all keys, an empty to their end.
type span struct{ from, to string }

func (s span) contains(key string) bool {
	return s.from <= key && (s.to == "" || key < s.to)
}

func (s span) empty() bool { return s.to != "" && s.to <= s.from }

// spans are the keys in any of them: ascending, apart, and none of them empty.
type spans []span

func (ss spans) contain(key string) bool {
	for _, s := range ss {
		if s.contains(key) {
			return true
		}
	}
	return false
}

func (ss spans) intersect(others spans) (both spans) {
	for _, a := range ss {
		for _, b := range others {
			s := span{max(a.from, b.from), earlierEnd(a.to, b.to)}
			if !s.empty() {
				both = append(both, s)
			}
		}
	}
	return both
}

func (ss spans) union(others spans) (either spans) {
	all := slices.Concat(ss, others)
	slices.SortFunc(all, func(a, b span) int { return strings.Compare(a.from, b.from) })
	for _, s := range all {
		if last := len(either) - 1; last >= 0 && (either[last].to == "" || s.from <= either[last].to) {
			either[last].to = laterEnd(either[last].to, s.to)
			continue
		}
		either = append(either, s)
	}
	return either
}

func earlierEnd(a, b string) string {
	if a == "" || b == "" {
		return cmp.Or(a, b)
	}
	return min(a, b)
}

func laterEnd(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return max(a, b)
}
