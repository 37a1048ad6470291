package gen

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/schema/document"
)

// emitPage returns the reference page, in Markdown.
func emitPage(p *model.Package, title string) []byte {
	var out strings.Builder
	if title == "" {
		title = p.Documents[0].Name
	}
	fmt.Fprintf(&out, "<!-- %s -->\n\n# %s\n\n%s", strings.TrimPrefix(Header, "// "), markdown(title), strictness)
	out.WriteString(kindsUsed(p))
	if len(guardTargets(p)) > 0 {
		out.WriteString(guarding)
	}
	for _, d := range p.Documents {
		if d.List == nil {
			section(&out, d)
		}
	}
	formatSection(&out, p)
	return []byte(out.String())
}

// strictness describes the rules for every document.
var strictness = fmt.Sprintf(`Documents must be UTF-8, without NUL in texts and without duplicate keys in an object. They may
be nested at most %d deep and have at most %d MiB. A number may have at most %d digits in the
form without an exponent, and counts in that form. Blanks between the parts of a document do not
count, but it must have at most %d MiB with them. `+"`1.0`"+` is a whole number. Whole numbers are
from %d to %d unless the table says otherwise. `+"`null`"+` means the same as a missing key.
Unknown keys are kept at every level, with their values as written; only Postgres rewrites
values, such as `+"`1e2`"+` to `+"`100`"+`. Each fault is reported with its JSON pointer: `+"`/list/0/key: must be text`"+`.
`, document.MaxDepth, document.MaxSize>>20, document.MaxDigits, document.MaxText>>20, math.MinInt32, math.MaxInt32)

// kindsUsed describes maps, floating-point numbers and times if the package has some.
func kindsUsed(p *model.Package) string {
	var out string
	for _, k := range []struct {
		kind model.Kind
		text string
	}{
		{model.Map, "The keys of a map are any text. A `null` in it means the same as a missing key, and maps are written by\n" +
			"ascending keys. The messages of SQLite name each key of a map `*`.\n"},
		{model.Float, "A number is rounded to the nearest one that its field can hold, and is written in its shortest form.\n"},
		{model.Time, "A time has the format of RFC 3339, with an offset and at most nanoseconds: " + code(document.SampleTime) + ".\n"},
	} {
		if slices.ContainsFunc(p.Documents, func(d *model.Document) bool { return uses(d, k.kind) }) {
			out += k.text
		}
	}
	if out != "" {
		out = "\n" + out
	}
	return out
}

// uses reports whether a field of the document has values of a kind.
func uses(d *model.Document, kind model.Kind) bool {
	return slices.ContainsFunc(d.Fields, func(f *model.Field) bool { return f.Type.Kind == kind || f.Type.Leaf().Kind == kind })
}

// guarding describes what the guards check.
const guarding = `
The databases refuse a row with the first fault that they find. Before its guards see a
document, Postgres drops the first of two equal keys and rewrites texts to their shortest form.
SQLite has no regular expressions, so its guards check only the shape of a document: types,
required keys, ranges, values of enums, and duplicate keys and elements. It stores documents with
other faults, which are reported when they are read. Its messages name an element of a list ` + "`*`" + `.
`

func section(out *strings.Builder, d *model.Document) {
	fmt.Fprintf(out, "\n## %s\n", markdown(d.Name))
	if text := prose(d.Comment, d.Name, d.Name); text != "" {
		fmt.Fprintf(out, "\n%s\n", markdown(text))
	}
	guards := slices.Clone(d.Guards)
	for _, f := range d.Fields {
		guards = append(guards, f.Guards...)
		if of := f.Type.Document; of != nil && of.List != nil {
			guards = append(guards, of.Guards...)
		}
	}
	if len(guards) > 0 {
		var columns []string
		for _, g := range guards {
			columns = append(columns, code(g.Table+"."+g.Name))
		}
		fmt.Fprintf(out, "\nThe databases refuse wrong values of %s.\n", strings.Join(columns, ", "))
	}
	if len(d.Fields) == 0 {
		return
	}
	out.WriteString("\n| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, f := range d.Fields {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", code(f.Key), typeCell(f), defaultCell(f), cell(meaning(f)))
	}
}

// meaning returns the comment of a field without the leading name.
func meaning(f *model.Field) string {
	text := strings.TrimSpace(strings.TrimPrefix(prose(f.Comment, f.Go, ""), ":"))
	for _, verb := range []string{"is ", "are "} {
		if rest, ok := strings.CutPrefix(text, verb); ok {
			return rest
		}
	}
	return text
}

