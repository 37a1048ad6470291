package model

import (
	"errors"
	"fmt"
	"go/token"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Pattern matches the whole of a text. It uses the part of regular expressions that has
// the same meaning in Go, JSON Schema and Postgres: characters, classes, groups, |, and
// * + ? {n,m}.
type Pattern struct {
	// Text is the expression as its author wrote it.
	Text string
	// Pos is the place of the directive.
	Pos token.Position
	re  *syntax.Regexp
}

// NewPattern parses an expression. The error names what is not portable.
func NewPattern(text string) (*Pattern, error) {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if err := portable(re); err != nil {
		return nil, err
	}
	return &Pattern{Text: text, re: re}, nil
}

// portable refuses what other dialects lack or understand differently.
func portable(re *syntax.Regexp) error {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return errors.New("^ and $ are not needed: the whole text is matched")
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return errors.New(". is not the same everywhere: name the characters in a class")
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return errors.New("\\b is not the same everywhere")
	case syntax.OpNoMatch:
		return errors.New("it matches nothing")
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		if re.Flags&syntax.NonGreedy != 0 {
			return errors.New("a lazy repetition has no effect when the whole text is matched")
		}
	}
	for _, sub := range re.Sub {
		if err := portable(sub); err != nil {
			return err
		}
	}
	return nil
}

// ECMA returns the anchored expression for JSON Schema. With empty it also matches the empty
// text.
func (p *Pattern) ECMA(empty bool) string {
	return p.print(printer{any: `[\s\S]`, escape: func(c rune, class bool) string {
		switch {
		case c == '-' && !class:
			return "-" // some validators refuse an escaped one
		case c < ' ' || c > 0x7e && c <= 0xff:
			return fmt.Sprintf(`\x%02x`, c)
		case c > 0xff:
			return string(c) // some validators do not know \u
		case alphanumeric(c) || strings.ContainsRune(" _\"'<>=,;:&%#@!~`", c):
			return string(c)
		}
		return `\` + string(c)
	}}, empty)
}

// Postgres returns the anchored expression for Postgres.
func (p *Pattern) Postgres(empty bool) string {
	return p.print(printer{any: ".", escape: func(c rune, _ bool) string {
		if alphanumeric(c) || c == '_' {
			return string(c)
		}
		if c > 0xffff {
			return fmt.Sprintf(`\U%08x`, c)
		}
		return fmt.Sprintf(`\u%04x`, c)
	}}, empty)
}

func alphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *Pattern) print(to printer, empty bool) string {
	to.regexp(p.re)
	if empty {
		return "^(?:" + to.out.String() + ")?$"
	}
	return "^(?:" + to.out.String() + ")$"
}

// A printer writes an expression in one dialect.
type printer struct {
	out strings.Builder
	// any matches any character.
	any string
	// escape writes one character so that it stands for itself, inside or outside of a class.
	escape func(c rune, class bool) string
}

func (w *printer) regexp(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if cases := casesOf(re, c); len(cases) > 2 {
				w.class(cases)
			} else {
				w.out.WriteString(w.escape(c, false))
			}
		}
	case syntax.OpCharClass:
		w.class(re.Rune)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			w.group(sub, sub.Op == syntax.OpAlternate)
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				w.out.WriteByte('|')
			}
			w.regexp(sub)
		}
	case syntax.OpCapture:
		w.group(re.Sub[0], true)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		single := re.Sub[0].Op == syntax.OpCharClass || re.Sub[0].Op == syntax.OpLiteral && len(re.Sub[0].Rune) == 1
		w.group(re.Sub[0], !single)
		w.out.WriteString(repetition(re))
	}
}

// casesOf returns the ranges that a character of a literal matches: the character itself,
// or all its forms if case is ignored.
func casesOf(re *syntax.Regexp, c rune) []rune {
	forms := []rune{c}
	if re.Flags&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
			forms = append(forms, f)
		}
	}
	slices.Sort(forms)
	var ranges []rune
	for _, f := range forms {
		ranges = append(ranges, f, f)
	}
	return ranges
}

func (w *printer) group(re *syntax.Regexp, needed bool) {
	if !needed || re.Op == syntax.OpCapture {
		w.regexp(re)
		return
	}
	w.out.WriteString("(?:")
	w.regexp(re)
	w.out.WriteByte(')')
}

func repetition(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpStar:
		return "*"
	case syntax.OpPlus:
		return "+"
	case syntax.OpQuest:
		return "?"
	}
	switch {
	case re.Max < 0:
		return "{" + strconv.Itoa(re.Min) + ",}"
	case re.Max == re.Min:
		return "{" + strconv.Itoa(re.Min) + "}"
	}
	return "{" + strconv.Itoa(re.Min) + "," + strconv.Itoa(re.Max) + "}"
}

const maxRune = 0x10ffff

// class writes a class. A class that reaches to the last character is written as what it
// excludes.
func (w *printer) class(ranges []rune) {
	negated := len(ranges) > 0 && ranges[len(ranges)-1] == maxRune
	if negated {
		ranges = complement(ranges)
	}
	if len(ranges) > 1 && ranges[1] == 0 {
		ranges = ranges[2:] // texts do not contain NUL
	}
	if negated && len(ranges) == 0 {
		w.out.WriteString(w.any)
		return
	}
	w.out.WriteByte('[')
	if negated {
		w.out.WriteByte('^')
	}
	for i := 0; i < len(ranges); i += 2 {
		low, high := max(ranges[i], 1), ranges[i+1]
		w.out.WriteString(w.escape(low, true))
		if high > low {
			if high > low+1 {
				w.out.WriteByte('-')
			}
			w.out.WriteString(w.escape(high, true))
		}
	}
	w.out.WriteByte(']')
}

// complement returns the gaps between sorted ranges.
func complement(ranges []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i] > next {
			out = append(out, next, ranges[i]-1)
		}
		next = ranges[i+1] + 1
	}
	if next <= maxRune {
		out = append(out, next, maxRune)
	}
	return out
}
