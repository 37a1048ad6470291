package version

import (
	"strings"
	"unicode/utf8"
)

// token reads the version that begins at line[i]. n is its length, or 0 if the digits
// are part of something else. end is the offset at which to continue.
func token(line string, i int) (p parts, n, end int) {
	p, n = scan(line[i:])
	end = i + n
	end += buildSuffix(line[end:])
	// The rest of the word behind an unknown suffix belongs to that suffix.
	for end < len(line) && (isIdentifier(line[end], true) || line[end] == '_' ||
		line[end] == '.' && end+1 < len(line) && isIdentifier(line[end+1], false)) {
		end++
	}
	if end-i > maxVersion || !mayPrecede(line[:i]) || !mayFollow(line[i+n:]) {
		n = 0
	}
	return p, n, end
}

// mayPrecede reports whether a version may stand after before: at the
// beginning of a word, after letters (go1.22, python3.11), or after letters
// and a separator (ruby-3.1, nginx/1.22, OpenSSH_9.6).
func mayPrecede(before string) bool {
	n := len(before)
	if n == 0 {
		return true
	}
	switch c := before[n-1]; {
	case strings.IndexByte("-/_@", c) >= 0:
		return n > 1 && isLetter(before[n-2])
	case c == ':':
		return n == 1 || !isDigit(before[n-2]) // a time, an address with a port
	case strings.IndexByte(".+~", c) >= 0:
		return false
	}
	for n > 0 && isLetter(before[n-1]) {
		n--
	}
	return n == 0 || !isDigit(before[n-1]) && before[n-1] != '.'
}

// mayFollow reports whether numbers followed by rest can be a version: rest must not
// begin with a port, a time or a unit.
func mayFollow(rest string) bool {
	if len(rest) > 1 && rest[0] == ':' && isDigit(rest[1]) {
		return false
	}
	word := 0
	for word < len(rest) && isLetter(rest[word]) {
		word++
	}
	switch strings.ToLower(rest[:word]) {
	case "ms", "kb", "mb", "gb", "kib", "mib", "gib":
		return false
	}
	return !strings.HasPrefix(rest, "%")
}

// classify ranks the version at line[from:to] by the text around it. second is true if
// it is the second word of the output.
func classify(line string, from, to, numbers, depth int, second bool) candidate {
	before, rest := line[:from], line[to:]
	switch {
	case numbers > 1 && depth == 0:
		return dotted
	case numbers > 1:
		return bracketed
	case depth > 0:
		return none
	case second && strings.HasSuffix(before, " ") &&
		(rest == "" || strings.HasPrefix(rest, " (") || strings.HasPrefix(rest, " [")):
		return named
	case endsInWord(strings.TrimRight(before, " v:="), "version") && (rest == "" || strings.IndexByte(" ,;.", rest[0]) >= 0):
		return bareNumber
	}
	return none
}

