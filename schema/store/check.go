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

// check returns an error for values that must not be written. It runs before the
// statement is built, because bun writes a value's error into the statement's text.
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
	// A malformed document came from a row. It must not be written to another.
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
	errNUL  = errors.New("must not contain a NUL character")
	errUTF8 = errors.New("must be UTF-8")
	errJSON = errors.New("must be a JSON document")
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

// storable reports whether a row could hold the texts among values. A query that compares
// with any other text finds nothing.
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

// documents returns the text of those columns that are plain JSON and not nil. Bun's own
// encoding changes an escaped backslash before u0000.
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
