package document

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Bool reads true or false. Null is false.
func (r *Reader) Bool() bool { return r.OptionalBool().Value }

// OptionalBool reads true or false. The result is not set for null and after a fault.
func (r *Reader) OptionalBool() Optional[bool] {
	switch r.peek() {
	case 't', 'f':
		if token := r.token(); !r.broken {
			return Some(token.Bool())
		}
	case 'n':
		r.Null()
	default:
		r.wrong("true or false")
	}
	return Optional[bool]{}
}

// Int reads a whole number from low to high. Null is 0.
func (r *Reader) Int(low, high int64) int { return r.OptionalInt(low, high).Value }

// OptionalInt reads a whole number from low to high. 1.0 and 1e2 are whole numbers. The
// result is not set for null and after a fault.
func (r *Reader) OptionalInt(low, high int64) Optional[int] {
	if r.peek() != '0' {
		if !r.Null() {
			r.wrong("a whole number")
		}
		return Optional[int]{}
	}
	number := r.number()
	if number == "" {
		return Optional[int]{}
	}
	value, ok := whole(number)
	if !ok || value < low || value > high {
		r.fault(fmt.Sprintf("must be a whole number from %d to %d, got %s", low, high, Excerpt(number)))
		return Optional[int]{}
	}
	return Some(int(value))
}

// Duration reads a duration. Null is 0. sample is an example for the message.
func (r *Reader) Duration(sample string) Duration { return r.OptionalDuration(sample).Value }

// OptionalDuration reads a duration such as sample. The result is not set for null and after
// a fault.
func (r *Reader) OptionalDuration(sample string) Optional[Duration] {
	s, ok := r.present()
	if !ok {
		return Optional[Duration]{}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		r.fault(fmt.Sprintf("must be a duration such as %q, got %q", sample, Excerpt(s)))
		return Optional[Duration]{}
	}
	return Some(Duration(d))
}

// Time reads a time in the format of RFC 3339, with at most nanoseconds. Null is the zero time.
// The result has the offset of the text.
func (r *Reader) Time() time.Time {
	s, ok := r.present()
	if !ok {
		return time.Time{}
	}
	t, ok := parseTime(s)
	if !ok {
		r.fault(fmt.Sprintf("must be a time such as %q, got %q", SampleTime, Excerpt(s)))
	}
	return t
}

// present reads text. ok is false for null and after a fault.
func (r *Reader) present() (s string, ok bool) {
	if r.peek() != '"' {
		if !r.Null() {
			r.wrong("text")
		}
		return "", false
	}
	s = r.text()
	return s, !r.broken
}

// number reads a number and returns its text, which is empty after a fault.
func (r *Reader) number() string {
	number := r.scalar()
	if len(number) <= MaxDigits && !hasExponent(number) {
		return number
	}
	digits, size := withoutExponent(number)
	if digits > MaxDigits {
		r.fault(fmt.Sprintf("must have at most %d digits without an exponent", MaxDigits))
		return ""
	}
	r.growth += max(int(size)-len(number), 0)
	return number
}

// Text reads text. Null is the empty text.
func (r *Reader) Text() string {
	if r.Null() {
		return ""
	}
	return r.elementText()
}

// elementText reads text in a list, where null is a fault.
func (r *Reader) elementText() string {
	if r.peek() != '"' {
		r.wrong("text")
		return ""
	}
	return r.text()
}

// text reads text in quotes.
func (r *Reader) text() string {
	raw := r.scalar()
	if r.broken {
		return ""
	}
	return r.unquote(raw)
}

// unquote returns the value of a text that has just been read.
func (r *Reader) unquote(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var err error
	if r.unquoted, err = jsontext.AppendUnquote(r.unquoted[:0], raw); err != nil {
		r.syntax(err)
	}
	text := string(r.unquoted)
	if strings.IndexByte(text, 0) >= 0 {
		r.fault("must not contain NUL")
	}
	return text
}

// Texts reads a list of text with at most most elements. A most of 0 means that there is no
// bound. An empty list becomes nil.
func Texts[T ~string](r *Reader, most int) []T {
	var room [8]T
	list := room[:0]
	for ok := r.List(); ok; ok = r.Element() {
		if r.Full(len(list), most) {
			break
		}
		list = append(list, T(r.elementText()))
	}
	return Exact(list)
}

// Exact returns a copy of list without spare capacity. An empty list becomes nil.
func Exact[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	out := make([]T, len(list))
	copy(out, list)
	return out
}
