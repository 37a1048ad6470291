package metadata

import (
	"strings"

	"github.com/hbollon/go-edlib"
)

// Nearest returns the one of known that word probably should have been: equal but
// for case, - and _, or at most one typing error in four letters away. It returns
// the empty text where there is no such word.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = loose(word)
	best, distance := "", 1+(len(word)+1)/4
	for _, k := range known {
		if d := edlib.OSADamerauLevenshteinDistance(word, loose(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

func loose(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
