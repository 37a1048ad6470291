package version

import (
	"fmt"
	"strconv"
)

// A SyntaxError is a version or a constraint that cannot be read.
type SyntaxError struct {
	// What is "version" or "constraint".
	What string
	// Text is the input, shortened if it is too long to show.
	Text string
	// Position is where reading stopped, in bytes from 1.
	Position int
	// Message explains the fault, and names what to write instead if that is known.
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s %s: position %d: %s", e.What, strconv.Quote(e.Text), e.Position, e.Message)
}

func checkLength(what, s string, limit int) error {
	if len(s) <= limit {
		return nil
	}
	return &SyntaxError{what, s[:32] + "…", limit + 1, fmt.Sprintf("must have at most %d bytes, got %d", limit, len(s))}
}

func quote(s string) string {
	if len(s) > 32 {
		s = s[:32] + "…"
	}
	return strconv.Quote(s)
}
