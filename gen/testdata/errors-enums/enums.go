package errors

import "strconv"

//attune:enum
type None string

//attune:enum
type Number int

//attune:enum
type Odd string

const prefix = "x"

const (
	A Odd = "a"
	B Odd = "a"
	C Odd = prefix + "c"
	D Odd = ""
)

// What is made of other packages cannot be known here.
const (
	E Odd = strconv.None
	F     = Odd(strconv.None)
	G     = strconv.None
	H     = Odd("a\x00")
	I     = Odd("a\xff")
	J Odd = "j"
	K
	L     = J
	M Odd = string("m")
	N Odd = undefined
)
