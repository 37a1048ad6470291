package metadata

import "github.com/attune-go/attune/schema/document"

// What documents are made of, and what can be wrong with them.
type (
	// Fault is one thing that is wrong in a document, with its JSON pointer.
	Fault = document.Fault
	// Faults are all of them, as one error.
	Faults = document.Faults
	// Unknown holds the members of an object that its type does not name.
	Unknown = document.Unknown
	// Member is one key of an object with its JSON value.
	Member = document.Member
	// UnknownKey is a key that no type names, and where it stands.
	UnknownKey = document.UnknownKey
	// Duration is a time.Duration written as Go writes it: "10s", "1m30s".
	Duration = document.Duration
)

// Optional is a value that a document may leave out, where the default is not
// Go's zero value.
type Optional[T any] = document.Optional[T]

// Some is an Optional that is set.
func Some[T any](v T) Optional[T] { return document.Some(v) }

// Limits of a document, as package document has them.
const (
	MaxSize   = document.MaxSize
	MaxText   = document.MaxText
	MaxDepth  = document.MaxDepth
	MaxDigits = document.MaxDigits
)
