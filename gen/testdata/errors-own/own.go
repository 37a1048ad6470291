package errors

import "github.com/attune-go/attune/schema/document"

//attune:document
type A struct {
	More document.Unknown `json:"-"`
}
