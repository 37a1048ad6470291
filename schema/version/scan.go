package version

import "strings"

// maxVersion is the maximum length of a version in bytes. A key is at most three times
// as long, which fits every index.
const maxVersion = 256

// parts holds the numbers and the pre-release of a version's text, before padding to
// three numbers.
type parts struct {
	numbers []string // as written, without leading zeros
	pre     string   // canonical; empty for a release
}

// prereleaseWords are the words that make what follows a version's numbers a
// pre-release. Every other word is a distribution's or a builder's: those
// cannot be listed.
var prereleaseWords = map[string]bool{
	"alpha": true, "beta": true, "rc": true, "cr": true,
	"pre": true, "preview": true, "prerelease": true,
	"dev": true, "devel": true, "development": true, "internal": true,
	"nightly": true, "daily": true, "snapshot": true, "canary": true, "next": true,
	"ea": true, "eap": true, "insiders": true, "milestone": true,
	"unstable": true, "experimental": true, "trunk": true,
}

// prefix returns the length of what may stand before the numbers.
func prefix(s string) int {
	for _, p := range []string{"go", "v"} {
		if len(s) > len(p) && strings.EqualFold(s[:len(p)], p) && isDigit(s[len(p)]) {
			return len(p)
		}
	}
	return 0
}

// scan reads the version at the beginning of s as far as it has a meaning, and
// returns how many bytes that is; 0 if s does not begin with a number.
func scan(s string) (p parts, n int) {
	p.numbers, n = scanNumbers(s)
	if n == 0 {
		return p, 0
	}
	java := 0
	if p.numbers, java = javaUpdate(p.numbers, s[n:]); java > 0 {
		n += java
	}
	pre, m := scanPrerelease(s[n:], java == 0)
	p.pre = pre
	return p, n + m
}

// scanNumbers reads numbers with a dot between them.
func scanNumbers(s string) (numbers []string, n int) {
	numbers = make([]string, 0, 4)
	for {
		end := n + digits(s[n:])
		if end == n {
			return numbers, n
		}
		numbers = append(numbers, trimZeros(s[n:end]))
		n = end
		if n+1 >= len(s) || s[n] != '.' || !isDigit(s[n+1]) {
			return numbers, n
		}
		n++
	}
}

// javaUpdate reads the update of Java's scheme before Java 9: 1.8.0_192 and
// 8u192 are 8.0.192.
func javaUpdate(numbers []string, rest string) ([]string, int) {
	if rest == "" {
		return numbers, 0
	}
	n := digits(rest[1:])
	if n == 0 {
		return numbers, 0
	}
	update := trimZeros(rest[1 : 1+n])
	switch {
	case rest[0] == '_' && len(numbers) == 3 && numbers[0] == "1":
		return []string{numbers[1], numbers[2], update}, 1 + n
	case rest[0] == 'u' && len(numbers) == 1:
		return []string{numbers[0], "0", update}, 1 + n
	}
	return numbers, 0
}

// scanPrerelease reads a pre-release in canonical form. It may follow the
// numbers at once or after one of "-", "~", "." and "_". A single letter
// counts only where letters is true: in Java's 1.8.0_392-b08 it is a build.
func scanPrerelease(s string, letters bool) (pre string, n int) {
	hyphens := true
	if n < len(s) && strings.IndexByte("-~._", s[n]) >= 0 {
		// After Debian's "~" a hyphen begins the package's revision.
		hyphens = s[n] != '~'
		n++
	}
	start := n
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	if !isPrereleaseWord(s[start:n], s[n:], letters) {
		return "", 0
	}
	for n < len(s) && (isIdentifier(s[n], hyphens) ||
		s[n] == '.' && n+1 < len(s) && isIdentifier(s[n+1], hyphens)) {
		n++
	}
	return canonicalPrerelease(s[start:n]), n
}

func isPrereleaseWord(word, rest string, letters bool) bool {
	if len(word) == 1 {
		return letters && strings.Contains("abcmABCM", word) && rest != "" && isDigit(rest[0])
	}
	return prereleaseWords[strings.ToLower(word)]
}

// canonicalPrerelease is in lower case, its numbers without leading zeros.
func canonicalPrerelease(s string) string {
	s = strings.ToLower(s)
	var b strings.Builder
	for i := 0; i < len(s); {
		if n := digits(s[i:]); n > 0 {
			b.WriteString(trimZeros(s[i : i+n]))
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// buildSuffix returns the length of what a distribution or a builder added
// after the version: bash's "(1)-release", "p20", "ubuntu2", "-7ubuntu2",
// "+dfsg", "_1".
func buildSuffix(s string) (n int) {
	if d := digits(strings.TrimPrefix(s, "(")); d > 0 && s[0] == '(' && strings.HasPrefix(s[1+d:], ")") {
		n = d + 2
	}
	word := n
	for word < len(s) && isLetter(s[word]) {
		word++
	}
	if d := digits(s[word:]); d > 0 && (word-n > 1 || word-n == 1 && (s[n] == 'p' || s[n] == 'P')) {
		n = word + d
	}
	if n == len(s) || strings.IndexByte("-+~_", s[n]) < 0 || n+1 == len(s) && s[n] != '+' {
		return n
	}
	for n < len(s) && (isIdentifier(s[n], true) || strings.IndexByte(".+~_:()", s[n]) >= 0) {
		n++
	}
	return n
}

func digits(s string) (n int) {
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func trimZeros(number string) string {
	for len(number) > 1 && number[0] == '0' {
		number = number[1:]
	}
	return number
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isIdentifier(c byte, hyphens bool) bool {
	return isDigit(c) || isLetter(c) || hyphens && c == '-'
}
