package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// unsafe reports whether a character could act on a terminal, turn the text
// around it, or hide: control and format characters (among them the bidi
// controls, zero-width and tag characters), line separators, and the letters and
// selectors that Unicode wants to be displayed as nothing.
func unsafe(r rune) bool {
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Escaped returns a writer of JSON documents, or of the lines of a log, to w. It
// writes the characters that Clean escapes as JSON's \uXXXX: a document means the
// same as before. Each Write holds whole characters, as those of json.Encoder and
// the handlers of slog do.
func Escaped(w io.Writer) io.Writer { return escapingWriter{w} }

type escapingWriter struct{ io.Writer }

// Write implements io.Writer. It copies a part at a time, because an encoder writes a document of megabytes at once.
func (e escapingWriter) Write(p []byte) (int, error) {
	const most = 64 << 10
	for done := 0; done < len(p); {
		end := min(done+most, len(p))
		for end < len(p) && end > done+1 && !utf8.RuneStart(p[end]) {
			end--
		}
		if _, err := e.Writer.Write(escape(p[done:end])); err != nil {
			return done, err
		}
		done = end
	}
	return len(p), nil
}

// escape returns text as Escaped writes it. Line ends outside JSON strings are the
// only control characters that a JSON document may hold as they are.
func escape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if n := printable(text[i:]); n > 0 {
			out = append(out, text[i:i+n]...)
			i += n
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, `\ufffd`...)
		case r == '\n' || !unsafe(r):
			out = append(out, text[i:i+n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	return out
}

// printable returns the length of the ASCII at the beginning of a text that stays as it is, which is nearly all of
// most documents.
func printable(text []byte) int {
	for i, c := range text {
		if (c < ' ' || c > '~') && c != '\n' {
			return i
		}
	}
	return len(text)
}

// NewJSONEncoder returns an encoder of JSON for people and programs: text is not
// escaped for HTML, but by Escaped.
func NewJSONEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(Escaped(w))
	enc.SetEscapeHTML(false)
	return enc
}
