package gen

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// emitPage writes the reference page, in Markdown.
func emitPage(p *Package, title string) []byte {
	var out strings.Builder
	if title == "" {
		title = p.Documents[0].Name
	}
	fmt.Fprintf(&out, "<!-- %s -->\n\n# %s\n\n%s", strings.TrimPrefix(Header, "// "), markdown(title), strictness)
	for _, d := range p.Documents {
		if d.List == nil {
			section(&out, d)
		}
	}
	formatSection(&out, p)
	return []byte(out.String())
}

// strictness is what holds for each document, whatever it is about.
const strictness = `Documents are read strictly: UTF-8, no key twice in one object, no NUL in text, at most
64 levels and 1 MiB. ` + "`1.0`" + ` is a whole number, and ` + "`null`" + ` is the same as leaving a key out. Keys
that are not listed here are kept, at every level, with their values as they are
written. Each fault is told with its JSON pointer: ` + "`/list/0/key: what is wrong`" + `.
`

func section(out *strings.Builder, d *Document) {
	fmt.Fprintf(out, "\n## %s\n", markdown(d.Name))
	if text := prose(d.Comment, d.Name, d.Name); text != "" {
		fmt.Fprintf(out, "\n%s\n", markdown(text))
	}
	if len(d.Guards) > 0 {
		var columns []string
		for _, g := range d.Guards {
			columns = append(columns, code(g.Table+"."+g.Name))
		}
		fmt.Fprintf(out, "\nThe database refuses what is wrong in %s.\n", strings.Join(columns, " and "))
	}
	if len(d.Fields) == 0 {
		return
	}
	out.WriteString("\n| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, f := range d.Fields {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", code(f.Key), typeCell(f), defaultCell(f), cell(meaning(f)))
	}
}

// meaning is the comment of a field without its own name at the beginning.
func meaning(f *Field) string {
	text := strings.TrimSpace(strings.TrimPrefix(prose(f.Comment, f.Go, ""), ":"))
	for _, verb := range []string{"is ", "are "} {
		if rest, ok := strings.CutPrefix(text, verb); ok {
			return rest
		}
	}
	return text
}

func typeCell(f *Field) string {
	t := f.Type
	switch {
	case t.Kind == List && t.Document != nil:
		f = t.Document.List
		fallthrough
	case t.Kind == List:
		once := ""
		if f.Unique {
			once = ", each once"
		}
		return "list of " + textCell(f.Type.Elem, f.Format) + once
	case t.Kind == Object:
		return link(t.Document)
	case t.Kind == Text:
		return textCell(&t, f.Format)
	case t.Kind == Bool:
		return "true or false"
	case t.Kind == Int && f.Ranged:
		return fmt.Sprintf("whole number from %d to %d", f.Min, f.Max)
	case t.Kind == Int:
		return "whole number"
	case t.Kind == Duration:
		return "duration" + f.Span.String()
	}
	return "anything"
}

// String says the bounds.
func (s Span) String() string {
	var out string
	for _, b := range []struct {
		words string
		d     *time.Duration
	}{{"at least", s.Min}, {"more than", s.Above}, {"at most", s.Max}} {
		if b.d != nil {
			out += ", " + b.words + " " + code(b.d.String())
		}
	}
	return out
}

func textCell(t *Type, format *Format) string {
	switch {
	case t.Kind == Object:
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

func link(d *Document) string {
	return "[" + markdown(d.Name) + "](#" + strings.ToLower(d.Name) + ")"
}

func defaultCell(f *Field) string {
	switch {
	case f.mustBe():
		return "required"
	case f.Default != nil:
		return code(fmt.Sprint(f.defaultJSON()))
	case f.Type.Optional:
		return "none"
	}
	switch f.Type.Kind {
	case Bool:
		return code("false")
	case Int:
		return code("0")
	case Duration:
		return code("0s")
	case List:
		return code("[]")
	case Object:
		if !f.Type.Pointer {
			return code("{}")
		}
	}
	return "none"
}

// formatSection says what each format that is used accepts.
func formatSection(out *strings.Builder, p *Package) {
	var used []*Format
	note := func(f *Field) {
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
	fmt.Fprintf(out, "\n## Formats\n\nTexts of these formats have at most %d characters, but for those that only Go judges:\nexpressions, versions and durations.\n\n| format", maxPatterned)
	out.WriteString(" | accepts |\n|---|---|\n")
	for _, f := range used {
		text := strings.TrimSpace(strings.TrimPrefix(prose(f.Comment, f.Func, ""), "accepts "))
		fmt.Fprintf(out, "| %s | %s |\n", cell(f.Name), cell(strings.TrimPrefix(strings.TrimSpace(text), "accepts ")))
	}
}

// markdown makes text stand for itself in Markdown.
func markdown(text string) string {
	return markdownEscapes.Replace(text)
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", `\[`, "]", `\]`, "#", `\#`)

// cell is text in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(markdown(text)), " "), "|", `\|`)
}

// code is text as code, also in a table.
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
