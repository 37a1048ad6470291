package document

import (
	"maps"
	"reflect"
	"slices"
)

// A Checked is a value of a generated document type.
type Checked interface {
	Fault() error
	Validate() error
}

// BeforeAppend returns the faults of a row's documents as Faults if a query of bun inserts or
// updates the row, whatever columns it writes, else nil. columns has the documents by column;
// nil pointers are written as null. A model with such columns returns it from BeforeAppendModel,
// because bun would write the text of the faults into the statement instead, which the database
// refuses as bad syntax.
func BeforeAppend(query interface{ Operation() string }, columns map[string]Checked) error {
	switch query.Operation() {
	case "INSERT", "UPDATE", "MERGE", "VALUES":
	default:
		return nil // rows with faults can be read and deleted
	}
	var faults Faults
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		doc := columns[column]
		if v := reflect.ValueOf(doc); doc == nil || v.Kind() == reflect.Pointer && v.IsNil() {
			continue
		}
		if doc.Fault() == nil { // a malformed document is written unchanged
			faults = append(faults, Under("/"+column, doc.Validate())...)
		}
	}
	if faults == nil {
		return nil
	}
	return faults
}
