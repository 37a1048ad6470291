package metadata

import "encoding/json"

// Unknown holds the members of an object that its type does not name, in the
// order they were read, their text unchanged.
type Unknown []Member

// Member is one key of an object with its JSON value.
type Member struct {
	Key   string
	Value json.RawMessage
}
