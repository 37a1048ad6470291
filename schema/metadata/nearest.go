package metadata

import (
	"strings"

	"github.com/hbollon/go-edlib"
)

// Nearest returns the element of known that word is probably meant to be. It differs only in
// case, - and _, or by at most one typing error in four letters. Without such an element
// Nearest returns an empty text.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = looseForm(word)
	best, distance := "", 1+(len(word)+1)/4
	for _, k := range known {
		if d := edlib.OSADamerauLevenshteinDistance(word, looseForm(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

func looseForm(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
