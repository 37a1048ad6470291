// Package document supports the code that attune-gen generates: a Reader, a Writer and a
// Checker of JSON documents, the types of fields, and the faults that they report. It exports
// nothing else. The JSON syntax is read by jsontext, from which the standard library's
// encoding/json/jsontext is made.
//
// Documents are read strictly. They must be UTF-8, without duplicate keys in an object and
// without NUL in texts. They have at most MaxSize bytes, MaxDepth levels, and MaxDigits digits
// in a number. 1.0 is a whole number. Null means the same as a missing key.
package document

import "encoding/json"

// Limits of a document.
const (
	// MaxSize is the size of the largest document that is read, in bytes. Blanks between its
	// parts do not count, and numbers count in the form without an exponent. So a document
	// does not become too large by being stored in a database.
	MaxSize = 1 << 20
	// MaxText is the size of the longest text that is read as a document, in bytes, including
	// blanks.
	MaxText = 2 * MaxSize
	// MaxDigits is the greatest number of digits of a number in the form without an exponent.
	// Floating-point numbers need fewer.
	MaxDigits = 1000
	// MaxDepth is the greatest nesting of lists and objects.
	MaxDepth = 64
)

// Unknown holds the members of an object that its type does not name, unchanged and in the
// order in which they were read.
type Unknown []Member

// A Member is one key of an object with its JSON value.
type Member struct {
	Key   string
	Value json.RawMessage
}

// An UnknownKey is a key that no type names. It is kept, because it may belong to another
// program or be a typing error.
type UnknownKey struct {
	// Pointer is the JSON pointer to the key.
	Pointer string
	// Key is the last part of the pointer, and Known holds the known keys of its object.
	Key   string
	Known []string
}

// AddUnknown appends the unknown members of the object at pointer. known holds the known keys
// of the object.
func AddUnknown(to *[]UnknownKey, pointer string, unknown Unknown, known []string) {
	for _, m := range unknown {
		*to = append(*to, UnknownKey{Pointer: Child(pointer, m.Key), Key: m.Key, Known: known})
	}
}
