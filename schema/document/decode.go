package document

import (
	"errors"
	"strings"
)

// Decode reads data into doc, a value of a generated type, and checks the values. The error is
// Faults and lists the faults of both steps. Faults that only follow from another are left out,
// such as a required key whose value has the wrong type. doc then holds what could be read.
func Decode(data []byte, doc interface {
	UnmarshalJSON(data []byte) error
	Validate() error
}) error {
	var out, invalid Faults
	if err := doc.UnmarshalJSON(data); err != nil {
		if !errors.As(err, &out) {
			return err
		}
		if !readable(data) {
			return out // keys behind the broken part only seem to be missing
		}
	}
	var unread Faults
	for _, f := range out {
		if !f.keepsValue() {
			unread = append(unread, f)
		}
	}
	errors.As(doc.Validate(), &invalid)
	for _, f := range invalid {
		if !unread.cover(f.Pointer) {
			out.add(f)
		}
	}
	return out.OrNil()
}

// readable reports whether data can be read to its end.
func readable(data []byte) bool {
	var r Reader
	if !r.Open(data) {
		return false
	}
	r.skip()
	_ = r.Close() // sets broken for text behind the document
	return !r.broken
}

// keepsValue reports whether the Reader had the value when it found the fault: the first of two
// equal keys, and the beginning of a list or a map that is too long.
func (f Fault) keepsValue() bool {
	return f.Message == duplicateKey || strings.Contains(f.Message, elementsGot) || strings.Contains(f.Message, keysGot)
}

// cover reports whether a fault is at the place of pointer or around it.
func (fs Faults) cover(pointer string) bool {
	for _, f := range fs {
		if rest, ok := strings.CutPrefix(pointer, f.Pointer); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}
