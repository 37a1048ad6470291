package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c
type L0 struct {
	A    L1               `json:"a"`
	B    L1               `json:"b"`
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:document
type L1 struct {
	A    L2               `json:"a"`
	B    L2               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L2 struct {
	A    L3               `json:"a"`
	B    L3               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L3 struct {
	A    L4               `json:"a"`
	B    L4               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L4 struct {
	A    L5               `json:"a"`
	B    L5               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L5 struct {
	A    L6               `json:"a"`
	B    L6               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L6 struct {
	A    L7               `json:"a"`
	B    L7               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L7 struct {
	A    L8               `json:"a"`
	B    L8               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L8 struct {
	A    L9               `json:"a"`
	B    L9               `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L9 struct {
	A    L10              `json:"a"`
	B    L10              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L10 struct {
	A    L11              `json:"a"`
	B    L11              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L11 struct {
	A    L12              `json:"a"`
	B    L12              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L12 struct {
	A    L13              `json:"a"`
	B    L13              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L13 struct {
	A    L14              `json:"a"`
	B    L14              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L14 struct {
	A    L15              `json:"a"`
	B    L15              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L15 struct {
	A    L16              `json:"a"`
	B    L16              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L16 struct {
	A    L17              `json:"a"`
	B    L17              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L17 struct {
	A    L18              `json:"a"`
	B    L18              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L18 struct {
	A    L19              `json:"a"`
	B    L19              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L19 struct {
	A    L20              `json:"a"`
	B    L20              `json:"b"`
	More document.Unknown `json:"-"`
}

//attune:document
type L20 struct {
	More document.Unknown `json:"-"`
}
