package metadata

import "github.com/attune-go/attune/schema/document"

// Withheld is the metadata of a definition that was not read: its Fault says the
// reason.
func Withheld(reason string) Distributions {
	return Distributions{malformed: document.NewMalformed("null", Faults{{Message: reason}})}
}
