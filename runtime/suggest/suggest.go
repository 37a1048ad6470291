// Package suggest finds the known name that somebody who wrote an unknown one
// most likely meant.
package suggest

// Nearest is the known name closest to the word, if one is close enough that a
// slip of the hand explains it: at most a third of the word's letters differ.
// Two letters that changed places count as one slip.
func Nearest(word string, known []string) (string, bool) {
	best, limit := "", max(1, len([]rune(word))/3)+1
	for _, name := range known {
		if d := distance([]rune(word), []rune(name)); d < limit {
			best, limit = name, d
		}
	}
	return best, best != ""
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours.
func distance(a, b []rune) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
