package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard a.document
type A struct {
	Name string           `json:"name,omitempty" attune:"format=long"`
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:format long [a-z]{300}
func long(s string) string { return "" }
