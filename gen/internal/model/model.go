// Package model describes annotated types: what the generator reads from Go source, and what it
// writes code, schemas, guards and pages from.
package model

import (
	"go/token"
	"slices"
	"strconv"
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

// HasBare reports whether a text of the document, or of one in it, may omit its quotes in a
// YAML file.
func (d *Document) HasBare() bool {
	return slices.ContainsFunc(d.Fields, func(f *Field) bool {
		inner := f.Type.Inner()
		return f.Bare || inner != nil && inner.HasBare()
	})
}

// HasColumn reports whether the document, or one in it, is a column.
func (d *Document) HasColumn() bool {
	return d.Column || slices.ContainsFunc(d.Fields, func(f *Field) bool { return f.Type.HasColumn() })
}

// MustExist reports whether a missing or null document is a fault.
func (d *Document) MustExist() bool {
	if d.List != nil {
		return d.List.Required
	}
	return slices.ContainsFunc(d.Fields, (*Field).MustExist)
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
	// Low and High bound a floating-point number. They default to the greatest finite values.
	Low, High float64
	// Ranged means that the tag bounds the number.
	Ranged bool
	// Span bounds a duration.
	Span Span
	// Format is the format of the text, or of each text of a list.
	Format *Format
	// Unique means that the list must not contain duplicates.
	Unique bool
	// Most is the greatest number of elements, or of keys of a map. 0 means unbounded.
	Most int64
	// Length is the greatest number of characters of the text, or of each text of a list. 0
	// means the bound of a format with a pattern.
	Length int64
	// Order is the field of the elements by which they are ordered.
	Order *Field
	// Guards holds the columns of text whose values the databases check.
	Guards []Column
}

// ElementRules returns the field with the rules for its elements. A list that is a document has
// its own rules.
func (f *Field) ElementRules() *Field {
	if f.Type.Document == nil || f.Type.Document.List == nil {
		return f
	}
	out, of := *f, f.Type.Document.List
	out.Format, out.Unique, out.Required = of.Format, of.Unique, f.Required || of.Required
	out.Most, out.Length = of.Most, of.Length
	return &out
}

// Element returns the field that describes an element of a list or a value of a map. It has the
// rules for values, without those for the list or the map itself.
func (f *Field) Element() *Field {
	return &Field{Go: f.Go, Key: f.Key, Pos: f.Pos, Type: *f.Type.Elem, Min: f.Min, Max: f.Max, Low: f.Low, High: f.High,
		Ranged: f.Ranged, Span: f.Span, Format: f.Format, Length: f.Length}
}

// MaxLength returns the greatest number of characters of a text. 0 means unbounded.
func (f *Field) MaxLength() int64 {
	if f.Length == 0 && f.Format != nil && f.Format.Pattern != nil {
		return document.MaxPatterned
	}
	return f.Length
}

// MustExist reports whether a missing key is a fault.
func (f *Field) MustExist() bool {
	return f.Required || f.Type.Document != nil && !f.Type.Pointer && f.Type.Document.MustExist()
}

// A Kind is a kind of value.
type Kind int

// The kinds of values.
const (
	Text Kind = iota
	Bool
	Int
	Float
	Duration
	Time
	Raw
	Object
	List
	Map
)

// A Type is the type of a value.
type Type struct {
	Kind Kind
	// Go is the name of a text's type unless it is string.
	Go string
	// Bits is the size of a floating-point number.
	Bits int
	// Optional means that it is a document.Optional.
	Optional bool
	// Enum holds the values of an enum.
	Enum []Constant
	// Document is the document of an object or of a named list of text.
	Document *Document
	// Pointer means a Go pointer to the document.
	Pointer bool
	// Elem is the type of a list's elements or of a map's values.
	Elem *Type
}

// Leaf returns the type of what a list or a map holds in the end. It returns other types
// themselves.
func (t *Type) Leaf() *Type {
	for t.Elem != nil {
		t = t.Elem
	}
	return t
}

// Inner returns the document of an object, or of what a list or a map holds in the end. It
// returns nil for other types.
func (t *Type) Inner() *Document {
	if leaf := t.Leaf(); leaf.Kind == Object {
		return leaf.Document
	}
	return nil
}

// HasColumn reports whether the type's document is a column or holds one.
func (t *Type) HasColumn() bool {
	return t.Document != nil && t.Document.HasColumn() || t.Elem != nil && t.Elem.HasColumn()
}

// GoName returns the Go type of an element.
func (t *Type) GoName() string {
	switch {
	case t.Document != nil:
		return t.Document.Name
	case t.Go != "":
		return t.Go
	}
	switch t.Kind {
	case Bool:
		return "bool"
	case Int:
		return "int"
	case Float:
		return "float" + strconv.Itoa(t.Bits)
	case Duration:
		return "document.Duration"
	case Time:
		return "time.Time"
	case List:
		return "[]" + t.Elem.GoName()
	}
	return "string"
}

// A Constant is a Go constant of text.
type Constant struct{ Go, Value string }

// A Value is a default.
type Value struct {
	Bool     bool
	Int      int64
	Float    float64
	Duration time.Duration
}

// GoDuration returns a duration as Go code, in the largest unit that divides it.
func GoDuration(d time.Duration) string {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"time.Hour", time.Hour}, {"time.Minute", time.Minute}, {"time.Second", time.Second}, {"time.Millisecond", time.Millisecond}} {
		if d != 0 && d%unit.d == 0 {
			return strconv.FormatInt(int64(d/unit.d), 10) + " * " + unit.name
		}
	}
	return strconv.FormatInt(int64(d), 10)
}

// A Span bounds a duration. A nil bound is missing.
type Span struct{ Min, Above, Max *time.Duration }

// FormatFloat returns the shortest text of a number that has bits.
func FormatFloat(v float64, bits int) string { return strconv.FormatFloat(v, 'g', -1, bits) }

// Empty reports whether the span has no bounds.
func (s Span) Empty() bool { return s.Min == nil && s.Above == nil && s.Max == nil }

// Contains reports whether a duration is within the bounds.
func (s Span) Contains(d time.Duration) bool {
	return (s.Min == nil || d >= *s.Min) && (s.Above == nil || d > *s.Above) && (s.Max == nil || d <= *s.Max)
}

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
