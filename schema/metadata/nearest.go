package metadata

import "strings"

// Nearest is the one of known that word probably should have been: equal but
// for case, - and _, or at most one typing error in four letters away. Empty is
// none.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = loose(word)
	best, distance := "", 1+(len(word)+1)/4
	for _, k := range known {
		if d := edits(word, loose(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

func loose(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// edits counts the letters to insert, delete, replace, or swap with their
// neighbour, to make a of b.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
