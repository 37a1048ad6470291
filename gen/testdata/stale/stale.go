// Package stale has changed since its accessors were written.
package stale

import "github.com/attune-go/attune/schema/document"

//attune:document
type Thing struct {
	Name string           `json:"name" attune:"required"`
	Size int              `json:"size,omitempty"`
	More document.Unknown `json:"-"`
}
