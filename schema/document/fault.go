package document

import (
	"errors"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong in a document.
type Fault struct {
	// Pointer is the JSON pointer to the place; empty is the whole document.
	Pointer string
	// Message says what is wrong there, in words that can follow a colon.
	Message string
}

// Error is the pointer and the message: "/verification/commands/1/pattern:
// missing closing )".
func (f Fault) Error() string {
	if f.Pointer == "" {
		return f.Message
	}
	return f.Pointer + ": " + f.Message
}

// Faults are all the things that are wrong in a document, in the order they
// were found. As an error it lists each of them.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "; ")
}

// OrNil is fs as an error; no faults are no error.
func (fs Faults) OrNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// maxFaults bounds what one hostile document can make us remember.
const maxFaults = 100

// add appends one fault, as long as there is room.
func (fs *Faults) add(f Fault) {
	switch n := len(*fs); {
	case n < maxFaults:
		*fs = append(*fs, f)
	case n == maxFaults:
		*fs = append(*fs, Fault{Message: "there are more faults than are listed"})
	}
}

// Under is err's faults as seen from a document that holds the faulty one at
// pointer; none for nil. An err of another kind is one fault.
func Under(pointer string, err error) Faults {
	if err == nil {
		return nil
	}
	var inner Faults
	if !errors.As(err, &inner) {
		return Faults{{Pointer: pointer, Message: err.Error()}}
	}
	out := make(Faults, len(inner))
	for i, f := range inner {
		out[i] = Fault{Pointer: pointer + f.Pointer, Message: f.Message}
	}
	return out
}

// Index is the pointer to the element i of the list at pointer.
func Index(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

// Excerpt is the beginning of s, for a message.
func Excerpt(s string) string { return cut(s, 60) }

func cut(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// appendPointer adds one key to a JSON pointer (RFC 6901).
func appendPointer(pointer []byte, key string) []byte {
	pointer = append(pointer, '/')
	for i := range len(key) {
		switch key[i] {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, key[i])
		}
	}
	return pointer
}
