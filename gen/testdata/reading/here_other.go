//go:build !linux && !darwin

package reading

import "github.com/attune-go/attune/schema/document"

// Here is elsewhere.
//
//attune:document
type Here struct {
	More document.Unknown `json:"-"`
}
