package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c
type T struct {
	Key  string           `json:"{schema}"`
	Kind Kind             `json:"kind"`
	Kept string           `json:"kept" attune:"format=kept"`
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:enum
type Kind string

const Schema Kind = "{schema}"

// accepts {schema}.
//
//attune:format kept [a-z]*
func kept(s string) string { return "" }
