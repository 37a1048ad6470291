package metadata

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// MaxProgram is the greatest number of instructions that an expression may compile to.
// Matching takes at most that many steps for each character, so this limit and the length of
// the text bound the cost of an expression.
const MaxProgram = 1000

// Bounds on what takes long to parse, whatever it compiles to. A class of Unicode has hundreds
// of ranges, and under the flag i the parser visits each character of a range.
const (
	maxClasses = 16
	maxFolded  = 4
)

var (
	unicodeClass = regexp.MustCompile(`\\[pP]`)
	ignoresCase  = regexp.MustCompile(`\(\?[a-zA-Z]*i`)
	wideRange    = regexp.MustCompile(`-(?:[^\x00-\x7f]|\\x\{)`)
)

// slowToParse returns why an expression would take long to parse, or "". It goes by the text
// alone, so escaped text may count too.
func slowToParse(pattern string) string {
	if n := len(unicodeClass.FindAllString(pattern, maxClasses+1)); n > maxClasses {
		return fmt.Sprintf(`has more than %d classes \p or \P`, maxClasses)
	}
	if n := len(wideRange.FindAllString(pattern, maxFolded+1)); n > maxFolded && ignoresCase.MatchString(pattern) {
		return fmt.Sprintf("has more than %d ranges beyond ASCII under the flag i", maxFolded)
	}
	return ""
}

// ProgramSize returns the approximate number of instructions that an RE2 expression compiles
// to. It may be too low by a handful, and is 0 for a malformed expression and for one that takes
// long to parse.
func ProgramSize(pattern string) int {
	if slowToParse(pattern) != "" {
		return 0
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	return programSize(re)
}

// programSize counts without compiling, so that large programs are never built. The parser
// refuses more than 1000 nested repetitions, so the count does not overflow.
func programSize(re *syntax.Regexp) int {
	size := 0
	for _, sub := range re.Sub {
		size += programSize(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return max(1, len(re.Rune))
	case syntax.OpCapture:
		return size + 2
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		return size + 1
	case syntax.OpAlternate:
		return size + len(re.Sub) - 1
	case syntax.OpRepeat:
		if re.Max < 0 { // x{3,} compiles as xxxx*
			return max(1, re.Min)*size + 1
		}
		return re.Max*size + re.Max - re.Min
	case syntax.OpConcat:
		return size
	}
	return 1
}
