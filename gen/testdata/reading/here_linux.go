package reading

import "github.com/attune-go/attune/schema/document"

// Here is on linux.
//
//attune:document
type Here struct {
	More document.Unknown `json:"-"`
}
