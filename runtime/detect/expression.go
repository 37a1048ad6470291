package detect

import (
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/metadata"
)

// An expression is a regular expression that is compiled at its first use, because a
// host has few of the runtimes of a fleet.
type expression struct {
	regexp func() *regexp.Regexp
	// reach is the number of bytes of a text that are matched.
	reach int
}

// maxSteps bounds one match to about a tenth of a second, since a match cannot be
// interrupted. A match takes one step per byte of the text and instruction of the
// expression at most. Usual expressions reach beyond 64 KiB.
const maxSteps = 1 << 21

// lazy returns the expression of a source that passed validation, and nil for an empty
// source.
func lazy(source string) *expression {
	if source == "" {
		return nil
	}
	return &expression{
		regexp: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(source) }),
		reach:  maxSteps / max(1, metadata.ProgramSize(source)),
	}
}

// cut returns the part of a text that is matched, cut between characters.
func (e *expression) cut(text string) string {
	if len(text) <= e.reach {
		return text
	}
	end := e.reach
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
