package document

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Checker collects the faults of a document whose values are judged. Generated
// code goes down with Enter and EnterIndex and up again with Leave. The zero
// Checker is ready.
type Checker struct {
	way    []step
	faults Faults
}

// Err is what was found: Faults or nil.
func (c *Checker) Err() error { return c.faults.OrNil() }

// Enter goes down to the value of key.
func (c *Checker) Enter(key string) { c.way = append(c.way, step{key: key, index: noIndex}) }

// EnterIndex goes down to the element i of a list.
func (c *Checker) EnterIndex(i int) { c.way = append(c.way, step{index: i}) }

// Leave goes up again.
func (c *Checker) Leave() { c.way = c.way[:len(c.way)-1] }

// Pointer is the JSON pointer to where the checker is.
func (c *Checker) Pointer() string {
	var out []byte
	for _, s := range c.way {
		out = s.appendTo(out)
	}
	return string(out)
}

// Here reports message where the checker is; an empty message is no fault. It
// reports whether there was none.
func (c *Checker) Here(message string) bool {
	if message != "" {
		c.faults.add(Fault{Pointer: c.Pointer(), Message: message})
	}
	return message == ""
}

// At reports message at key; an empty message is no fault.
func (c *Checker) At(key, message string) {
	if message != "" {
		c.Enter(key)
		c.Here(message)
		c.Leave()
	}
}

// Under reports the faults of err, of the document where the checker is.
func (c *Checker) Under(err error) {
	for _, f := range Under(c.Pointer(), err) {
		c.faults.add(f)
	}
}

// Required says what is wrong with a text that must not be empty.
func Required(s string) string {
	if s == "" {
		return "is required"
	}
	return ""
}

// RequiredOr says what is wrong with a text that must not be empty, where its
// format has nothing to say.
func RequiredOr(s, message string) string {
	if message != "" {
		return message
	}
	return Required(s)
}

// MaxPatterned is how long a text may be that a pattern judges, in characters:
// more than any path or name has, and little enough for a database to follow.
const MaxPatterned = 4096

// Patterned says what is wrong with a text whose format has a pattern.
func Patterned(s string, format func(string) string) string { return Bounded(s, MaxPatterned, format) }

// Bounded says what is wrong with a text of at most so many characters. A nil
// format accepts any.
func Bounded(s string, most int, format func(string) string) string {
	switch {
	case len(s) > most && utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("is longer than %d characters", most)
	case format == nil:
		return ""
	}
	return format(s)
}

// Most says what is wrong with a list of n elements that has at most so many.
func Most(n, most int) string {
	if n > most {
		return fmt.Sprintf("has more than %d elements", most)
	}
	return ""
}

// Within says what is wrong with a number that must be from low to high.
func Within(v, low, high int) string {
	if v < low || v > high {
		return fmt.Sprintf("must be from %d to %d, not %d", low, high, v)
	}
	return ""
}

// Int32 says what is wrong with a number without a range of its own: every
// database and every reader must agree on it.
func Int32(v int) string {
	if int64(v) != int64(int32(v)) {
		return fmt.Sprintf("must fit into 32 bits, not %d", v)
	}
	return ""
}

// Span are the bounds of a duration; nil is no bound.
type Span struct {
	// Min and Max are allowed themselves; Above is not.
	Min, Above, Max *Duration
}

// Bound is a bound of a Span.
func Bound(d time.Duration) *Duration { b := Duration(d); return &b }

// Check says what is wrong with v.
func (s Span) Check(v Duration) string {
	if (s.Min == nil || v >= *s.Min) && (s.Above == nil || v > *s.Above) && (s.Max == nil || v <= *s.Max) {
		return ""
	}
	var bounds []string
	if s.Min != nil {
		bounds = append(bounds, "at least "+s.Min.String())
	}
	if s.Above != nil {
		bounds = append(bounds, "more than "+s.Above.String())
	}
	if s.Max != nil {
		bounds = append(bounds, "at most "+s.Max.String())
	}
	return fmt.Sprintf("must be %s, not %s", strings.Join(bounds, " and "), v)
}

// OneOf says what is wrong with a text that must be one of the values.
func OneOf[T ~string](s T, values ...T) string {
	var list strings.Builder
	for i, v := range values {
		switch {
		case s == v:
			return ""
		case i > 0 && i == len(values)-1:
			list.WriteString(" or ")
		case i > 0:
			list.WriteString(", ")
		}
		list.WriteString(string(v))
	}
	return fmt.Sprintf("must be %s, not %q", &list, Excerpt(string(s)))
}

// Twice says that a text is in its list a second time.
func Twice[T ~string](s T) string { return Excerpt(string(s)) + " is there twice" }