func typeCell(f *model.Field) string {
	t := f.Type
	switch {
	case t.Kind == model.List && t.Document != nil:
		f = t.Document.List
		fallthrough
	case t.Kind == model.List:
		once := ""
		if f.Unique {
			once = ", each once"
		}
		return "list of " + elementCell(f) + once + boundsOf(f)
	case t.Kind == model.Map:
		return "map of " + elementCell(f) + boundsOf(f)
	case t.Kind == model.Object:
		return link(t.Document)
	case t.Kind == model.Text:
		return textCell(&t, f.Format) + boundsOf(f)
	case t.Kind == model.Bool:
		return "true or false"
	case t.Kind == model.Int && f.Ranged:
		return fmt.Sprintf("whole number from %d to %d", f.Min, f.Max)
	case t.Kind == model.Int:
		return "whole number"
	case t.Kind == model.Float:
		return "number" + floatWords(f)
	case t.Kind == model.Duration:
		return "duration" + spanWords(f.Span)
	case t.Kind == model.Time:
		return "time"
	}
	return "anything"
}

// elementCell returns what a list or a map holds, without the bounds of texts, which boundsOf
// returns.
func elementCell(f *model.Field) string {
	elem := f.Element()
	elem.Length = 0
	text := typeCell(elem)
	for _, word := range []string{"whole number", "number", "duration", "time", "list"} {
		if rest, ok := strings.CutPrefix(text, word); ok {
			return word + "s" + rest
		}
	}
	return text
}

// floatWords returns the bounds of a floating-point number as words.
func floatWords(f *model.Field) string {
	low, high := floatBounds(f)
	var out string
	if f.Low > -math.MaxFloat32 {
		out += ", at least " + low
	}
	if f.High < math.MaxFloat32 {
		out += ", at most " + high
	}
	return out
}

// boundsOf returns the bounds of elements and characters that the field itself sets.
func boundsOf(f *model.Field) string {
	var out string
	if f.Most > 0 {
		out = fmt.Sprintf(", at most %d", f.Most)
	}
	switch {
	case f.Length > 0 && f.Type.Elem != nil:
		out += fmt.Sprintf(", each at most %d characters", f.Length)
	case f.Length > 0:
		out += fmt.Sprintf(", at most %d characters", f.Length)
	}
	return out
}

// spanWords returns the bounds as words.
func spanWords(s model.Span) string {
	var out string
	for _, b := range []struct {
		words string
		d     *time.Duration
	}{{"at least", s.Min}, {"greater than", s.Above}, {"at most", s.Max}} {
		if b.d != nil {
			out += ", " + b.words + " " + code(b.d.String())
		}
	}
	return out
}

func textCell(t *model.Type, format *model.Format) string {
	switch {
	case t.Kind == model.Object:
		return link(t.Document)
	case t.Enum != nil:
		var values []string
		for _, c := range t.Enum {
			values = append(values, code(c.Value))
		}
		return strings.Join(values, ", ")
	case format != nil:
		return "[" + markdown(format.Name) + "](#formats)"
	}
	return "text"
}

func link(d *model.Document) string {
	return "[" + markdown(d.Name) + "](#" + strings.ToLower(d.Name) + ")"
}

func defaultCell(f *model.Field) string {
	switch {
	case f.MustExist():
		return "required"
	case f.Default != nil:
		return code(fmt.Sprint(defaultJSON(f)))
	case f.Type.Optional:
		return "none"
	}
	switch f.Type.Kind {
	case model.Bool:
		return code("false")
	case model.Int, model.Float:
		return code("0")
	case model.Duration:
		return code("0s")
	case model.List:
		return code("[]")
	case model.Map:
		return code("{}")
	case model.Object:
		if !f.Type.Pointer {
			return code("{}")
		}
	}
	return "none"
}

// goAlone returns the names of the formats without a pattern.
func goAlone(used []*model.Format) string {
	var names []string
	for _, f := range used {
		if f.Pattern == nil {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", except those that only Go checks: " + strings.Join(names, ", ")
}

// formatSection writes what each format in use accepts.
func formatSection(out *strings.Builder, p *model.Package) {
	var used []*model.Format
	note := func(f *model.Field) {
		if f != nil && f.Format != nil && !slices.Contains(used, f.Format) {
			used = append(used, f.Format)
		}
	}
	for _, d := range p.Documents {
		note(d.List)
		for _, f := range d.Fields {
			note(f)
		}
	}
	if len(used) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## Formats\n\nTexts of these formats have at most %d characters%s.\n\n| format | accepts |\n|---|---|\n",
		document.MaxPatterned, goAlone(used))
	for _, f := range used {
		text := strings.TrimSpace(strings.TrimPrefix(prose(f.Comment, f.Func, ""), "accepts "))
		fmt.Fprintf(out, "| %s | %s |\n", cell(f.Name), cell(strings.TrimPrefix(strings.TrimSpace(text), "accepts ")))
	}
}

// markdown escapes text for Markdown.
func markdown(text string) string {
	return markdownEscapes.Replace(text)
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", `\[`, "]", `\]`, "#", `\#`)

// cell returns text for a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(markdown(text)), " "), "|", `\|`)
}

// code returns text as code, which may be in a table.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}
