package detect

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/metadata"
)

// A match cannot be interrupted. It takes one step per byte of the text and instruction of
// the expression at most, so steps are bounded beforehand.
const (
	// maxSteps bounds one match to about a twentieth of a second. Usual expressions reach
	// beyond 64 KiB.
	maxSteps = 1 << 21
	// definitionSteps bounds the matches that a round makes for one untrusted definition.
	definitionSteps = 4 * maxSteps
	// roundSteps bounds the matches that a round makes for all untrusted definitions, to
	// some seconds. Each gets an equal part, so none takes from another.
	roundSteps = 128 * maxSteps
	// compileSteps is the cost of compiling one instruction.
	compileSteps = 16
	// versionSteps is the cost of each version but the first in one output, since an
	// installation takes memory as long as the round lasts.
	versionSteps = 1 << 15
)

// An expression is a regular expression. It is compiled for each use: that costs less than
// starting a command, and a host has few of a fleet's runtimes.
type expression struct {
	source string
	size   int // in instructions
}

// parsed returns the expression of a source that passed validation, and nil for an empty
// source.
func parsed(source string) *expression {
	if source == "" {
		return nil
	}
	return &expression{source: source, size: max(1, metadata.ProgramSize(source))}
}

// reach returns the number of bytes of a text that are matched.
func (e *expression) reach() int { return maxSteps / e.size }

// cut returns the part of a text that is matched, cut between characters.
func (e *expression) cut(text string) string {
	if len(text) <= e.reach() {
		return text
	}
	end := e.reach()
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// steps returns the greatest cost of compiling the expression and matching a text with it.
func (e *expression) steps(text string) int { return e.size * (compileSteps + len(text)) }

// A matching makes the matches of a round. Those for untrusted definitions are made one at a
// time, so that they leave processors to everything else.
type matching struct {
	each int // steps for one untrusted definition
	turn chan struct{}

	mu    sync.Mutex
	spent map[string]int // steps by ref of an untrusted definition
}

func newMatching(definitions int) *matching {
	return &matching{
		each: min(definitionSteps, roundSteps/max(1, definitions)),
		turn: make(chan struct{}, 1), spent: map[string]int{},
	}
}

// An errSpent says that a definition has used up its steps.
type errSpent struct{ each int }

func (e errSpent) Error() string {
	return fmt.Sprintf("its patterns need more than its %d steps of a round", e.each)
}

// use calls f with the compiled expression and the part of text that is matched. The error
// is an errSpent, or the cause of ctx's end.
func (m *matching) use(ctx context.Context, ref string, trusted bool, e *expression, text string, f func(*regexp.Regexp, string)) error {
	text = e.cut(text)
	if !trusted {
		if !m.spend(ref, e.steps(text)) {
			return errSpent{m.each}
		}
		select {
		case m.turn <- struct{}{}:
			defer func() { <-m.turn }()
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f(regexp.MustCompile(e.source), text)
	return nil
}

// afford returns how many of n versions in an output an untrusted definition has steps for,
// and takes the steps.
func (m *matching) afford(ref string, n int) int {
	afforded := min(n, 1)
	for afforded < n && m.spend(ref, versionSteps) {
		afforded++
	}
	return afforded
}

// spend takes steps from those of a definition and reports whether it had them.
func (m *matching) spend(ref string, steps int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spent[ref]+steps > m.each {
		return false
	}
	m.spent[ref] += steps
	return true
}
