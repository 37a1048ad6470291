package version

import (
	"regexp"
	"slices"
	"strings"
)

// maxOutput is the number of bytes of a tool's output that are read. It exceeds what a
// probe keeps of both streams together.
const maxOutput = 128 << 10

// Extract finds the version in what a tool printed: its standard output, a
// newline, and its standard error, taken together. Raw is the line that holds it,
// without control characters and at most 200 bytes long. If there is no version, ok is
// false. Check the exit status first: the error text of a tool may look like a version.
//
// The first kind in this list that occurs counts, and within it the first occurrence:
//
//  1. the language's version that another implementation of the language
//     names: "jruby 9.4.3.0 (3.1.4)", "truffleruby 23.1.1, like ruby 3.2.2"
//  2. a quoted one, as Java prints it: version "17"
//  3. one with at least two numbers, outside brackets: "gcc (Debian
//     12.2.0-14) 12.2.0"
//  4. a single number after the name that begins the output, at the end of the
//     line or before a bracket: "systemd 252 (252.19-1)"
//  5. one with at least two numbers, in brackets: perl's "(v5.36.0)"
//  6. a single number after the word version, or as the whole output
//
// Dates, times, addresses, options, paths, warnings, and what follows the
// words copyright and license are not looked at.
func Extract(output string) (v Version, raw string, ok bool) {
	text := clean(output)
	for _, find := range []func(string) (Version, string, bool){findLanguage, findQuoted, findPlain} {
		if v, raw, ok = find(text); ok {
			return v, raw, true
		}
	}
	return Version{}, "", false
}

// ExtractPattern finds the version in what a tool printed, or in a file, where
// pattern points: in its group "version", else in its first group, else in the whole
// match. It reads the version there as Parse does, or else as Extract does. What Extract
// would read from the rest of the line counts too: a pre-release behind the group, as in
// "4.3.1 RC", and Java's "1.8.0". Before matching, it turns line ends into "\n" and removes
// escape sequences.
func ExtractPattern(pattern *regexp.Regexp, output string) (v Version, raw string, ok bool) {
	text := clean(output)
	match := pattern.FindStringSubmatchIndex(text)
	if match == nil {
		return Version{}, "", false
	}
	return extractMatch(pattern, text, match)
}

// An Extraction is a version in what a tool printed, and the line that holds it.
type Extraction struct {
	Version Version
	Raw     string
}

// ExtractAll finds the versions in all matches of pattern, as ExtractPattern finds the
// first. The newest comes first, and each version once.
func ExtractAll(pattern *regexp.Regexp, output string) (all []Extraction) {
	text := clean(output)
	for _, match := range pattern.FindAllStringSubmatchIndex(text, -1) {
		v, raw, ok := extractMatch(pattern, text, match)
		if ok && !slices.ContainsFunc(all, func(e Extraction) bool { return e.Version == v }) {
			all = append(all, Extraction{v, raw})
		}
	}
	slices.SortStableFunc(all, func(a, b Extraction) int { return b.Version.Compare(a.Version) })
	return all
}

// extractMatch reads the version in one match of pattern in a cleaned text.
func extractMatch(pattern *regexp.Regexp, text string, match []int) (v Version, raw string, ok bool) {
	group := pattern.SubexpIndex("version")
	if group < 0 {
		group = min(1, pattern.NumSubexp())
	}
	from, to := match[2*group], match[2*group+1]
	if from < 0 {
		return Version{}, "", false
	}
	v, err := Parse(text[from:to])
	if err != nil {
		if v, _, ok = Extract(text[from:to]); !ok {
			return Version{}, "", false
		}
	} else if p, ok := inLine(text, from, to); ok {
		v = p.version()
	}
	return v, lineAt(text, from), true
}

// inLine reads the version at text[from:to] with the rest of its line. ok is false if the
// line has further numbers of the version: then the pattern leaves them out on purpose.
func inLine(text string, from, to int) (p parts, ok bool) {
	start := strings.LastIndexByte(text[:from], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	at := from - start
	at += prefix(line[at:])
	p, n := scan(line[at:min(len(line), at+maxVersion)])
	own, _ := scan(text[start+at : to])
	if n == 0 || !slices.Equal(p.numbers, own.numbers) {
		return parts{}, false
	}
	p = withWord(p, line, at, at+n)
	p.numbers = javaNumbers(p.numbers, line[:at])
	return p, true
}

// javaNumbers removes the leading 1 of Java 8 and older without an update, such as "1.8.0".
// before is the text of the line before the version.
func javaNumbers(numbers []string, before string) []string {
	before = strings.ToLower(before)
	for _, java := range []string{`java version "`, `openjdk version "`, `java_version="`} {
		if strings.HasSuffix(before, java) && len(numbers) > 1 && numbers[0] == "1" {
			return numbers[1:]
		}
	}
	return numbers
}

var (
	languageVersion = regexp.MustCompile(`(?i)\b(?:(?:jruby|rubinius) [0-9]\S* \(|like ruby )(\d[^\s),]*)`)
	quotedVersion   = regexp.MustCompile(`(?i)\bversion "(\d[^"\n]*)"`)
)

func findLanguage(text string) (Version, string, bool) {
	p, at, ok := findMatch(languageVersion, text)
	return p.version(), lineAt(text, at), ok
}

func findQuoted(text string) (Version, string, bool) {
	p, at, ok := findMatch(quotedVersion, text)
	p.numbers = javaNumbers(p.numbers, text[:at])
	return p.version(), lineAt(text, at), ok
}

// findMatch reads the version in pattern's group and returns its offset.
func findMatch(pattern *regexp.Regexp, text string) (p parts, at int, ok bool) {
	match := pattern.FindStringSubmatchIndex(text)
	if match == nil || match[3]-match[2] > maxVersion {
		return parts{}, 0, false
	}
	p, _ = scan(text[match[2]:match[3]])
	return p, match[2], true
}

// A candidate ranks a version by the text around it; the greater wins.
type candidate int

const (
	none candidate = iota
	bareNumber
	bracketed
	named
	dotted
)

func findPlain(text string) (v Version, raw string, ok bool) {
	best, first := none, true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || isNoise(line) {
			continue
		}
		found, p := bestOfLine(withoutLegal(line), first)
		first = false
		if found > best {
			best, v, raw = found, p.version(), shorten(line)
		}
		if best == dotted {
			break
		}
	}
	if whole := strings.TrimSpace(text); best == none && digits(whole[prefix(whole):]) == len(whole)-prefix(whole) {
		if v, err := Parse(whole); err == nil {
			return v, whole, true
		}
	}
	return v, raw, best != none
}

// bestOfLine returns the line's best candidate; first is true on the first line
// that counts.
func bestOfLine(line string, first bool) (best candidate, found parts) {
	depth, words := 0, 0
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case isDigit(c):
			p, n, end := token(line, i)
			if n > 0 {
				if kind := classify(line, i, i+n, len(p.numbers), depth, first && words == 1 && p.pre == ""); kind > best {
					best, found = kind, withWord(p, line, i, i+n)
				}
			}
			i = end
			continue
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth = max(0, depth-1)
		case c != ' ' && (i == 0 || line[i-1] == ' '):
			words++
			if skip := foreignWord(line[i:]); skip > 0 {
				i += skip
				continue
			}
		}
		i++
	}
	return best, found
}
