package gen

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"
)

//go:embed accessors.tmpl
var accessorsText string

// accessors is the template of the Go file.
var accessors = template.Must(template.New("accessors").Funcs(template.FuncMap{
	"quote":     strconv.Quote,
	"keyVar":    keyVar,
	"plural":    plural,
	"defaultOf": defaultConst,
	"bit":       func(i int) string { return fmt.Sprintf("1<<%d", i) },
	"convert":   convert,
	"value":     goValue,
	"sample":    sample,
	"consts":    consts,
	"needs":     needsPlain,
	"kText":     func() Kind { return Text },
	"kBool":     func() Kind { return Bool },
	"kInt":      func() Kind { return Int },
	"kDuration": func() Kind { return Duration },
	"kRaw":      func() Kind { return Raw },
	"kObject":   func() Kind { return Object },
	"kList":     func() Kind { return List },
	"args": func(d *Document, f *Field) any {
		return struct {
			Doc   *Document
			Field *Field
		}{d, f}
	},
	"pointer":      pointerOf,
	"elemObject":   elemObject,
	"validateList": validateList,
	"judged":       (*Field).hasRules,
	"judge":        (*Field).judge,
	"readTexts":    readTexts,
	"notZero":      notZero,
	"textOf":       textOf,
	"intOf":        intOf,
	"spanOf":       spanOf,
	"orderOf":      orderOf,
	"optionalOf":   func(f *Field) string { return optionalTypes[f.Type.Kind] },
	"accessorOf":   func(f *Field) string { return accessorTypes[f.Type.Kind] },
}).Parse(accessorsText))

// emitAccessors returns the Go file of a package.
func emitAccessors(p *Package) ([]byte, error) {
	var out bytes.Buffer
	data := struct {
		*Package
		Header, Support string
		Imports         []string
	}{p, Header, supportPath, p.imports()}
	if err := accessors.Execute(&out, data); err != nil {
		return nil, err
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format the generated Go: %w\n%s", err, out.Bytes())
	}
	return text, nil
}

