package metadata

import "regexp/syntax"

// MaxProgram is the greatest number of instructions that an expression may compile to.
// Matching takes at most that many steps for each character, so this limit and the length of
// the text bound the cost of an expression.
const MaxProgram = 1000

// ProgramSize returns the approximate number of instructions that an RE2 expression compiles
// to. It may be too low by a handful, and is 0 for a malformed expression.
func ProgramSize(pattern string) int {
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
