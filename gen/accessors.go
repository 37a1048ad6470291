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

	"github.com/attune-go/attune/gen/internal/model"
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
	"kText":     func() model.Kind { return model.Text },
	"kBool":     func() model.Kind { return model.Bool },
	"kInt":      func() model.Kind { return model.Int },
	"kFloat":    func() model.Kind { return model.Float },
	"kTime":     func() model.Kind { return model.Time },
	"kMap":      func() model.Kind { return model.Map },
	"kDuration": func() model.Kind { return model.Duration },
	"kRaw":      func() model.Kind { return model.Raw },
	"kObject":   func() model.Kind { return model.Object },
	"kList":     func() model.Kind { return model.List },
	"args": func(d *model.Document, f *model.Field) any {
		return struct {
			Doc   *model.Document
			Field *model.Field
		}{d, f}
	},
	"pointer":      pointerOf,
	"elemObject":   elemObject,
	"validate":     validate,
	"validateList": validateList,
	"judged":       hasRules,
	"judge":        judgeOf,
	"read":         readValue,
	"readTexts":    readTexts,
	"write":        writeValue,
	"unknownOf":    unknownOf,
	"faultsOf":     faultsOf,
	"plainOf":      plainOf,
	"holds":        func(f *model.Field) bool { return f.Type.Elem != nil && f.Type.Inner() != nil },
	"bareOf":       bareOf,
	"notZero":      notZero,
	"textOf":       textOf,
	"intOf":        intOf,
	"judgeNumber":  judgeNumber,
	"typeOf":       func(f *model.Field) *model.Type { return &f.Type },
	"valueOf": func(f *model.Field) string {
		if f.Type.Optional {
			return "v." + f.Go + ".Value"
		}
		return "v." + f.Go
	},
	"zero":       isZero,
	"spanOf":     spanOf,
	"orderOf":    orderOf,
	"optionalOf": func(f *model.Field) string { return f.Type.GoName() },
	"accessorOf": accessorOf,
}).Parse(accessorsText))

// emitAccessors returns the Go file of a package.
func emitAccessors(p *model.Package) ([]byte, error) {
	var out bytes.Buffer
	data := struct {
		*model.Package
		Header, Support string
		Imports         []string
	}{p, Header, supportPath, importsOf(p)}
	if err := accessors.Execute(&out, data); err != nil {
		return nil, err
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format the generated Go: %w\n%s", err, out.Bytes())
	}
	return text, nil
}

