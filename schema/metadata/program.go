package metadata

import "regexp/syntax"

// MaxProgram is how many instructions an expression is compiled to at most.
// Matching takes at most so many steps for each character of a text, so this and
// the length of the text bound what an expression costs.
const MaxProgram = 1000

// ProgramSize returns how many instructions an RE2 expression is compiled to, about
// and never too few by more than a handful; 0 where it is none.
func ProgramSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	return programSize(re)
}

// programSize counts without compiling: what is too large is never built. The parser
// refuses more than 1000 repetitions inside each other, so the count does not
// overflow.
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
		if re.Max < 0 { // x{3,} is xxxx*
			return max(1, re.Min)*size + 1
		}
		return re.Max*size + re.Max - re.Min
	case syntax.OpConcat:
		return size
	}
	return 1
}
