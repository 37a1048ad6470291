package detect

import (
	"regexp"
	"sync"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/metadata"
)

// expression is a regular expression that is compiled when it is first needed:
// most definitions of a fleet are of runtimes that a host does not have. Nil is
// none.
type expression struct {
	regexp func() *regexp.Regexp
	// reach is how many bytes of a text are matched.
	reach int
}

// maxSteps bounds one match: an instruction of the expression for each byte of the
// text, about a tenth of a second. Go's matching takes no more, and cannot be
// stopped. An expression as packs have them reaches 64 KiB far.
const maxSteps = 1 << 21

// lazy compiles source when it is asked to; validation has shown that it can
// be. An empty source is nil.
func lazy(source string) *expression {
	if source == "" {
		return nil
	}
	return &expression{
		regexp: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(source) }),
		reach:  maxSteps / max(1, metadata.ProgramSize(source)),
	}
}

// cut is as much of a text as is matched, cut between characters.
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
