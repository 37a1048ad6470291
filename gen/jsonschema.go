package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/attune-go/attune/gen/internal/model"
)

// schemaDialect is the version of JSON Schema that is written.
const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// An object is a JSON object whose keys keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o *object) set(key string, value any) { *o = append(*o, member{key, value}) }

// MarshalJSON writes the keys in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// marshal encodes a value as json.Marshal does, without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// emitSchema returns the JSON Schema of documents of the type root.
func emitSchema(p *model.Package, root *model.Document) ([]byte, error) {
	var out object
	out.set("$schema", schemaDialect)
	out.set("$comment", strings.TrimPrefix(Header, "// "))
	out.set("title", root.Name)
	if text := prose(root.Comment, root.Name, root.Name); text != "" {
		out.set("description", text)
	}
	out.set("$ref", "#/$defs/"+root.Name)
	if root.MustExist() {
		out.set("type", jsonType(root))
	}
	var defs object
	for _, d := range p.Documents {
		if contains(root, d) {
			defs.set(d.Name, schemaOf(d))
		}
	}
	out.set("$defs", defs)
	text, err := marshal(out)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, fmt.Errorf("write the JSON Schema: %w", err)
	}
	indented.WriteByte('\n')
	return ascii(indented.Bytes()), nil
}

// ascii escapes other characters than ASCII, because patterns may contain invisible ones.
// In JSON they occur only in texts.
func ascii(text []byte) []byte {
	var out []byte
	for _, c := range string(text) {
		switch {
		case c < utf8.RuneSelf:
			out = append(out, byte(c))
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
	}
	return out
}

func jsonType(d *model.Document) string {
	if d.List != nil {
		return "array"
	}
	return "object"
}

// contains reports whether d is the document other, or contains it.
func contains(d, other *model.Document) bool {
	if d == other {
		return true
	}
	for _, f := range d.Fields {
		for t := &f.Type; t != nil; t = t.Elem {
			if t.Document != nil && contains(t.Document, other) {
				return true
			}
		}
	}
	return false
}

// schemaOf returns the schema of a document, which may be null.
func schemaOf(d *model.Document) object {
	if d.List != nil {
		return listSchema(d.List)
	}
	var out, properties object
	var required []string
	for _, f := range d.Fields {
		properties.set(f.Key, fieldSchema(f))
		if f.MustExist() {
			required = append(required, f.Key)
		}
	}
	if text := prose(d.Comment, d.Name, d.Name); text != "" {
		out.set("description", text)
	}
	out.set("type", []string{"object", "null"})
	out.set("properties", properties)
	if required != nil {
		out.set("required", required)
	}
	return out
}

func fieldSchema(f *model.Field) object {
	var out object
	if text := prose(f.Comment, f.Go, f.Key); text != "" {
		out.set("description", text)
	}
	switch {
	case f.Type.Kind == model.Raw:
		if f.Required {
			out.set("not", object{{"type", "null"}})
		}
		return out
	case f.Type.Document != nil:
		out.set("$ref", "#/$defs/"+f.Type.Document.Name)
		if f.MustExist() {
			out.set("type", jsonType(f.Type.Document))
		}
		return out
	case f.Type.Kind == model.List:
		return append(out, listSchema(f)...)
	case f.Type.Kind == model.Map:
		return append(out, mapSchema(f)...)
	}
	out = append(out, scalarSchema(f)...)
	if f.Default != nil {
		out.set("default", defaultJSON(f))
	}
	return out
}

// defaultJSON returns a default as it is written in a document.
func defaultJSON(f *model.Field) any {
	switch f.Type.Kind {
	case model.Bool:
		return f.Default.Bool
	case model.Int:
		return f.Default.Int
	case model.Float:
		return json.Number(model.FormatFloat(f.Default.Float, f.Type.Bits))
	}
	return f.Default.Duration.String()
}

func scalarSchema(f *model.Field) object {
	types := []string{}
	switch f.Type.Kind {
	case model.Text, model.Duration, model.Time:
		types = append(types, "string")
	case model.Bool:
		types = append(types, "boolean")
	case model.Int:
		types = append(types, "integer")
	case model.Float:
		types = append(types, "number")
	}
	if f.Bare {
		types = append(types, "number")
	}
	if !f.Required {
		types = append(types, "null")
	}
	var out object
	if len(types) == 1 {
		out.set("type", types[0])
	} else {
		out.set("type", types)
	}
	switch f.Type.Kind {
	case model.Int:
		out.set("minimum", f.Min)
		out.set("maximum", f.Max)
	case model.Float:
		low, high := floatBounds(f)
		out.set("minimum", json.Number(low))
		out.set("maximum", json.Number(high))
	case model.Duration:
		out.set("minLength", 1)
	case model.Time:
		out.set("format", "date-time")
		out.set("pattern", model.Times.ECMA(false))
	case model.Text:
		out = append(out, textSchema(f, f.Type.Enum, !f.Required)...)
		if f.Required && (f.Format == nil || f.Format.Pattern == nil) {
			out.set("minLength", 1)
		}
	}
	return out
}

// textSchema returns the schema of a text. With empty it also admits null and the empty
// text.
func textSchema(f *model.Field, enum []model.Constant, empty bool) object {
	var out object
	format := f.Format
	if enum != nil {
		var values []any
		for _, c := range enum {
			values = append(values, c.Value)
		}
		if empty {
			values = append(values, "", nil)
		}
		out.set("enum", values)
	}
	if f.MaxLength() > 0 {
		out.set("maxLength", f.MaxLength())
	}
	if format != nil && format.Pattern != nil {
		out.set("pattern", format.Pattern.ECMA(empty))
	}
	if format != nil && format.Except != nil {
		out.set("not", object{{"pattern", format.Except.ECMA(false)}})
	}
	return out
}

func listSchema(f *model.Field) object {
	var out, items object
	if f.Required {
		out.set("type", "array")
		out.set("minItems", 1)
	} else {
		out.set("type", []string{"array", "null"})
	}
	switch elem := f.Type.Elem; elem.Kind {
	case model.Object:
		items.set("$ref", "#/$defs/"+elem.Document.Name)
		items.set("type", "object")
	case model.Text:
		items.set("type", "string")
		items = append(items, textSchema(f, elem.Enum, false)...)
	default:
		present := f.Element()
		present.Required = true
		items = scalarSchema(present)
	}
	out.set("items", items)
	if f.Most > 0 {
		out.set("maxItems", f.Most)
	}
	if f.Unique {
		out.set("uniqueItems", true)
	}
	return out
}

// mapSchema returns the schema of a map, whose values may be null.
func mapSchema(f *model.Field) object {
	var out, values object
	elem := f.Element()
	switch {
	case elem.Type.Document != nil:
		values.set("$ref", "#/$defs/"+elem.Type.Document.Name)
	case elem.Type.Kind == model.List:
		values = listSchema(elem)
	case elem.Type.Kind == model.Text:
		values.set("type", []string{"string", "null"})
		enum := elem.Type.Enum
		elem.Type.Enum = nil
		if enum != nil {
			var list []any
			for _, c := range enum {
				list = append(list, c.Value)
			}
			values.set("enum", append(list, nil))
		}
		values = append(values, textSchema(elem, nil, false)...)
	default:
		values = scalarSchema(elem)
	}
	if f.Required {
		out.set("type", "object")
		out.set("not", object{{"additionalProperties", object{{"type", "null"}}}})
	} else {
		out.set("type", []string{"object", "null"})
	}
	out.set("additionalProperties", values)
	if f.Most > 0 {
		out.set("maxProperties", f.Most)
	}
	return out
}

// prose turns a Go comment into text for readers who do not know the Go names. A paragraph
// becomes one line, and a leading name of the field becomes the name of its key.
func prose(comment, goName, name string) string {
	var paragraphs []string
	for _, p := range strings.Split(strings.TrimSpace(comment), "\n\n") {
		paragraphs = append(paragraphs, strings.Join(strings.Fields(p), " "))
	}
	text := strings.Join(paragraphs, "\n\n")
	if rest, ok := strings.CutPrefix(text, goName); ok && (strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, ":")) {
		text = name + rest
	}
	return text
}
