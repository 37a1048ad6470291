package gen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
)

// The code for values at any depth: the template has the code for the fields of a document, and
// lists and maps of values are read and written by these functions.

// readValue returns the expression that reads a value. It does not read documents, which have
// methods for that.
func readValue(f *model.Field) string {
	optional := ""
	if f.Type.Optional {
		optional = "Optional"
	}
	switch t := &f.Type; t.Kind {
	case model.Text:
		return convert(*t, "r.Text()")
	case model.Bool:
		return "r." + optional + "Bool()"
	case model.Int:
		return fmt.Sprintf("r.%sInt(%d, %d)", optional, f.Min, f.Max)
	case model.Float:
		low, high := bounds(f)
		return fmt.Sprintf("r.%sFloat%d(%s, %s)", optional, t.Bits, low, high)
	case model.Duration:
		return fmt.Sprintf("r.%sDuration(%q)", optional, sample(f))
	case model.Time:
		return "r.Time()"
	case model.Map:
		return fmt.Sprintf("document.Map(r, %d, %s)", f.Most, reader(f.Element()))
	case model.List:
		if t.Elem.Kind == model.Text {
			return readTexts(f)
		}
		return fmt.Sprintf("document.Elements(r, %d, %q, %s)", f.Most, requirement(t.Elem), reader(f.Element()))
	}
	return "r.Raw()"
}

// reader returns the function that reads a value.
func reader(f *model.Field) string {
	switch t := &f.Type; {
	case t.Document != nil:
		return "func() (v " + t.Document.Name + ") {\nv.read(r)\nreturn v\n}"
	case t.Kind == model.Text && t.Go == "", t.Kind == model.Bool, t.Kind == model.Time:
		return strings.TrimSuffix(readValue(f), "()")
	}
	return "func() " + f.Type.GoName() + " { return " + readValue(f) + " }"
}

// writeValue returns the code that writes the value of expr to the Writer to.
func writeValue(f *model.Field, expr, to string) string {
	t := &f.Type
	if t.Optional {
		expr += ".Value"
	}
	switch {
	case t.Document != nil:
		return expr + ".write(" + to + ")"
	case t.Kind == model.Text:
		return to + ".Text(" + asString(t, expr) + ")"
	case t.Kind == model.Bool:
		return to + ".Bool(" + expr + ")"
	case t.Kind == model.Int:
		return to + ".Int(" + expr + ")"
	case t.Kind == model.Float:
		return fmt.Sprintf("%s.Float%d(%s)", to, t.Bits, expr)
	case t.Kind == model.Duration:
		return to + ".Text(" + expr + ".String())"
	case t.Kind == model.Time:
		return to + ".Time(" + expr + ")"
	case t.Kind == model.Map:
		return to + ".Open()\nfor key, s := range document.Sorted(" + expr + ") {\n" +
			writeValue(f.Element(), "s", "w.Key(key)") + "\n}\nw.Close(nil)"
	case t.Kind == model.List && t.Elem.Kind == model.Text:
		return "document.WriteTexts(" + to + ", " + expr + ")"
	case t.Kind == model.List:
		return to + ".OpenList()\nfor i := range " + expr + " {\n" + writeValue(f.Element(), expr+"[i]", "w.Comma()") + "\n}\nw.CloseList()"
	}
	return to + ".Raw(" + expr + ")"
}

// unknownOf returns the code that collects the unknown keys of the documents in a list or a map.
func unknownOf(f *model.Field) string {
	return descend(&f.Type, "v."+f.Go, "at + "+strconv.Quote(pointerOf(f.Key)), func(expr, at string) string {
		return expr + ".unknownKeys(" + at + ", to)"
	})
}

// descend returns the code that visits each document in the value of expr, whose pointer is at.
func descend(t *model.Type, expr, at string, visit func(expr, at string) string) string {
	switch t.Kind {
	case model.Map:
		return "for key, s := range document.Sorted(" + expr + ") {\n" + descend(t.Elem, "s", "document.Child("+at+", key)", visit) + "\n}"
	case model.List:
		return "for i := range " + expr + " {\n" + descend(t.Elem, expr+"[i]", "document.Index("+at+", i)", visit) + "\n}"
	}
	return visit(expr, at)
}

// faultsOf returns the code that collects the faults of the columns in a value.
func faultsOf(t *model.Type, expr string) string {
	switch {
	case t.Document != nil:
		return "c.Under(" + expr + ".Fault())"
	case t.Kind == model.Map:
		return "for key, s := range document.Sorted(" + expr + ") {\nc.Enter(key)\n" + faultsOf(t.Elem, "s") + "\nc.Leave()\n}"
	}
	return "for i := range " + expr + " {\nc.EnterIndex(i)\n" + faultsOf(t.Elem, expr+"[i]") + "\nc.Leave()\n}"
}

// plainOf returns the code that replaces the documents in a list or a map by their plain form.
// Lists and maps are copied before.
func plainOf(t *model.Type, expr string) string {
	switch {
	case t.Document != nil:
		return expr + " = " + expr + ".plain()"
	case t.Kind == model.Map && t.Elem.Document != nil:
		return expr + " = maps.Clone(" + expr + ")\nfor key, s := range " + expr + " {\n" + expr + "[key] = s.plain()\n}"
	case t.Kind == model.Map:
		return expr + " = maps.Clone(" + expr + ")\nfor key, s := range " + expr + " {\n" + plainOf(t.Elem, "s") + "\n" + expr + "[key] = s\n}"
	}
	return expr + " = slices.Clone(" + expr + ")\nfor i := range " + expr + " {\n" + plainOf(t.Elem, expr+"[i]") + "\n}"
}

// bareOf returns the expression for the texts of the documents in a list or a map.
func bareOf(f *model.Field) string {
	levels := levelsOf(&f.Type)
	return fmt.Sprintf("len(path) > %d && (*%s)(nil).Bare(path[%d:])", levels, f.Type.Inner().Name, levels+1)
}

// levelsOf returns the number of lists and maps around what a value holds.
func levelsOf(t *model.Type) int {
	if t.Elem == nil {
		return 0
	}
	return 1 + levelsOf(t.Elem)
}
