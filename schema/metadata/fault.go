package metadata

import (
	"errors"
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

// orNil is fs as an error; no faults are no error.
func (fs Faults) orNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// under is err's faults as seen from a document that holds the faulty one at
// pointer.
func under(pointer string, err error) Faults {
	if err == nil {
		return nil
	}
	var inner Faults
	if !errors.As(err, &inner) {
		return Faults{{pointer, err.Error()}}
	}
	out := make(Faults, len(inner))
	for i, f := range inner {
		out[i] = Fault{pointer + f.Pointer, f.Message}
	}
	return out
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

// excerpt is the beginning of s, for a message.
func excerpt(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
