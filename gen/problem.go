package gen

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Problem is one thing in the input that cannot be honoured.
type Problem struct {
	// Pos is where it stands; a line of 0 is the file as a whole.
	Pos     token.Position
	Message string
}

// Error is file:line:column and the message.
func (p Problem) Error() string {
	if p.Pos.Line == 0 {
		return p.Pos.Filename + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s", p.Pos, p.Message)
}

// Problems are all of them, in the order of the files. As an error it has one
// on each line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// add reports a problem at pos.
func (ps *Problems) add(pos token.Position, format string, args ...any) {
	*ps = append(*ps, Problem{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// err is ps as an error, sorted; none is nil.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a.Pos == b.Pos && a.Message == b.Message })
}
