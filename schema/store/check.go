package store

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun/schema"
)

// check refuses what must not be written. It comes before the statement is
// made, because bun writes the error of a value into the text of the statement.
func (t table[M]) check(row *M, columns []string) error {
	v := reflect.ValueOf(row).Elem()
	for _, f := range t.model().Fields {
		if !slices.Contains(columns, f.Name) {
			continue
		}
		if err := checkValue(f.Value(v)); err != nil {
			return fmt.Errorf("%w %s: %w", ErrInvalid, f.Name, err)
		}
	}
	return nil
}

func checkValue(v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.String {
		return checkText(v.String())
	}
	at := v.Addr().Interface()
	switch x := at.(type) {
	case *json.RawMessage:
		return checkDocument(*x)
	case *[]string:
		return checkTexts(*x)
	}
	// A document of which only the text is known came from a row; nobody may
	// write it on.
	if x, ok := at.(interface{ Fault() error }); ok && x.Fault() != nil {
		return x.Fault()
	}
	if x, ok := at.(interface{ Validate() error }); ok {
		if err := x.Validate(); err != nil {
			return err
		}
	}
	if x, ok := at.(driver.Valuer); ok {
		_, err := x.Value()
		return err
	}
	return nil
}

var (
	errNUL  = errors.New("a NUL character cannot be stored")
	errUTF8 = errors.New("not UTF-8")
	errJSON = errors.New("not a JSON document")
)

func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return errNUL
	}
	if !utf8.ValidString(s) {
		return errUTF8
	}
	return nil
}

// storable reports whether rows can hold the texts among values, which are to be
// compared with them.
func storable(values ...any) bool {
	for _, v := range values {
		if s, ok := v.(string); ok && checkText(s) != nil {
			return false
		}
	}
	return true
}

func checkTexts(list []string) error {
	for _, s := range list {
		if err := checkText(s); err != nil {
			return err
		}
	}
	return nil
}

func checkDocument(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	if !json.Valid(raw) {
		return errJSON
	}
	return checkText(string(raw))
}

// documents are the plain JSON columns among columns that have a value, as text:
// bun's own way to write them changes an escaped backslash before u0000.
func (t table[M]) documents(row *M, columns []string) map[string]string {
	v := reflect.ValueOf(row).Elem()
	texts := map[string]string{}
	for _, f := range t.model().Fields {
		if !slices.Contains(columns, f.Name) {
			continue
		}
		if raw, ok := rawDocument(f, v); ok {
			texts[f.Name] = string(raw)
		}
	}
	return texts
}

func rawDocument(f *schema.Field, row reflect.Value) (json.RawMessage, bool) {
	raw, ok := f.Value(row).Interface().(json.RawMessage)
	return raw, ok && raw != nil
}
