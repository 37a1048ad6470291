package gen

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// A Fault is something wrong in the input.
type Fault struct {
	// Pos is the place of the fault. A line of 0 means the file as a whole.
	Pos     token.Position
	Message string
}

// Error returns file:line:column and the message.
func (p Fault) Error() string {
	if p.Pos.Line == 0 {
		return p.Pos.Filename + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s", p.Pos, p.Message)
}

// Faults holds all faults, in the order of the files. As an error it has one on each line.
type Faults []Fault

func (ps Faults) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// add adds a fault at pos.
func (ps *Faults) add(pos token.Position, format string, args ...any) {
	*ps = append(*ps, Fault{Pos: pos, Message: fmt.Sprintf(format, args...)})
}

// err returns ps as a sorted error, or nil without faults.
func (ps Faults) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return slices.CompactFunc(ps, func(a, b Fault) bool { return a.Pos == b.Pos && a.Message == b.Message })
}
