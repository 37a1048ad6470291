package store

import (
	"encoding/json"

	"github.com/attune-go/attune/schema/metadata"
)

// changed collects the columns that an update touches.
type changed []string

// change puts the value of a column into the row if it was set.
func change[T any](c *changed, column string, value metadata.Optional[T], field *T) {
	if value.Set {
		*c = append(*c, column)
		*field = value.Value
	}
}

// document makes nil the empty document, for columns that cannot be NULL.
func document(value metadata.Optional[json.RawMessage]) metadata.Optional[json.RawMessage] {
	if value.Value == nil {
		value.Value = json.RawMessage("{}")
	}
	return value
}

// list makes nil the empty list, for columns that cannot be NULL.
func list(value metadata.Optional[[]string]) metadata.Optional[[]string] {
	if value.Value == nil {
		value.Value = []string{}
	}
	return value
}
