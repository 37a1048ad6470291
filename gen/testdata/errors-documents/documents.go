package errors

import "github.com/attune-go/attune/schema/document"

//attune:document
type NoRest struct {
	Name string `json:"name"`
}

//attune:document
type Keys struct {
	NoKey  string `yaml:"no_key"`
	Empty  string `json:",omitempty"`
	A      string `json:"a"`
	B      string `json:"a"`
	Inline string `json:"c,inline"`
	NoRest
	hidden string `json:"d"`
	Own    string `json:"-" attune:"required"`
	own    string `attune:"required"`
	More   document.Unknown
	Again  document.Unknown `json:"-"`
}

//attune:document column
type NoMalformed struct {
	More document.Unknown `json:"-"`
}

//attune:document column
type Exported struct {
	More document.Unknown `json:"-"`
	Bad  document.Malformed
}

//attune:document
type Map map[string]string

//attune:document
type Numbers []int

//attune:document
type Objects []NoRest

//attune:document required unique
type Words []string

//attune:document
type Generic[T any] struct {
	More document.Unknown `json:"-"`
}

//attune:document
type Alias = NoRest
