package metadata

import "github.com/attune-go/attune/schema/document"

// The parts of documents, and their faults.
type (
	// A Fault is something wrong in a document, with its JSON pointer.
	Fault = document.Fault
	// Faults holds the faults of a document as one error.
	Faults = document.Faults
	// Unknown holds the members of an object that its type does not name.
	Unknown = document.Unknown
	// A Member is one key of an object with its JSON value.
	Member = document.Member
	// An UnknownKey is a key that no type names, with its place.
	UnknownKey = document.UnknownKey
	// A Duration is a time.Duration that is written as in Go: "10s", "1m30s".
	Duration = document.Duration
)

// An Optional is a value that a document may leave out and whose default is not Go's zero
// value.
type Optional[T any] = document.Optional[T]

// Some returns an Optional that is set.
func Some[T any](v T) Optional[T] { return document.Some(v) }

// Limits of a document. Package document describes them.
const (
	MaxSize   = document.MaxSize
	MaxText   = document.MaxText
	MaxDepth  = document.MaxDepth
	MaxDigits = document.MaxDigits
)
