package reading

import "github.com/attune-go/attune/schema/document"

// Here is on darwin.
//
//attune:document
type Here struct {
	More document.Unknown `json:"-"`
}
