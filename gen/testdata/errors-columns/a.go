package errors

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c t.c
//attune:guard u.c
type FooBar struct {
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:document column
//attune:guard u.c a.b_c
type Foo_bar struct {
	More document.Unknown `json:"-"`
	bad  document.Malformed
}

//attune:document column
//attune:guard a_b.c
type Other struct {
	More document.Unknown `json:"-"`
	bad  document.Malformed
}
