package errors

import "github.com/attune-go/attune/schema/document"

//attune:document
type Tree struct {
	Leaves []Leaf           `json:"leaves,omitempty"`
	More   document.Unknown `json:"-"`
}

//attune:document
type Leaf struct {
	Tree *Tree            `json:"tree,omitempty"`
	More document.Unknown `json:"-"`
}
