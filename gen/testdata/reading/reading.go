// Package reading is read as Go reads it.
package reading

import (
	"encoding/json"
	"fmt"
	"math"

	. "github.com/attune-go/attune/schema/document"
)

// Str is string.
type Str = string

// Level says how loud something is.
//
//attune:enum
type Level string

// The levels, in the ways in which Go has constants.
const (
	Low        = Level("low")
	High Level = hi + "gh" + ""
	hi         = "hi"

	// Usual is another name.
	Usual = Low
	// Pi is of another type.
	Pi = math.Pi
)

// T is written down in unusual ways.
//
//attune:document column
//attune:guard order.user
type T struct {
	Name  Str             `json:"name" attune:"format=word"`
	Level (Level)         `json:"level"`
	Size  Optional[int]   `json:"size,omitzero" attune:"default=5"`
	Words []Str           `json:"words,omitempty" attune:"unique"`
	Parts []Part          `json:"parts,omitempty"`
	Free  json.RawMessage `json:"free,omitempty"`
	Here  Here            `json:"here"`
	Dash  string          `json:"-,"`
	More  Unknown         `json:"-"`
	bad   Malformed
	count [twice]fmt.Stringer
}

// What is generated is used before it is there.
var (
	_     json.Marshaler = T{}
	usual                = T{}.SizeOrDefault()
)

const twice = 2 * DefaultTSize

//attune:format word [a-z]*
func word(s Str) (fault string) { return "" }

func (t T) String() string { return fmt.Sprint(t.SizeOrDefault(), usual, len(t.count)) }
