// Package document is what the code that attune-gen writes beside annotated types
// needs at run time: a Reader, a Writer and a Checker of JSON documents, the types
// of fields, and the faults that they report. It exports nothing else. The syntax
// of JSON is read by jsontext, the package from which the standard library's
// encoding/json/jsontext is made.
//
// Documents are read strictly: UTF-8, no key twice in one object, no NUL in text, at
// most MaxDepth deep and MaxSize long, no number with more than MaxDigits digits.
// 1.0 is a whole number. null is the same as leaving a known key out.
package document

import "encoding/json"

// Limits of a document.
const (
	// MaxSize is the largest document that is read, in bytes. Blanks between its
	// parts do not count, and numbers count as they are without an exponent: so
	// no database makes a document too large that was not so before.
	MaxSize = 1 << 20
	// MaxText is the longest text of a document that is read, in bytes, whatever
	// in it are blanks.
	MaxText = 2 * MaxSize
	// MaxDigits is how many digits a number has at most that is written without an
	// exponent: more than any floating-point number needs.
	MaxDigits = 1000
	// MaxDepth is how deep lists and objects may be nested.
	MaxDepth = 64
)

// Unknown holds the members of an object that its type does not name, in the
// order they were read, their text unchanged.
type Unknown []Member

// Member is one key of an object with its JSON value.
type Member struct {
	Key   string
	Value json.RawMessage
}

// UnknownKey is a key that no type names. It is kept; it may be another
// program's, or a typing error.
type UnknownKey struct {
	// Pointer is the JSON pointer to it.
	Pointer string
	// Key is its last part, and Known the keys that its place has.
	Key   string
	Known []string
}

// AddUnknown appends the unknown members of the object at pointer, whose type
// names the keys known.
func AddUnknown(to *[]UnknownKey, pointer string, unknown Unknown, known []string) {
	for _, m := range unknown {
		*to = append(*to, UnknownKey{Pointer: string(appendPointer([]byte(pointer), m.Key)), Key: m.Key, Known: known})
	}
}
