package errors

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
