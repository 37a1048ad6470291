package errors

import "github.com/attune-go/attune/schema/document"

//attune:documents
type A struct{}

//attune:document
//attune:document
type B struct {
	//attune:document
	More document.Unknown `json:"-"`
}

//attune:document colum
type C struct {
	More document.Unknown `json:"-"`
}

//attune:document check
type D struct {
	More document.Unknown `json:"-"`
}

//attune:guard d.document
type E struct{}

//attune:document column
//attune:guard Tool; DROP tool.a.b
type F struct {
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:document
//attune:guard tool.document
type G struct {
	More document.Unknown `json:"-"`
}

//attune:format
func a(s string) string { return s }

//attune:format twice
func b(s string) string { return s }

//attune:format twice
func c(s string) string { return s }

//attune:format shape
func d(s string) error { return nil }

//attune:format bracket [a-z
func e(s string) string { return s }

//attune:format anchor ^a$
func f(s string) string { return s }

//attune:format dot a.b
func g(s string) string { return s }

//attune:format newline (?m)a$
func h(s string) string { return s }

//attune:format lazy a+?
func i(s string) string { return s }

//attune:format boundary \bab
func j(s string) string { return s }

//attune:document
func k() {}

//attune:format x
type H struct{}

// L is nearly one.
//
// attune:document column
type L struct{}
