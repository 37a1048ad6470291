package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c
type L0 struct {
	A    []L1             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:document
type L1 struct {
	A    []L2             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L2 struct {
	A    []L3             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L3 struct {
	A    []L4             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L4 struct {
	A    []L5             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L5 struct {
	A    []L6             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L6 struct {
	A    []L7             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L7 struct {
	A    []L8             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L8 struct {
	A    []L9             `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L9 struct {
	A    []L10            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L10 struct {
	A    []L11            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L11 struct {
	A    []L12            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L12 struct {
	A    []L13            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L13 struct {
	A    []L14            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L14 struct {
	A    []L15            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L15 struct {
	A    []L16            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L16 struct {
	A    []L17            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L17 struct {
	A    []L18            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L18 struct {
	A    []L19            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L19 struct {
	A    []L20            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L20 struct {
	A    []L21            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L21 struct {
	A    []L22            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L22 struct {
	A    []L23            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L23 struct {
	A    []L24            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L24 struct {
	A    []L25            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L25 struct {
	A    []L26            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L26 struct {
	A    []L27            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L27 struct {
	A    []L28            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L28 struct {
	A    []L29            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L29 struct {
	A    []L30            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L30 struct {
	A    []L31            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L31 struct {
	A    []L32            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L32 struct {
	A    []L33            `json:"a,omitempty"`
	More document.Unknown `json:"-"`
}

//attune:document
type L33 struct {
	More document.Unknown `json:"-"`
}
