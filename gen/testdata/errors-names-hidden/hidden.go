package errors

import doc "github.com/attune-go/attune/schema/document"

// v, r and ok are variables in generated code.
//
//attune:document
type v struct {
	Name seen        `json:"name" attune:"format=key"`
	Kind c           `json:"kind"`
	Tags []string    `json:"tags,omitempty" attune:"unique"`
	R    *r          `json:"r,omitempty"`
	OK   []ok        `json:"ok,omitempty"`
	More doc.Unknown `json:"-"`
}

//attune:document
type r struct {
	More doc.Unknown `json:"-"`
}

//attune:document
type ok struct {
	More doc.Unknown `json:"-"`
}

type seen string

//attune:enum
type c string

const i c = "i"

//attune:format key
func key(s string) string { return s }

func first(s string) string { return s }

// document is a package in generated code.
func document() {}

// len, nil and new are Go's own.
func len() {}

const nil = 1

var new int

// max is Go's own too, but generated code does without it.
func max() {}

// list is a variable in generated code, which does not name it.
var list int