// importsOf returns the packages of the standard library that the file needs.
func importsOf(p *model.Package) []string {
	var out []string
	for _, d := range p.Documents {
		if d.Column {
			out = append(out, "database/sql", "database/sql/driver")
		}
		for _, f := range d.Fields {
			if f.Type.Kind == model.Duration && (f.Default != nil || strings.Contains(spanOf(f), "time.")) {
				out = append(out, "time")
			}
			if f.Order != nil {
				out = append(out, "cmp", "slices")
			}
			out = append(out, importsOfField(f)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// importsOfField returns what the code for a list or a map needs.
func importsOfField(f *model.Field) []string {
	var out []string
	elem := f.Type.Elem
	if of := f.Type.Inner(); elem != nil && of != nil && needsPlain(of) {
		if f.Type.Kind == model.Map {
			out = append(out, "maps")
		}
		if f.Type.Kind == model.List || elem.Kind == model.List {
			out = append(out, "slices")
		}
	}
	if f.Type.Kind == model.Map && elem.Kind == model.List && elem.Elem.Kind == model.Time {
		out = append(out, "time")
	}
	return out
}

// needsPlain reports whether a document, or one in it, may spell out defaults.
func needsPlain(d *model.Document) bool {
	for _, f := range d.Fields {
		if f.Default != nil && f.Type.Optional {
			return true
		}
		if of := f.Type.Inner(); of != nil && needsPlain(of) {
			return true
		}
	}
	return false
}

// readTexts returns the code that reads a list of text.
func readTexts(f *model.Field) string {
	elem := f.Type.Elem.Go
	if elem == "" {
		elem = "string"
	}
	return fmt.Sprintf("document.Texts[%s](r, %d)", elem, f.Most)
}

// convert returns the conversion of expr to a text's type.
func convert(t model.Type, expr string) string {
	if t.Go == "" {
		return expr
	}
	return t.Go + "(" + expr + ")"
}

// goValue returns a default as Go code.
func goValue(f *model.Field) string {
	switch f.Type.Kind {
	case model.Bool:
		return strconv.FormatBool(f.Default.Bool)
	case model.Int:
		return strconv.FormatInt(f.Default.Int, 10)
	case model.Float:
		return f.Type.GoName() + "(" + model.FormatFloat(f.Default.Float, f.Type.Bits) + ")"
	}
	return "document.Duration(" + model.GoDuration(f.Default.Duration) + ")"
}

// consts returns the Go names of an enum's values.
func consts(t *model.Type) string {
	var names []string
	for _, c := range t.Enum {
		names = append(names, c.Go)
	}
	return strings.Join(names, ", ")
}

// keyVar, plural and defaultConst return the names of the variable with the keys of a
// document, of the function that reads a list of documents, and of a default's constant.
func keyVar(d *model.Document) string                       { return lowerFirst(d.Name) + "Keys" }
func plural(d *model.Document, f *model.Field) string       { return lowerFirst(d.Name) + f.Go }
func defaultConst(d *model.Document, f *model.Field) string { return "Default" + d.Name + f.Go }

func lowerFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[n:]
}

func elemObject(f *model.Field) bool { return f.Type.Kind == model.List && f.Type.Inner() != nil }

// accessorOf returns the result type of the accessor of a default.
func accessorOf(f *model.Field) string {
	if f.Type.Kind == model.Duration {
		return "time.Duration"
	}
	return f.Type.GoName()
}

// pointerOf returns a key as a part of a JSON pointer.
func pointerOf(key string) string {
	return "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// hasRules reports whether a list, a map or what it holds has rules.
func hasRules(f *model.Field) bool {
	if f.Unique || f.Most > 0 {
		return true
	}
	elem := f.Element()
	switch elem.Type.Kind {
	case model.List:
		return elem.Type.Document != nil || hasRules(elem)
	case model.Object:
		return true
	}
	return judgeValue(elem, "") != ""
}

// notZero returns the condition under which a key is written.
func notZero(f *model.Field) string {
	v := "v." + f.Go
	switch {
	case f.Type.Optional:
		return v + ".Set"
	case f.Type.Pointer:
		return v + " != nil"
	}
	switch f.Type.Kind {
	case model.Text:
		return v + ` != ""`
	case model.Bool:
		return v
	case model.Int, model.Float, model.Duration:
		return v + " != 0"
	case model.Object, model.Time:
		return "!" + v + ".IsZero()"
	}
	return "len(" + v + ") > 0"
}

// isZero returns the condition under which a field has its zero value.
func isZero(f *model.Field) string {
	v := "v." + f.Go
	switch {
	case f.Type.Optional:
		return "!" + v + ".Set"
	case f.Type.Pointer:
		return v + " == nil"
	}
	switch f.Type.Kind {
	case model.Text:
		return v + ` == ""`
	case model.Bool:
		return "!" + v
	case model.Int, model.Float, model.Duration:
		return v + " == 0"
	case model.Object, model.Time:
		return v + ".IsZero()"
	}
	return "len(" + v + ") == 0"
}

// textOf returns the expression of a text as a string.
func textOf(f *model.Field) string {
	if f.Type.Go != "" {
		return "string(v." + f.Go + ")"
	}
	return "v." + f.Go
}

// intOf returns the expression of a number, or of its effective value if it is optional.
func intOf(f *model.Field) string {
	switch {
	case !f.Type.Optional:
		return "v." + f.Go
	case f.Default != nil:
		return "v." + f.Go + "OrDefault()"
	}
	return "v." + f.Go + ".Or(" + strconv.FormatInt(max(f.Min, 0), 10) + ")"
}

// orderOf returns the expression by which elements are ordered.
func orderOf(f *model.Field, name string) string {
	switch {
	case f.Order.Default != nil:
		return name + "." + f.Order.Go + "OrDefault()"
	case f.Order.Type.Optional:
		return name + "." + f.Order.Go + ".Or(0)"
	}
	return name + "." + f.Order.Go
}

// spanOf returns the bounds of a duration as Go code.
func spanOf(f *model.Field) string {
	var out []string
	for _, b := range []struct {
		name string
		d    *time.Duration
	}{{"Min", f.Span.Min}, {"Above", f.Span.Above}, {"Max", f.Span.Max}} {
		if b.d != nil {
			out = append(out, b.name+": document.Bound("+model.GoDuration(*b.d)+")")
		}
	}
	return strings.Join(out, ", ")
}

// validateList returns the code that checks each element of a list.
func validateList(f *model.Field, list string) string {
	elem, seen := f.Type.Elem, "seen"+f.Go
	var out, body strings.Builder
	if f.Most > 0 {
		fmt.Fprintf(&out, "c.Here(document.Most(len(%s), %d))\n", list, f.Most)
		rest := *f
		rest.Most = 0
		if !hasRules(&rest) {
			return out.String()
		}
	}
	if f.Unique {
		fmt.Fprintf(&out, "%s := make(map[%s]struct{}, len(%s))\n", seen, elem.GoName(), list)
		fmt.Fprintf(&body, "if _, ok := %s[s]; ok {\nc.Here(document.Duplicate(s))\n}\n%[1]s[s] = struct{}{}\n", seen)
	}
	judge := judgeValue(f.Element(), "s")
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

// validate returns the code that checks the members of a list or a map. Nothing is checked in
// the order of a map itself, which is random.
func validate(f *model.Field, expr string) string {
	if f.Type.Kind == model.List {
		return validateList(f, expr)
	}
	var out strings.Builder
	if f.Most > 0 {
		fmt.Fprintf(&out, "c.Here(document.MostKeys(len(%s), %d))\n", expr, f.Most)
	}
	elem := f.Element()
	judge := judgeValue(elem, "s")
	switch {
	case elem.Type.Document != nil:
		judge = "s.validate(c)"
	case elem.Type.Kind == model.List && hasRules(elem):
		judge = validateList(elem, "s")
	}
	if judge != "" {
		fmt.Fprintf(&out, "for key, s := range document.Sorted(%s) {\nc.Enter(key)\n%s\nc.Leave()\n}", expr, judge)
	}
	return out.String()
}

// judgeValue returns the code that checks a value that is not a list, a map or a document. It
// is empty if every value is right.
func judgeValue(f *model.Field, expr string) string {
	judge := ""
	switch t := &f.Type; t.Kind {
	case model.Text:
		switch {
		case f.Format != nil || f.Length > 0:
			judge = judgeOf(f, asString(t, expr))
		case t.Enum != nil:
			judge = "document.OneOf(" + expr + ", " + consts(t) + ")"
		}
	case model.Int, model.Float:
		judge = judgeNumber(f, expr)
	case model.Duration:
		if !f.Span.Empty() {
			judge = "document.Span{" + spanOf(f) + "}.Check(" + expr + ")"
		}
	case model.Time:
		judge = "document.Year(" + expr + ")"
	}
	if judge == "" {
		return ""
	}
	return "c.Here(" + judge + ")"
}

// judgeNumber returns the expression of a number's fault.
func judgeNumber(f *model.Field, expr string) string {
	low, high := bounds(f)
	switch {
	case f.Ranged:
		return "document.Within(" + expr + ", " + low + ", " + high + ")"
	case f.Type.Kind == model.Int:
		return "document.Int32(" + expr + ")"
	}
	return "document.Finite(" + expr + ")"
}

// bounds returns the bounds of a number as Go code.
func bounds(f *model.Field) (low, high string) {
	if f.Type.Kind == model.Float {
		return floatBounds(f)
	}
	return strconv.FormatInt(f.Min, 10), strconv.FormatInt(f.Max, 10)
}

// asString returns the conversion of an expression of the type to a string.
func asString(t *model.Type, expr string) string {
	if t.Go == "" {
		return expr
	}
	return "string(" + expr + ")"
}

// judgeOf returns the code that checks a text with a format or a length.
func judgeOf(f *model.Field, expr string) string {
	judge := "nil"
	if f.Format != nil {
		judge = f.Format.Func
	}
	switch length := f.MaxLength(); {
	case length == 0:
		return judge + "(" + expr + ")"
	case f.Length == 0:
		return "document.Patterned(" + expr + ", " + judge + ")"
	default:
		return fmt.Sprintf("document.Bounded(%s, %d, %s)", expr, length, judge)
	}
}
