package gen

import (
	"go/token"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// Package is what the emitters know of the annotated package.
type Package struct {
	Name string
	// Documents in the order in which they are declared.
	Documents []*Document
}

// Document is one annotated type.
type Document struct {
	Name string
	Pos  token.Position
	// Comment is the type's, without directives.
	Comment string
	// Column: it is a column of a table on its own.
	Column bool
	// Guards are the columns whose values the databases check.
	Guards []Column
	// Fields are the keys, in the order in which they are written.
	Fields []*Field
	// Unknown is the Go field of the keys that no field names.
	Unknown string
	// Malformed is the Go field of a column that could not be read.
	Malformed string
	// List is the rule of the elements, where the document is a list of text.
	// Such a document has no fields.
	List *Field
}

// Column is a column of the database.
type Column struct {
	Table, Name string
	// Pos is where it is named.
	Pos token.Position
}

// Field is one key of a document.
type Field struct {
	Go      string
	Key     string
	Pos     token.Position
	Comment string
	Type    Type
	// Omit: the key is left out of what is written where the value is zero.
	Omit bool

	Required bool
	// Bare: in a YAML file the text may look like a number.
	Bare bool
	// Default is the value where the key is left out; nil is Go's zero value.
	Default *Value
	// Min and Max bound a number, and Int64 bounds are the default.
	Min, Max int64
	// Ranged: the tag bounds the number.
	Ranged bool
	// Span bounds a duration.
	Span Span
	// Format judges the text, or each text of a list.
	Format *Format
	// Unique: no element is in the list twice.
	Unique bool
	// Most is how many elements the list has at most; 0 is no bound.
	Most int64
	// Length is how many characters the text, or each text of a list, has at
	// most; 0 is the bound of its format, if that has a pattern.
	Length int64
	// Order is the field of the elements by which they are used.
	Order *Field
	// Guards are the columns of text whose values the databases check.
	Guards []Column
}

// list is the field with the rules of its elements, which are those of the
// document where the list is one.
func (f *Field) list() *Field {
	if f.Type.Document == nil || f.Type.Document.List == nil {
		return f
	}
	out, of := *f, f.Type.Document.List
	out.Format, out.Unique, out.Required = of.Format, of.Unique, f.Required || of.Required
	out.Most, out.Length = of.Most, of.Length
	return &out
}

// length is how many characters a text of the field has at most; 0 is no bound.
func (f *Field) length() int64 {
	if f.Length == 0 && f.Format != nil && f.Format.Pattern != nil {
		return document.MaxPatterned
	}
	return f.Length
}

// Kind of a value.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Bool
	Int
	Duration
	Raw
	Object
	List
)

// Type of a value.
type Type struct {
	Kind Kind
	// Go is the name of a text's type where it is not string.
	Go string
	// Optional: it is a document.Optional.
	Optional bool
	// Enum are the values of a text that has only these.
	Enum []Constant
	// Document is the one of an object or of a named list of text.
	Document *Document
	// Pointer: a Go pointer to the document.
	Pointer bool
	// Elem is the type of a list's elements.
	Elem *Type
}

// Constant is a Go constant of text.
type Constant struct{ Go, Value string }

// Value is a default.
type Value struct {
	Bool     bool
	Int      int64
	Duration time.Duration
}

// Span are the bounds of a duration; nil is no bound.
type Span struct{ Min, Above, Max *time.Duration }

func (s Span) empty() bool { return s.Min == nil && s.Above == nil && s.Max == nil }

// Format is a Go function that says what is wrong with a text.
type Format struct {
	Name string
	Func string
	Pos  token.Position
	// Comment is the function's, without directives.
	Comment string
	// Pattern is what outside of Go decides; nil: Go's word alone.
	Pattern *Pattern
	// Except are texts that the pattern accepts and the function does not; nil is
	// none.
	Except *Pattern
}
