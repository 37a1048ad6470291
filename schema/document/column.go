package document

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
)

// A Malformed keeps the text of a column that could not be read as its document. So a bad
// row neither hides the others nor is lost. The zero Malformed belongs to a document that
// was read.
type Malformed struct {
	fault error
	raw   string
}

// NewMalformed returns a Malformed with the text of a column and the reason for it.
func NewMalformed(text string, fault error) Malformed { return Malformed{fault: fault, raw: text} }

// Fault returns why the document could not be read, as Faults, or nil.
func (m Malformed) Fault() error { return m.fault }

// Raw returns the unchanged text of the column.
func (m Malformed) Raw() json.RawMessage { return json.RawMessage(m.raw) }

// Equal reports whether both keep the same text.
func (m Malformed) Equal(o Malformed) bool {
	return (m.fault == nil) == (o.fault == nil) && bytes.Equal(m.Raw(), o.Raw())
}

// malformedMark begins the only element of a list that could not be read, and the text of
// the column follows. Documents cannot contain NUL, so no other element begins like this.
const malformedMark = "\x00"

// MalformedList returns a list that keeps the text of a column which could not be read.
func MalformedList[T ~string](text string) []T { return []T{T(malformedMark + text)} }

// ListRaw returns the text of a column that could not be read. ok is false for other lists.
func ListRaw[T ~string](list []T) (text string, ok bool) {
	if len(list) != 1 {
		return "", false
	}
	return strings.CutPrefix(string(list[0]), malformedMark)
}

// Column returns the text of a scanned column. ok is false for NULL. Bytes are copied,
// because they belong to the driver.
func Column(src any) (text string, ok bool, err error) {
	switch v := src.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case []byte:
		return string(v), v != nil, nil
	}
	return "", false, fmt.Errorf("scan metadata: the column must be text, got %T", src)
}

// Value returns a document as text for a driver. Bytes would become bytea in Postgres and a
// BLOB in SQLite. A document with faults is refused, but a malformed one is written
// unchanged.
func Value(malformed, invalid error, doc json.Marshaler) (driver.Value, error) {
	if malformed == nil && invalid != nil {
		return nil, invalid
	}
	data, err := doc.MarshalJSON()
	return string(data), err
}