// withWord adds the pre-release that is beside the version at line[from:to], as a word or
// behind a build: "devel go1.23-2e6387c", "4.4.0 alpha (2024-03-26)", bash's
// "5.3.0(1)-rc2", node's "24.0.0-v8-canary2025", R's "4.6.0 Under development".
func withWord(p parts, line string, from, to int) parts {
	before := line[:from]
	if p.pre != "" {
		if boringCrypto(before, p.pre) {
			p.pre = ""
		}
		return p
	}
	if i := strings.LastIndexByte(before, ' '); i >= 0 && endsInWord(before[:i], "devel") {
		p.pre = "devel"
	}
	rest := line[to:max(to, min(len(line), from+maxVersion))]
	if build, suffix, ok := strings.Cut(rest, ")"); ok && len(build) > 1 && build[0] == '(' && digits(build[1:]) == len(build)-1 {
		p.pre, _ = scanPrerelease(suffix, false)
	} else if suffix, ok := strings.CutPrefix(rest, "-v8"); ok {
		p.pre, _ = scanPrerelease(suffix, false)
	} else if len(rest) > len(unfinished) && strings.EqualFold(rest[:len(unfinished)], unfinished) {
		p.pre = "devel"
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	if len(word) < len(rest) { // there was a blank
		switch word = strings.ToLower(word); word {
		case "alpha", "beta", "rc":
			p.pre = word
		}
	}
	return p
}

// boringCrypto reports whether a pre-release behind a Go version is the number of BoringCrypto:
// go1.16.4b7. Go's own betas are spelled out, as in go1.17beta1.
func boringCrypto(before, pre string) bool {
	return strings.HasSuffix(before, "go") && len(pre) > 1 && pre[0] == 'b' && digits(pre[1:]) == len(pre)-1
}

// unfinished follows the version of R's development branch.
const unfinished = " Under development"

func endsInWord(s, word string) bool {
	n := len(s) - len(word)
	return n >= 0 && strings.EqualFold(s[n:], word) && (n == 0 || !isLetter(s[n-1]))
}

// foreignWord returns the length of the word that s begins with if versions in
// it are not the tool's: an option, a path, an address.
func foreignWord(s string) int {
	end := strings.IndexByte(s, ' ')
	if end < 0 {
		end = len(s)
	}
	word := s[:end]
	if word[0] == '-' || word[0] == '/' || strings.HasPrefix(word, "~/") ||
		strings.HasPrefix(word, "./") || strings.Contains(word, "://") {
		return end
	}
	return 0
}

// isNoise reports whether line is a warning or a log line, or Java's note that
// it took options from the environment.
func isNoise(line string) bool {
	lower := strings.ToLower(line)
	if strings.Contains(lower, "picked up ") {
		return true
	}
	if strings.Contains(lower, "warn") {
		for word := range strings.FieldsFuncSeq(lower, func(r rune) bool { return r < 'a' || r > 'z' }) {
			if word == "warn" || word == "warning" {
				return true
			}
		}
	}
	level := strings.TrimLeft(lower, "[(<* ")
	for _, word := range []string{"error", "info", "note", "notice", "debug", "trace"} {
		if rest, ok := strings.CutPrefix(level, word); ok && rest != "" && strings.IndexByte(":])>", rest[0]) >= 0 {
			return true
		}
	}
	return false
}

// withoutLegal cuts line at the words that begin a notice of years and licenses.
func withoutLegal(line string) string {
	lower := strings.ToLower(line)
	for _, word := range []string{"copyright", "license", "licence", "(c) "} {
		if i := strings.Index(lower, word); i >= 0 && len(lower) == len(line) {
			line, lower = line[:i], lower[:i]
		}
	}
	return line
}

// clean returns what a terminal would show of output: escape sequences are
// gone, "\r" is a line end, other control characters are blanks.
func clean(output string) string {
	if len(output) > maxOutput {
		output = output[:maxOutput]
	}
	isControl := func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }
	if strings.IndexFunc(output, isControl) < 0 {
		return output
	}
	b := make([]byte, 0, len(output))
	for i := 0; i < len(output); i++ {
		switch c := output[i]; {
		case c == 0x1b:
			i += escape(output[i:]) - 1
		case c == '\r':
			if !strings.HasPrefix(output[i+1:], "\n") {
				b = append(b, '\n')
			}
		case isControl(rune(c)) && c != '\n':
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// escape returns the length of the escape sequence that s begins with
// (ECMA-48: a control sequence, a control string, or two characters).
func escape(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < ' ' {
				return i
			}
		}
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(s); i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\"):
				return i + 2
			case s[i] == 0x1b || s[i] == '\n': // it was never ended
				return i
			}
		}
	default:
		return 2
	}
	return len(s)
}

func lineAt(text string, i int) string {
	from := strings.LastIndexByte(text[:i], '\n') + 1
	line, _, _ := strings.Cut(text[from:], "\n")
	return shorten(strings.TrimSpace(line))
}

// shorten cuts a line to 200 bytes, and drops what is not UTF-8.
func shorten(line string) string {
	const limit = 200
	line = strings.ToValidUTF8(line, "")
	if len(line) <= limit {
		return line
	}
	cut := limit
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut]
}
