package document

import "math/bits"

// blank are the bytes between the tokens of a document.
var blank = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// skipBlanks is where the next token of s begins, from i on.
func skipBlanks(s string, i int) int {
	for i < len(s) && blank[s[i]] {
		i++
	}
	return i
}

// blanks is how many bytes of a document are blanks between its parts.
func blanks(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch {
		case blank[s[i]]:
			n++
		case s[i] == '"':
			for i = textEnd(s, i+1); i < len(s) && s[i] == '\\'; {
				i = textEnd(s, min(i+2, len(s)))
			}
		}
	}
	return n
}

// textEnd is where the first byte of s stands, from i on, that is not plain
// text: a quote, a backslash or a control character; else the end of s. It looks
// at eight bytes at once.
func textEnd(s string, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// Subtracting sets the high bit of each byte that is smaller than what
		// is subtracted; the lowest one set is right, those above may not be.
		quote, backslash := w^'"'*ones, w^'\\'*ones
		found := ((w-' '*ones)&^w | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}
