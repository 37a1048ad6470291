package document

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A Fault is something wrong in a document.
type Fault struct {
	// Pointer is the JSON pointer to the place. Empty means the whole document.
	Pointer string `json:"pointer"`
	// Message describes the fault in words that can follow a colon.
	Message string `json:"message"`
}

// Error returns the pointer and the message, such as
// "/verification/commands/1/pattern: missing closing )".
func (f Fault) Error() string {
	if f.Pointer == "" {
		return f.Message
	}
	return f.Pointer + ": " + f.Message
}

// Faults holds the faults of a document, in the order in which they were found. As an error
// it lists all of them.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "; ")
}

// MarshalJSON writes a list of faults, each with "pointer" and "message". Both are always
// present. No faults are an empty list. The names and their meaning do not change; later
// versions may add keys.
func (fs Faults) MarshalJSON() ([]byte, error) {
	if fs == nil {
		fs = Faults{}
	}
	return json.Marshal([]Fault(fs))
}

// OrNil returns fs as an error, or nil without faults.
func (fs Faults) OrNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// maxFaults bounds the memory for the faults of a hostile document.
const maxFaults = 100

// add appends a fault unless there are too many.
func (fs *Faults) add(f Fault) {
	switch n := len(*fs); {
	case n < maxFaults:
		*fs = append(*fs, f)
	case n == maxFaults:
		*fs = append(*fs, Fault{Message: "more faults are not listed"})
	}
}

// Under returns the faults of err for a document that contains the faulty one at pointer.
// Another error becomes one fault.
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

// Child returns the pointer to a key of the object at pointer.
func Child(pointer, key string) string { return string(appendPointer([]byte(pointer), key)) }

// Index returns the pointer to element i of the list at pointer.
func Index(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

// Excerpt returns the beginning of s, for a message.
func Excerpt(s string) string { return cut(s, 60) }

func cut(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// appendPointer appends a key to a JSON pointer (RFC 6901).
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
