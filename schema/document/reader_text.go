package document

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text reads text; null is the empty text.
func (r *Reader) Text() string {
	if r.peek() != '"' && r.Null() {
		return ""
	}
	return r.ElementText()
}

// ElementText reads text where null has no meaning: in a list.
func (r *Reader) ElementText() string {
	src, start := r.src, r.pos+1
	if r.peek() != '"' {
		r.wrong("text")
		return ""
	}
	// The quick way is that of nearly every text: nothing is escaped.
	if end := textEnd(src, start); end < len(src) && src[end] == '"' {
		r.pos = skipBlanks(src, end+1)
		return src[start:end]
	}
	s := r.quoted()
	r.space()
	return s
}

// Texts reads a list of text; no element is nil.
func (r *Reader) Texts() []string { return r.TextsWithin(0) }

// TextsWithin is Texts for a list of at most so many elements; 0 is any number.
func (r *Reader) TextsWithin(most int) []string {
	if !r.List() {
		return nil
	}
	start, used := len(r.texts), len(r.texts)
	for ok := true; ok; ok = r.Element() {
		if r.Full(used-start, most) {
			break
		}
		if used == cap(r.texts) {
			// What other lists have stays where it is: only this one moves.
			grown := make([]string, used-start, max(8, 4*(used-start)))
			copy(grown, r.texts[start:])
			r.texts, start, used = grown, 0, used-start
		}
		r.texts = append(r.texts, r.ElementText())
		used++
	}
	return r.texts[start:used:used]
}

// Texts reads a list of some type of text; no element is nil.
func Texts[T ~string](r *Reader) []T { return TextsWithin[T](r, 0) }

// TextsWithin is Texts for a list of at most so many elements; 0 is any number.
func TextsWithin[T ~string](r *Reader, most int) []T {
	var room [8]T
	list := room[:0]
	for ok := r.List(); ok; ok = r.Element() {
		if r.Full(len(list), most) {
			break
		}
		list = append(list, T(r.ElementText()))
	}
	return Exact(list)
}

// Exact is a copy of list in one allocation, and nil for no element.
func Exact[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	out := make([]T, len(list))
	copy(out, list)
	return out
}

// quoted reads text in quotes; the quote is the next byte.
func (r *Reader) quoted() string {
	src, start := r.src, r.pos+1
	i := textEnd(src, start)
	r.pos = i
	switch {
	case i == len(src):
		r.syntax("the quote that ends a text is missing")
	case src[i] == '"':
		r.pos++
		return src[start:i]
	case src[i] == '\\':
		return r.escaped(start)
	default:
		r.syntax("a control character in text must be escaped")
	}
	return ""
}

// escaped goes on with text in quotes from its first escape.
func (r *Reader) escaped(start int) string {
	out := r.room(start)
	from := out.Len()
	out.WriteString(r.src[start:r.pos])
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			r.pos++
			return out.String()[from:]
		case c == '\\':
			char, ok := r.escape()
			if !ok {
				return ""
			}
			out.WriteRune(char)
		case c < ' ':
			r.syntax("a control character in text must be escaped")
			return ""
		default:
			end := textEnd(r.src, r.pos)
			out.WriteString(r.src[r.pos:end])
			r.pos = end
		}
	}
	r.syntax("the quote that ends a text is missing")
	return ""
}

// room is a builder with room for the text that starts at start, whatever is
// escaped in it: it never moves, so that the texts before it stay where they are.
func (r *Reader) room(start int) *strings.Builder {
	end := r.pos
	for end < len(r.src) && r.src[end] != '"' {
		if r.src[end] == '\\' {
			end++
		}
		end = textEnd(r.src, min(end+1, len(r.src)))
	}
	if size := end - start; r.unescaped.Cap()-r.unescaped.Len() < size {
		r.unescaped = strings.Builder{}
		r.unescaped.Grow(max(size, min(128, len(r.src)-start)))
	}
	return &r.unescaped
}

// escape reads one escape sequence.
func (r *Reader) escape() (rune, bool) {
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if r.pos+1 < len(r.src) {
		if i := strings.IndexByte(from, r.src[r.pos+1]); i >= 0 {
			r.pos += 2
			return rune(to[i]), true
		}
	}
	at := r.pos
	char, ok := r.unit()
	message := ""
	switch {
	case !ok:
		message = "an escape sequence is wrong"
	case char == 0:
		message = "text must not hold NUL"
	case utf16.IsSurrogate(char):
		low, ok := r.unit()
		if char = utf16.DecodeRune(char, low); !ok || char == utf8.RuneError {
			message = "half of a surrogate pair is missing"
		}
	}
	if message != "" {
		r.pos = at
		r.syntax(message)
		return 0, false
	}
	return char, true
}

// unit reads \uXXXX.
func (r *Reader) unit() (rune, bool) {
	if r.pos+6 > len(r.src) || r.src[r.pos:r.pos+2] != `\u` {
		return 0, false
	}
	v, err := strconv.ParseUint(r.src[r.pos+2:r.pos+6], 16, 16)
	if err != nil {
		return 0, false
	}
	r.pos += 6
	return rune(v), true
}
