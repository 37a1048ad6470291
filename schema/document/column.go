package document

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
)

// Malformed is the part of a document's type that keeps what a column holds
// where that could not be read, so that one bad row neither hides the others
// nor is lost. The zero Malformed is a document that was read.
type Malformed struct {
	fault error
	raw   string
}

// NewMalformed keeps the text of a column, and why it could not be read.
func NewMalformed(text string, fault error) Malformed { return Malformed{fault: fault, raw: text} }

// Fault is why the document could not be read: Faults, or nil.
func (m Malformed) Fault() error { return m.fault }

// Raw is the text of the column, unchanged.
func (m Malformed) Raw() json.RawMessage { return json.RawMessage(m.raw) }

// Equal reports whether both keep the same text.
func (m Malformed) Equal(o Malformed) bool {
	return (m.fault == nil) == (o.fault == nil) && bytes.Equal(m.Raw(), o.Raw())
}

// malformedMark begins the one element of a list that could not be read; the
// column's text follows. No document can hold a NUL, so no text begins so.
const malformedMark = "\x00"

// MalformedList is a list of text that keeps the text of a column which could
// not be read as one.
func MalformedList[T ~string](text string) []T { return []T{T(malformedMark + text)} }

// ListRaw is the text of a column that could not be read; ok is false for a
// list that was.
func ListRaw[T ~string](list []T) (text string, ok bool) {
	if len(list) != 1 {
		return "", false
	}
	return strings.CutPrefix(string(list[0]), malformedMark)
}

// Column is the text of a scanned column; ok is false for SQL's null. Bytes are
// copied, because they belong to the driver.
func Column(src any) (text string, ok bool, err error) {
	switch v := src.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case []byte:
		return string(v), v != nil, nil
	}
	return "", false, fmt.Errorf("scan metadata: the column gives %T, not text", src)
}

// Value is a document as the drivers take it: as text, because bytes would
// become bytea in Postgres and a blob in SQLite. One with faults is refused with
// them, unless it is malformed: then it goes back as it came.
func Value(malformed, invalid error, doc json.Marshaler) (driver.Value, error) {
	if malformed == nil && invalid != nil {
		return nil, invalid
	}
	data, err := doc.MarshalJSON()
	return string(data), err
}
