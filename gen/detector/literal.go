package detector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/schema/metadata"
)

// literal writes values as composite literals of Go. All text goes through
// quoted, so it is data whatever it says.
type literal struct {
	strings.Builder
	// json and time: the literal needs these packages.
	json, time bool
}

// definition writes a definition, whose ref is a constant.
func (w *literal) definition(def *metadata.Definition, ref string) error {
	if err := def.Fault(); err != nil {
		return err
	}
	w.WriteString("{\nRef: " + ref + ",\n")
	d := *def
	d.Ref = ""
	return w.fields(reflect.ValueOf(d), ",\n")
}

// fields writes those fields of a struct that are not empty, what stands after
// each, and the struct's end.
func (w *literal) fields(v reflect.Value, after string) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || empty(v.Field(i)) {
			continue
		}
		w.WriteString(field.Name + ": ")
		if err := w.value(v.Field(i), true); err != nil {
			return fmt.Errorf("%s: %w", field.Name, err)
		}
		w.WriteString(after)
	}
	w.WriteString("}")
	return nil
}

// empty reports whether a field can be left out: to a definition, a list without
// elements is no list.
func empty(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

// value writes one value. typed is false in a list, where Go knows the type.
func (w *literal) value(v reflect.Value, typed bool) error {
	switch x := v.Interface().(type) {
	case json.RawMessage:
		return w.raw(x)
	case metadata.Duration:
		w.time = true
		w.WriteString("metadata.Duration(" + gen.GoDuration(time.Duration(x)) + ")")
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		w.WriteString(quoted(v.String()))
	case reflect.Bool:
		w.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int:
		w.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Pointer:
		w.WriteByte('&')
		return w.value(v.Elem(), true)
	case reflect.Struct:
		if typed {
			w.WriteString(typeName(v.Type()))
		}
		if v.NumField() <= 2 { // on one line
			w.WriteString("{")
			return w.fields(v, ", ")
		}
		w.WriteString("{\n")
		return w.fields(v, ",\n")
	case reflect.Slice:
		return w.list(v)
	default:
		return fmt.Errorf("no way to write %s", v.Type())
	}
	return nil
}

// list writes few texts on one line, and anything else on lines of its own.
func (w *literal) list(v reflect.Value) error {
	w.WriteString(typeName(v.Type()) + "{")
	between := ", "
	if v.Type().Elem().Kind() != reflect.String || v.Len() > 3 {
		between = ",\n"
		w.WriteByte('\n')
	}
	for i := range v.Len() {
		if err := w.value(v.Index(i), false); err != nil {
			return err
		}
		w.WriteString(between)
	}
	w.WriteString("}")
	return nil
}

// raw writes a document of the platform's own, without the blanks that a
// database may have put in.
func (w *literal) raw(text json.RawMessage) error {
	w.json = true
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return errors.New("it is not JSON")
	}
	w.WriteString("json.RawMessage(" + quoted(compact.String()) + ")")
	return nil
}

// typeName is how the generated file names a type.
func typeName(t reflect.Type) string {
	name, generic, _ := strings.Cut(t.Name(), "[")
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return "json.RawMessage"
	case generic != "": // metadata.Optional, the only one
		return "metadata." + name + "[" + typeName(t.Field(0).Type) + "]"
	case name == "" && t.Kind() == reflect.Slice:
		return "[]" + typeName(t.Elem())
	case t.PkgPath() == "":
		return name
	}
	return "metadata." + name
}

// quoted is a text as Go code has it, in backquotes where that is easier to read
// and hides nothing.
func quoted(s string) string {
	hidden := func(r rune) bool { return r == '`' || r == utf8.RuneError || !seen(r) }
	switch {
	case !strings.ContainsFunc(s, hidden):
		if strings.ContainsAny(s, `\"`) {
			return "`" + s + "`"
		}
	case strings.ContainsFunc(s, func(r rune) bool { return strconv.IsPrint(r) && !seen(r) }):
		return strconv.QuoteToASCII(s)
	}
	return strconv.Quote(s)
}
