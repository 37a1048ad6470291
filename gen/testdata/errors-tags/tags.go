package errors

import (
	"time"

	"github.com/attune-go/attune/schema/document"
)

//attune:document
type T struct {
	A string                               `json:"a" attune:"requird"`
	B string                               `json:"b" attune:"min=1"`
	C int                                  `json:"c" attune:"min=x"`
	D int                                  `json:"d" attune:"min=5,max=1"`
	E int                                  `json:"e" attune:"min=1"`
	F int                                  `json:"f" attune:"default=7"`
	G document.Optional[int]               `json:"g,omitzero" attune:"default=900,max=255"`
	H document.Optional[int]               `json:"h,omitzero" attune:"max=3000000000"`
	I document.Optional[document.Duration] `json:"i,omitzero" attune:"default=10"`
	J document.Optional[bool]              `json:"j,omitzero" attune:"default=1"`
	K string                               `json:"k" attune:"format=nothing"`
	L string                               `json:"l" attune:"format"`
	M string                               `json:"m" attune:"required=yes"`
	N string                               `json:"n" attune:"required,required"`
	O []U                                  `json:"o,omitempty" attune:"order=name"`
	P []U                                  `json:"p,omitempty" attune:"order=nothing"`
	Q []string                             `json:"q,omitempty" attune:"order=rank"`
	R []U                                  `json:"r,omitempty" attune:"check=twins"`
	V []U                                  `json:"v,omitempty" attune:"unique"`
	W []string                             `json:"w,omitempty" attune:"unique=fold"`
	X U                                    `json:"x" attune:"required"`
	Y bool                                 `json:"y" attune: "required"`
	Z document.Duration                    `json:"z" attune:"min=1s"`

	AA int    `json:"aa" attune:"guard=t.aa"`
	AB string `json:"ab" attune:"guard=T.AB"`
	AC string `json:"ac" attune:"guard=t.ac"`
	AD string `json:"ad" attune:"guard=t.ac"`

	BA []string `json:"ba,omitempty" attune:"most=0"`
	BB []string `json:"bb,omitempty" attune:"most=x"`
	BC string   `json:"bc" attune:"most=3"`
	BD string   `json:"bd" attune:"length=-1"`
	BE string   `json:"be" attune:"length"`
	BF int      `json:"bf" attune:"length=3"`
	BG []U      `json:"bg,omitempty" attune:"length=3"`
	BH Kind     `json:"bh" attune:"length=3"`

	CA float64                    `json:"ca" attune:"min=x"`
	CB float64                    `json:"cb" attune:"min=NaN"`
	CC float64                    `json:"cc" attune:"max=1e999"`
	CD float32                    `json:"cd" attune:"max=1e39"`
	CE float64                    `json:"ce" attune:"min=0.5"`
	CF document.Optional[float64] `json:"cf,omitzero" attune:"default=2,max=1.5"`
	CG float64                    `json:"cg" attune:"min=2,max=1"`
	CH map[string]float64         `json:"ch,omitempty" attune:"min=2,max=1"`
	CI map[string]string          `json:"ci,omitempty" attune:"min=2"`
	CJ []int                      `json:"cj,omitempty" attune:"above=2s"`
	CK map[string]U               `json:"ck,omitempty" attune:"length=2"`
	CL map[string][]string        `json:"cl,omitempty" attune:"unique"`
	CM time.Time                  `json:"cm" attune:"default=2006-01-02T15:04:05Z"`
	CN time.Time                  `json:"cn" attune:"min=2006-01-02T15:04:05Z"`
	CO float64                    `json:"co" attune:"required"`
	CP []int                      `json:"cp,omitempty" attune:"max=3000000000"`

	More document.Unknown `json:"-"`
}

//attune:document
type U struct {
	Name string           `json:"name"`
	Rank int              `json:"rank"`
	More document.Unknown `json:"-"`
}

//attune:enum
type Kind string

const One Kind = "one"
