package metadata

import "github.com/attune-go/attune/schema/document"

// UnreadDistributions returns the metadata of a definition that was not read. Its Fault returns the
// reason.
func UnreadDistributions(reason string) Distributions {
	return Distributions{malformed: document.NewMalformed("null", Faults{{Message: reason}})}
}
