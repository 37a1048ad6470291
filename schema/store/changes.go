package store

import (
	"encoding/json"

	"github.com/attune-go/attune/schema/metadata"
)

// A changeSet collects the columns that an update writes.
type changeSet []string

// change adds a column to the set and its value to the row, if the value is set.
func change[T any](c *changeSet, column string, value metadata.Optional[T], field *T) {
	if value.Set {
		*c = append(*c, column)
		*field = value.Value
	}
}

// document replaces nil by the empty document, for columns that cannot be NULL.
func document(value metadata.Optional[json.RawMessage]) metadata.Optional[json.RawMessage] {
	if value.Value == nil {
		value.Value = json.RawMessage("{}")
	}
	return value
}

// list replaces nil by the empty list, for columns that cannot be NULL.
func list(value metadata.Optional[[]string]) metadata.Optional[[]string] {
	if value.Value == nil {
		value.Value = []string{}
	}
	return value
}
