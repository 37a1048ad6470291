package document

import "time"

// Optional is a value that a document may leave out, where the default is not
// Go's zero value.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Some is an Optional that is set.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// Or is the value, or def where there is none.
func (o Optional[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// IsZero reports whether the value was left out, so that encoders omit it.
func (o Optional[T]) IsZero() bool { return !o.Set }

// Duration is a time.Duration written as Go writes it: "10s", "1m30s".
type Duration time.Duration

// String is the duration as a document has it.
func (d Duration) String() string { return time.Duration(d).String() }
