package metadata

import "github.com/attune-go/attune/schema/document"

// Withheld returns the metadata of a definition that was not read. Its Fault returns the
// reason.
func Withheld(reason string) Distributions {
	return Distributions{malformed: document.NewMalformed("null", Faults{{Message: reason}})}
}
