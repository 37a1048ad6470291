package document

import "time"

// An Optional is a value that a document may leave out and whose default is not Go's zero
// value.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Some returns an Optional that is set.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// Or returns the value, or def if it is not set.
func (o Optional[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// IsZero reports whether the value is not set, so that encoders omit it.
func (o Optional[T]) IsZero() bool { return !o.Set }

// A Duration is a time.Duration that is written as in Go: "10s", "1m30s".
type Duration time.Duration

// String returns the duration as it is written in a document.
func (d Duration) String() string { return time.Duration(d).String() }
