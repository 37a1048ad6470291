package gen

import (
	"go/token"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// A Package describes the annotated package.
type Package struct {
	Name string
	// Documents are in the order of their declarations.
	Documents []*Document
}

// A Document is one annotated type.
type Document struct {
	Name string
	Pos  token.Position
	// Comment is the comment of the type, without directives.
	Comment string
	// Column means that the document is a column of a table by itself.
	Column bool
	// Guards holds the columns whose values the databases check.
	Guards []Column
	// Fields holds the keys, in the order in which they are written.
	Fields []*Field
	// Unknown is the name of the Go field for unknown keys.
	Unknown string
	// Malformed is the name of the Go field for a column that could not be read.
	Malformed string
	// List describes the elements if the document is a list of text. Such a document has no
	// fields.
	List *Field
}

// A Column is a column of the database.
type Column struct {
	Table, Name string
	// Pos is where the source names it.
	Pos token.Position
}

// A Field is one key of a document.
type Field struct {
	Go      string
	Key     string
	Pos     token.Position
	Comment string
	Type    Type
	// Omit means that a zero value is not written.
	Omit bool

	Required bool
	// Bare means that the text may look like a number in a YAML file.
	Bare bool
	// Default is the value of a missing key. Nil means Go's zero value.
	Default *Value
	// Min and Max bound a number. They default to the bounds of 32 bits.
	Min, Max int64
	// Ranged means that the tag bounds the number.
	Ranged bool
	// Span bounds a duration.
	Span Span
	// Format is the format of the text, or of each text of a list.
	Format *Format
	// Unique means that the list must not contain duplicates.
	Unique bool
	// Most is the greatest number of elements. 0 means unbounded.
	Most int64
	// Length is the greatest number of characters of the text, or of each text of a list. 0
	// means the bound of a format with a pattern.
	Length int64
	// Order is the field of the elements by which they are ordered.
	Order *Field
	// Guards holds the columns of text whose values the databases check.
	Guards []Column
}

// list returns the field with the rules of its elements. They are the rules of the document
// if the list is one.
func (f *Field) list() *Field {
	if f.Type.Document == nil || f.Type.Document.List == nil {
		return f
	}
	out, of := *f, f.Type.Document.List
	out.Format, out.Unique, out.Required = of.Format, of.Unique, f.Required || of.Required
	out.Most, out.Length = of.Most, of.Length
	return &out
}

// length returns the greatest number of characters of a text. 0 means unbounded.
func (f *Field) length() int64 {
	if f.Length == 0 && f.Format != nil && f.Format.Pattern != nil {
		return document.MaxPatterned
	}
	return f.Length
}

// A Kind is a kind of value.
type Kind int

// The kinds of values.
const (
	Text Kind = iota
	Bool
	Int
	Duration
	Raw
	Object
	List
)

// A Type is the type of a value.
type Type struct {
	Kind Kind
	// Go is the name of a text's type unless it is string.
	Go string
	// Optional means that it is a document.Optional.
	Optional bool
	// Enum holds the values of an enum.
	Enum []Constant
	// Document is the document of an object or of a named list of text.
	Document *Document
	// Pointer means a Go pointer to the document.
	Pointer bool
	// Elem is the type of a list's elements.
	Elem *Type
}

// A Constant is a Go constant of text.
type Constant struct{ Go, Value string }

// A Value is a default.
type Value struct {
	Bool     bool
	Int      int64
	Duration time.Duration
}

// A Span bounds a duration. A nil bound is missing.
type Span struct{ Min, Above, Max *time.Duration }

func (s Span) empty() bool { return s.Min == nil && s.Above == nil && s.Max == nil }

// A Format is a Go function that returns the fault of a text.
type Format struct {
	Name string
	Func string
	Pos  token.Position
	// Comment is the comment of the function, without directives.
	Comment string
	// Pattern is what JSON Schema and Postgres check. Nil means that only Go checks the format.
	Pattern *Pattern
	// Except matches the texts that the pattern accepts and the function does not. Nil matches
	// no text.
	Except *Pattern
}
