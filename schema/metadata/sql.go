package metadata

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
)

// The documents are columns on both databases: jsonb in Postgres, text in
// SQLite. They are sql.Scanners and driver.Valuers; a test says so, because
// detection imports this package and needs no database/sql.

// Scan reads the column. A malformed document is no error, because one bad row
// must not hide the others: Fault says what is wrong, the text is kept, and
// every field is zero.
func (d *Distributions) Scan(src any) error {
	data, err := column(src)
	if err != nil || data == nil {
		*d = Distributions{}
		return err
	}
	if fault := d.UnmarshalJSON(data); fault != nil {
		*d = Distributions{fault: fault, raw: data}
	}
	return nil
}

// Value writes the column. A document with faults is refused with Faults,
// unless it was malformed when it was scanned: then it goes back unchanged.
func (d Distributions) Value() (driver.Value, error) { return value(d.fault, d.Validate(), d) }

// Fault is why the scanned document could not be read: Faults, or nil.
func (d Distributions) Fault() error { return d.fault }

// IsZero reports whether the document says nothing: {}.
func (d Distributions) IsZero() bool {
	return d.fault == nil && d.Verification == nil && d.MinVersion == "" && d.RecommendedVersion == "" &&
		len(d.Roles) == 0 && len(d.Unknown) == 0
}

// Scan reads the column, a malformed document as Distributions.Scan does.
func (e *ExecutionConfig) Scan(src any) error {
	data, err := column(src)
	if err != nil || data == nil {
		*e = ExecutionConfig{}
		return err
	}
	if fault := e.UnmarshalJSON(data); fault != nil {
		*e = ExecutionConfig{fault: fault, raw: data}
	}
	return nil
}

// Value writes the column as Distributions.Value does.
func (e ExecutionConfig) Value() (driver.Value, error) { return value(e.fault, e.Validate(), e) }

// Fault is why the scanned document could not be read: Faults, or nil.
func (e ExecutionConfig) Fault() error { return e.fault }

// IsZero reports whether the document says nothing: {}.
func (e ExecutionConfig) IsZero() bool {
	return e.fault == nil && e.Interpreter == nil && len(e.Environment) == 0 &&
		len(e.Dependencies) == 0 && len(e.EnvVars) == 0 && len(e.Unknown) == 0
}

// malformedMark begins the one element of Aliases that could not be read; the
// column's text follows. No document can hold a NUL, so no alias begins so.
const malformedMark = "\x00"

// Scan reads the column, a malformed document as Distributions.Scan does. Ask
// Fault before using what was scanned.
func (a *Aliases) Scan(src any) error {
	data, err := column(src)
	if err != nil || data == nil {
		*a = nil
		return err
	}
	if fault := a.UnmarshalJSON(data); fault != nil {
		*a = Aliases{malformedMark + string(data)}
	}
	return nil
}

// Value writes the column as Distributions.Value does.
func (a Aliases) Value() (driver.Value, error) {
	_, malformed := a.malformed()
	if malformed {
		return value(a.Fault(), nil, a)
	}
	return value(nil, a.Validate(), a)
}

// Fault is why the scanned document could not be read: Faults, or nil.
func (a Aliases) Fault() error {
	raw, ok := a.malformed()
	if !ok {
		return nil
	}
	var again Aliases
	return again.UnmarshalJSON([]byte(raw))
}

func (a Aliases) malformed() (raw string, ok bool) {
	if len(a) != 1 {
		return "", false
	}
	return strings.CutPrefix(a[0], malformedMark)
}

// column is a copy of the bytes of a scanned column; nil for SQL's null.
func column(src any) ([]byte, error) {
	switch v := src.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return append(make([]byte, 0, len(v)), v...), nil
	}
	return nil, fmt.Errorf("scan metadata: the column gives %T, not text", src)
}

// value is a document as the drivers take it: as text, because bytes would
// become bytea in Postgres and a blob in SQLite.
func value(malformed, invalid error, doc json.Marshaler) (driver.Value, error) {
	if malformed == nil && invalid != nil {
		return nil, invalid
	}
	data, err := doc.MarshalJSON()
	return string(data), err
}
