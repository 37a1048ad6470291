package document

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// A Checker collects the faults of a document's values. Generated code descends with Enter
// and EnterIndex, and ascends with Leave. The zero Checker is ready to use.
type Checker struct {
	way    []step
	faults Faults
}

// Err returns the collected Faults, or nil.
func (c *Checker) Err() error { return c.faults.OrNil() }

// Enter descends to the value of key.
func (c *Checker) Enter(key string) { c.way = append(c.way, step{key: key, index: noIndex}) }

// EnterIndex descends to element i of a list.
func (c *Checker) EnterIndex(i int) { c.way = append(c.way, step{index: i}) }

// Leave ascends one level.
func (c *Checker) Leave() { c.way = c.way[:len(c.way)-1] }

// Pointer returns the JSON pointer to the current place.
func (c *Checker) Pointer() string {
	var out []byte
	for _, s := range c.way {
		out = s.appendTo(out)
	}
	return string(out)
}

// Here reports a fault at the current place unless message is empty. It returns whether
// message is empty.
func (c *Checker) Here(message string) bool {
	if message != "" {
		c.faults.add(Fault{Pointer: c.Pointer(), Message: message})
	}
	return message == ""
}

// At reports a fault at key unless message is empty.
func (c *Checker) At(key, message string) {
	if message != "" {
		c.Enter(key)
		c.Here(message)
		c.Leave()
	}
}

// Under adds the faults of err, whose pointers start at the current place.
func (c *Checker) Under(err error) {
	for _, f := range Under(c.Pointer(), err) {
		c.faults.add(f)
	}
}

// Required returns the fault of a text that must not be empty, or an empty text.
func Required(s string) string {
	if s == "" {
		return "is required"
	}
	return ""
}

// RequiredOr returns message, or the fault of a text that must not be empty if message is
// empty.
func RequiredOr(s, message string) string {
	if message != "" {
		return message
	}
	return Required(s)
}

// MaxPatterned is the greatest number of characters in a text that a pattern checks. Paths
// and names are shorter, and a database can match texts of this length.
const MaxPatterned = 4096

// Patterned returns the fault of a text whose format has a pattern, or an empty text.
func Patterned(s string, format func(string) string) string { return Bounded(s, MaxPatterned, format) }

// Bounded returns the fault of a text with a greatest number of characters, or an empty
// text. A nil format accepts every text.
func Bounded(s string, most int, format func(string) string) string {
	switch {
	case len(s) > most && utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("must have at most %d characters, got %d", most, utf8.RuneCountInString(s))
	case format == nil:
		return ""
	}
	return format(s)
}

// Parts of the messages for a list and a map that are too long.
const (
	elementsGot = " elements, got "
	keysGot     = " keys, got "
)

// Most returns the fault of a list of n elements with a greatest number, or an empty text.
func Most(n, most int) string {
	if n > most {
		return fmt.Sprintf("must have at most %d%s%d", most, elementsGot, n)
	}
	return ""
}

// MostKeys returns the fault of a map of n keys with a greatest number, or an empty text.
func MostKeys(n, most int) string {
	if n > most {
		return fmt.Sprintf("must have at most %d%s%d", most, keysGot, n)
	}
	return ""
}

// Within returns the fault of a number that must be from low to high, or an empty text.
func Within[T int | float32 | float64](v, low, high T) string {
	if v >= low && v <= high { // false for NaN
		return ""
	}
	return fmt.Sprintf("must be from %v to %v, got %v", low, high, v)
}

// Finite returns the fault of a number that JSON cannot express, or an empty text.
func Finite[T float32 | float64](v T) string {
	if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Sprintf("must be a finite number, got %v", v)
	}
	return ""
}

// Int32 returns the fault of a number without a range of its own, or an empty text. Every
// database and every reader must agree on it.
func Int32(v int) string {
	if int64(v) != int64(int32(v)) {
		return fmt.Sprintf("must fit into 32 bits, got %d", v)
	}
	return ""
}

// A Span bounds a duration. Nil bounds are not checked.
type Span struct {
	// Min and Max are inclusive, Above is exclusive.
	Min, Above, Max *Duration
}

// Bound returns a bound of a Span.
func Bound(d time.Duration) *Duration { b := Duration(d); return &b }

// Check returns the fault of v, or an empty text.
func (s Span) Check(v Duration) string {
	if (s.Min == nil || v >= *s.Min) && (s.Above == nil || v > *s.Above) && (s.Max == nil || v <= *s.Max) {
		return ""
	}
	var bounds []string
	if s.Min != nil {
		bounds = append(bounds, "at least "+s.Min.String())
	}
	if s.Above != nil {
		bounds = append(bounds, "greater than "+s.Above.String())
	}
	if s.Max != nil {
		bounds = append(bounds, "at most "+s.Max.String())
	}
	return fmt.Sprintf("must be %s, got %s", strings.Join(bounds, " and "), v)
}

// OneOf returns the fault of a text that must be one of the values, or an empty text.
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
	return fmt.Sprintf("must be %s, got %q", &list, Excerpt(string(s)))
}

// Duplicate returns the fault of a text that occurs a second time in its list.
func Duplicate[T ~string](s T) string { return fmt.Sprintf("duplicate %q", Excerpt(string(s))) }
