// Package full has each thing that a document can hold.
package full

import (
	"encoding/json"
	"strings"

	document "github.com/attune-go/attune/schema/document"
)

// Rest is what a type does not name.
type Rest = document.Unknown

// Maybe is a value that may be left out.
type Maybe[T any] = document.Optional[T]

// Level says how loud something is.
//
//attune:enum
type Level string

// The levels.
const (
	Low  Level = "low"
	High Level = "high"
)

// Label is a text of its own type.
type Label string

// Tags are words.
//
//attune:document column format=word unique
type Tags []string

// Tool is a thing with parts.
//
// It says nothing twice.
//
//attune:document column
//attune:guard tool.document
type Tool struct {
	// Name is what people call it.
	Name string `json:"name" attune:"required,format=word,guard=tool.name"`
	// Title: shown in lists | and tables.
	Title  Label    `json:"title" attune:"length=100"`
	Levels []Level  `json:"levels,omitempty" attune:"unique,required"`
	Level  Level    `json:"level,omitempty" attune:"guard=tool.level"`
	Words  []string `json:"words,omitempty" attune:"unique,format=word"`
	Labels []Label  `json:"labels,omitempty" attune:"length=40,most=3"`
	Tags   Tags     `json:"tags,omitempty"`
	Free   []string `json:"free,omitempty"`
	Note   string   `json:"note,omitempty" attune:"bare,format=anything"`

	Loud    bool        `json:"loud,omitempty" attune:"default=false"`
	Checked Maybe[bool] `json:"checked,omitzero" attune:"default=true"`
	Count   int         `json:"count" attune:"min=0,max=10"`
	Rank    Maybe[int]  `json:"rank,omitzero" attune:"default=5,min=1"`
	Any     Maybe[int]  `json:"any,omitzero" attune:"min=3"`
	Wide    int         `json:"wide,omitempty"`

	Every document.Duration        `json:"every,omitempty" attune:"max=1h"`
	Wait  Maybe[document.Duration] `json:"wait,omitzero" attune:"default=1m30s,above=0s,min=1ms,max=5m"`
	Late  Maybe[document.Duration] `json:"late,omitzero"`

	Main  *Part           `json:"main,omitempty" attune:"required"`
	Spare *Part           `json:"spare,omitempty"`
	Inner Part            `json:"inner,omitzero"`
	Whole Part            `json:"whole"`
	Parts []Part          `json:"parts,omitempty" attune:"order=rank,most=8"`
	Extra json.RawMessage `json:"extra,omitempty"`
	Must  json.RawMessage `json:"must,omitempty" attune:"required"`

	// Cache is the program's own.
	Cache map[string]int `json:"-"`
	More  Rest           `json:"-"`
	bad   document.Malformed
	own   int
}

// Part of a Tool.
//
//attune:document
type Part struct {
	ID   string     `json:"id" attune:"required"`
	Rank Maybe[int] `json:"rank,omitzero" attune:"default=100"`
	Odd  string     `json:"od/d ~key,omitempty" attune:"bare"`
	More Rest       `json:"-"`
}

// Chest holds what are columns elsewhere.
//
//attune:document
type Chest struct {
	Tags  Tags     `json:"tags,omitempty"`
	Best  *Tool    `json:"best,omitempty"`
	Tools []Tool   `json:"tools,omitempty"`
	Inner []Chests `json:"inner,omitempty"`
	More  Rest     `json:"-"`
}

// Chests hold a column deeper down.
//
//attune:document
type Chests struct {
	Tool Tool `json:"tool,omitzero"`
	More Rest `json:"-"`
}

// Empty names no key.
//
//attune:document
type Empty struct {
	More Rest `json:"-"`
}

//attune:format word [a-z]+(?:-[a-z]+)*
func word(s string) string {
	if s == "" {
		return "is required: a word"
	}
	for _, part := range strings.Split(s, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "" {
			return "must be words in lower case with - between them"
		}
	}
	return ""
}

//attune:format anything
func anything(s string) string {
	if s == "nothing" {
		return "must not be nothing"
	}
	return ""
}
