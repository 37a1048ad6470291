package gen

import (
	"cmp"
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// automaton follows a pattern one character at a time. State 0 is the first.
type automaton []automatonState

type automatonState struct {
	accepts bool
	// next are the characters that lead on, in ascending ranges; all others lead
	// nowhere.
	next []transition
}

type transition struct {
	low, high rune
	state     int
}

// maxStates bounds what SQL is made of.
const maxStates = 200

// automaton makes the automaton of a pattern, by following all its ways at once.
func (p *Pattern) automaton() (automaton, error) {
	prog, err := syntax.Compile(p.re.Simplify())
	if err != nil {
		return nil, err
	}
	var out automaton
	var sets [][]uint32
	index := map[string]int{}
	state := func(set []uint32) int {
		key := fmt.Sprint(set)
		if i, ok := index[key]; ok {
			return i
		}
		index[key] = len(sets)
		sets = append(sets, set)
		return index[key]
	}
	state(closure(prog, []uint32{uint32(prog.Start)}))
	for i := 0; i < len(sets); i++ {
		if i == maxStates {
			return nil, fmt.Errorf("the pattern %s needs more than %d states in SQL", p.Text, maxStates)
		}
		s := automatonState{}
		for _, pc := range sets[i] {
			s.accepts = s.accepts || prog.Inst[pc].Op == syntax.InstMatch
		}
		for _, r := range alphabet(prog, sets[i]) {
			if to := step(prog, sets[i], r[0]); len(to) > 0 {
				s.add(transition{r[0], r[1], state(to)})
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// add appends a transition, to the last one where it goes on with it.
func (s *automatonState) add(t transition) {
	if n := len(s.next); n > 0 && s.next[n-1].state == t.state && s.next[n-1].high+1 == t.low {
		s.next[n-1].high = t.high
		return
	}
	s.next = append(s.next, t)
}

// closure are the instructions that wait for a character, or match.
func closure(prog *syntax.Prog, from []uint32) []uint32 {
	seen := map[uint32]bool{}
	var out []uint32
	for len(from) > 0 {
		pc := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch in := &prog.Inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			from = append(from, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			from = append(from, in.Out)
		case syntax.InstFail:
		default:
			out = append(out, pc)
		}
	}
	slices.Sort(out)
	return out
}

// step are the instructions behind those that take the character c.
func step(prog *syntax.Prog, set []uint32, c rune) []uint32 {
	var out []uint32
	for _, pc := range set {
		if in := &prog.Inst[pc]; in.Op != syntax.InstMatch && in.MatchRune(c) {
			out = append(out, in.Out)
		}
	}
	return closure(prog, out)
}

// alphabet are the ranges of characters between which the instructions make no
// difference.
func alphabet(prog *syntax.Prog, set []uint32) [][2]rune {
	starts := []rune{1}
	for _, pc := range set {
		in := &prog.Inst[pc]
		switch in.Op {
		case syntax.InstMatch:
			continue
		case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			starts = append(starts, '\n', '\n'+1)
			continue
		}
		runes := in.Rune
		if len(runes) == 1 {
			for _, c := range casesOf(&syntax.Regexp{Flags: syntax.Flags(in.Arg)}, runes[0]) {
				starts = append(starts, c, c+1)
			}
			continue
		}
		for i := 0; i < len(runes); i += 2 {
			starts = append(starts, runes[i], runes[i+1]+1)
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	var out [][2]rune
	for i, low := range starts {
		high := rune(maxRune)
		if i+1 < len(starts) {
			high = starts[i+1] - 1
		}
		if low >= 1 && low <= high {
			out = append(out, [2]rune{low, high})
		}
	}
	slices.SortFunc(out, func(a, b [2]rune) int { return cmp.Compare(a[0], b[0]) })
	return out
}

// sqlite is the condition that the whole of a text matches, as SQLite has it.
// The text is followed by a recursive query: p is the place, s the state, u the
// character that is next.
func (a automaton) sqlite(text string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "EXISTS (WITH RECURSIVE run(p, s, u) AS (SELECT 1, 0, unicode(substr(%s, 1, 1)) UNION ALL SELECT p + 1, CASE s", text)
	for i, s := range a {
		fmt.Fprintf(&out, " WHEN %d THEN %s", i, s.sqlite())
	}
	fmt.Fprintf(&out, " END, unicode(substr(%s, p + 1, 1)) FROM run WHERE u IS NOT NULL AND s >= 0) SELECT 1 FROM run WHERE u IS NULL AND s IN (", text)
	for i, n := 0, 0; i < len(a); i++ {
		if a[i].accepts {
			if n++; n > 1 {
				out.WriteString(", ")
			}
			fmt.Fprint(&out, i)
		}
	}
	out.WriteString("))")
	return out.String()
}

// sqlite is the state that follows, and -1 where there is none.
func (s automatonState) sqlite() string {
	switch {
	case len(s.next) == 0:
		return "-1"
	case s.next[0].low == 1 && s.next[0].high == maxRune:
		return strconv.Itoa(s.next[0].state)
	}
	var out strings.Builder
	out.WriteString("CASE")
	at := rune(1)
	for _, t := range s.next {
		if t.low > at {
			fmt.Fprintf(&out, " WHEN u < %d THEN -1", t.low)
		}
		if t.high < maxRune {
			fmt.Fprintf(&out, " WHEN u < %d THEN %d", t.high+1, t.state)
		} else {
			fmt.Fprintf(&out, " ELSE %d", t.state)
		}
		at = t.high + 1
	}
	if s.next[len(s.next)-1].high < maxRune {
		out.WriteString(" ELSE -1")
	}
	out.WriteString(" END")
	return out.String()
}
