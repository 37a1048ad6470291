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

	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/schema/metadata"
)

// A literal writes values as composite literals of Go. All text goes through quoted, so that
// no text becomes code.
type literal struct {
	strings.Builder
	// json and time report whether the literal needs these packages.
	json, time bool
}

// definition writes a definition with a constant as its ref.
func (w *literal) definition(def *metadata.Definition, ref string) error {
	if err := def.Fault(); err != nil {
		return err
	}
	w.WriteString("{\nRef: " + ref + ",\n")
	d := *def
	d.Ref = ""
	return w.fields(reflect.ValueOf(d), ",\n")
}

// fields writes the fields of a struct that are not empty, each followed by after, and the
// closing brace.
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

// empty reports whether a field can be left out. A definition does not tell an empty list
// from a missing one.
func empty(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

// value writes one value. typed adds the type, which Go infers within a list.
func (w *literal) value(v reflect.Value, typed bool) error {
	switch x := v.Interface().(type) {
	case json.RawMessage:
		return w.raw(x)
	case metadata.Duration:
		w.time = true
		w.WriteString("metadata.Duration(" + model.GoDuration(time.Duration(x)) + ")")
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
		return fmt.Errorf("unsupported type %s", v.Type())
	}
	return nil
}

// list writes up to three texts on one line, and other lists with one element per line.
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

// raw writes a document that attune does not read, without the blanks that a database may
// have added.
func (w *literal) raw(text json.RawMessage) error {
	w.json = true
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return errors.New("not JSON")
	}
	w.WriteString("json.RawMessage(" + quoted(compact.String()) + ")")
	return nil
}

// typeName returns the name of a type in the generated file.
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

// quoted returns a text as a Go literal. It uses backquotes if they are easier to read and
// every character is visible.
func quoted(s string) string {
	hidden := func(r rune) bool { return r == '`' || r == utf8.RuneError || !displayed(r) }
	switch {
	case !strings.ContainsFunc(s, hidden):
		if strings.ContainsAny(s, `\"`) {
			return "`" + s + "`"
		}
	case strings.ContainsFunc(s, func(r rune) bool { return strconv.IsPrint(r) && !displayed(r) }):
		return strconv.QuoteToASCII(s)
	}
	return strconv.Quote(s)
}
