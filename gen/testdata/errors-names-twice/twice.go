package errors

import "github.com/attune-go/attune/schema/document"

//attune:document
type T struct {
	Parts  []Part                 `json:"parts,omitempty" attune:"order=rank"`
	Spares []Part                 `json:"spares,omitempty" attune:"order=rank"`
	BC     document.Optional[int] `json:"bc,omitzero" attune:"default=1"`
	More   document.Unknown       `json:"-"`
}

//attune:document
type TB struct {
	C    document.Optional[int] `json:"c,omitzero" attune:"default=2"`
	More document.Unknown       `json:"-"`
}

//attune:document
type Part struct {
	Rank int              `json:"rank"`
	More document.Unknown `json:"-"`
}

//attune:document
type part struct {
	More document.Unknown `json:"-"`
}