// imports returns the packages of the standard library that the file needs.
func (p *Package) imports() []string {
	var out []string
	for _, d := range p.Documents {
		if d.Column {
			out = append(out, "database/sql", "database/sql/driver")
		}
		for _, f := range d.Fields {
			if f.Type.Kind == Duration && (f.Default != nil || strings.Contains(spanOf(f), "time.")) {
				out = append(out, "time")
			}
			if f.Order != nil {
				out = append(out, "cmp", "slices")
			}
			if of := f.Type.object(); f.Type.Kind == List && of != nil && needsPlain(of) {
				out = append(out, "slices")
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// needsPlain reports whether a document, or one in it, may spell out defaults.
func needsPlain(d *Document) bool {
	for _, f := range d.Fields {
		if f.Default != nil && f.Type.Optional {
			return true
		}
		if of := f.Type.object(); of != nil && needsPlain(of) {
			return true
		}
	}
	return false
}

// HasBare reports whether a text of the document, or of one in it, may omit its quotes in a
// YAML file.
func (d *Document) HasBare() bool {
	return slices.ContainsFunc(d.Fields, func(f *Field) bool {
		of := f.Type.object()
		return f.Bare || of != nil && of.HasBare()
	})
}

// HasColumn reports whether the document, or one in it, is a column.
func (d *Document) HasColumn() bool {
	return d.Column || slices.ContainsFunc(d.Fields, func(f *Field) bool { return f.Type.HasColumn() })
}

// HasColumn reports whether the document of the type or of its elements is a column or holds
// one.
func (t *Type) HasColumn() bool {
	return t.Document != nil && t.Document.HasColumn() || t.Elem != nil && t.Elem.HasColumn()
}

// readTexts returns the code that reads a list of text.
func readTexts(f *Field) string {
	elem := f.Type.Elem.Go
	if elem == "" {
		elem = "string"
	}
	return fmt.Sprintf("document.Texts[%s](r, %d)", elem, f.Most)
}

// convert returns the conversion of expr to a text's type.
func convert(t Type, expr string) string {
	if t.Go == "" {
		return expr
	}
	return t.Go + "(" + expr + ")"
}

// goValue returns a default as Go code.
func goValue(f *Field) string {
	switch f.Type.Kind {
	case Bool:
		return strconv.FormatBool(f.Default.Bool)
	case Int:
		return strconv.FormatInt(f.Default.Int, 10)
	}
	return "document.Duration(" + GoDuration(f.Default.Duration) + ")"
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

// consts returns the Go names of an enum's values.
func consts(t *Type) string {
	var names []string
	for _, c := range t.Enum {
		names = append(names, c.Go)
	}
	return strings.Join(names, ", ")
}

// keyVar, plural and defaultConst return the names of the variable with the keys of a
// document, of the function that reads a list of documents, and of a default's constant.
func keyVar(d *Document) string                 { return lowerFirst(d.Name) + "Keys" }
func plural(d *Document, f *Field) string       { return lowerFirst(d.Name) + f.Go }
func defaultConst(d *Document, f *Field) string { return "Default" + d.Name + f.Go }

func lowerFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[n:]
}

func elemObject(f *Field) bool { return f.Type.Kind == List && f.Type.object() != nil }

// optionalTypes holds the types in an Optional, and accessorTypes the result types of the
// accessors of defaults.
var (
	optionalTypes = map[Kind]string{Bool: "bool", Int: "int", Duration: "document.Duration"}
	accessorTypes = map[Kind]string{Bool: "bool", Int: "int", Duration: "time.Duration"}
)

// pointerOf returns a key as a part of a JSON pointer.
func pointerOf(key string) string {
	return "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// hasRules reports whether a list or its elements have rules.
func (f *Field) hasRules() bool {
	return f.Format != nil || f.Unique || f.Most > 0 || f.Length > 0 || f.Type.Elem.Enum != nil || f.Type.Elem.Document != nil
}

// notZero returns the condition under which a key is written.
func notZero(f *Field) string {
	v := "v." + f.Go
	switch {
	case f.Type.Optional:
		return v + ".Set"
	case f.Type.Pointer:
		return v + " != nil"
	}
	switch f.Type.Kind {
	case Text:
		return v + ` != ""`
	case Bool:
		return v
	case Int, Duration:
		return v + " != 0"
	case Object:
		return "!" + v + ".IsZero()"
	}
	return "len(" + v + ") > 0"
}

// textOf returns the expression of a text as a string.
func textOf(f *Field) string {
	if f.Type.Go != "" {
		return "string(v." + f.Go + ")"
	}
	return "v." + f.Go
}

// intOf returns the expression of a number, or of its effective value if it is optional.
func intOf(f *Field) string {
	switch {
	case !f.Type.Optional:
		return "v." + f.Go
	case f.Default != nil:
		return "v." + f.Go + "OrDefault()"
	}
	return "v." + f.Go + ".Or(" + strconv.FormatInt(max(f.Min, 0), 10) + ")"
}

// orderOf returns the expression by which elements are ordered.
func orderOf(f *Field, name string) string {
	switch {
	case f.Order.Default != nil:
		return name + "." + f.Order.Go + "OrDefault()"
	case f.Order.Type.Optional:
		return name + "." + f.Order.Go + ".Or(0)"
	}
	return name + "." + f.Order.Go
}

// spanOf returns the bounds of a duration as Go code.
func spanOf(f *Field) string {
	var out []string
	for _, b := range []struct {
		name string
		d    *time.Duration
	}{{"Min", f.Span.Min}, {"Above", f.Span.Above}, {"Max", f.Span.Max}} {
		if b.d != nil {
			out = append(out, b.name+": document.Bound("+GoDuration(*b.d)+")")
		}
	}
	return strings.Join(out, ", ")
}

// NoSpan reports whether a duration has no bounds.
func (f *Field) NoSpan() bool { return f.Span.empty() }

// validateList returns the code that checks each element of a list.
func validateList(f *Field, list string) string {
	elem, seen := f.Type.Elem, "seen"+f.Go
	var out, body strings.Builder
	if f.Most > 0 {
		fmt.Fprintf(&out, "c.Here(document.Most(len(%s), %d))\n", list, f.Most)
		if f.Format == nil && !f.Unique && f.Length == 0 && elem.Enum == nil && elem.Document == nil {
			return out.String()
		}
	}
	if f.Unique {
		fmt.Fprintf(&out, "%s := make(map[%s]struct{}, len(%s))\n", seen, elem.GoName(), list)
		fmt.Fprintf(&body, "if _, ok := %s[s]; ok {\nc.Here(document.Duplicate(s))\n}\n%[1]s[s] = struct{}{}\n", seen)
	}
	judge := ""
	switch {
	case f.Format != nil || f.Length > 0:
		judge = "c.Here(" + f.judge(elem.asString("s")) + ")"
	case elem.Enum != nil:
		judge = "c.Here(document.OneOf(s, " + consts(elem) + "))"
	}
	switch {
	case elem.Document != nil:
		fmt.Fprintf(&out, "for i := range %s {\nc.EnterIndex(i)\n%[1]s[i].validate(c)\n%s", list, body.String())
	case judge == "":
		fmt.Fprintf(&out, "for i, s := range %s {\nc.EnterIndex(i)\n%s", list, body.String())
	case body.Len() == 0:
		fmt.Fprintf(&out, "for i, s := range %s {\nc.EnterIndex(i)\n%s\n", list, judge)
	default:
		fmt.Fprintf(&out, "for i, s := range %s {\nc.EnterIndex(i)\nif %s {\n%s}\n", list, judge, body.String())
	}
	out.WriteString("c.Leave()\n}")
	return out.String()
}

// asString returns the conversion of an expression of the type to a string.
func (t *Type) asString(expr string) string {
	if t.Go == "" {
		return expr
	}
	return "string(" + expr + ")"
}

// judge returns the code that checks a text with a format or a length.
func (f *Field) judge(expr string) string {
	judge := "nil"
	if f.Format != nil {
		judge = f.Format.Func
	}
	switch length := f.length(); {
	case length == 0:
		return judge + "(" + expr + ")"
	case f.Length == 0:
		return "document.Patterned(" + expr + ", " + judge + ")"
	default:
		return fmt.Sprintf("document.Bounded(%s, %d, %s)", expr, length, judge)
	}
}
