package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// PrintJSON prints a value as indented JSON. Text is not escaped for HTML, but by Escaped.
func PrintJSON(w io.Writer, v any) error { return printTokens(indented(w), v) }

// indented returns a writer of indented JSON.
func indented(w io.Writer) *jsontext.Encoder {
	return jsontext.NewEncoder(w, jsontext.WithIndent("  "), jsontext.PreserveRawStrings(true), jsontext.AllowDuplicateNames(true))
}

// printTokens prints a value a token at a time, because a document of a few megabytes has many when it is indented.
func printTokens(out *jsontext.Encoder, v any) error {
	var compact bytes.Buffer
	if err := NewJSONEncoder(&compact).Encode(v); err != nil {
		return err
	}
	in := jsontext.NewDecoder(&compact, jsontext.AllowDuplicateNames(true))
	for {
		token, err := in.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = out.WriteToken(token)
		}
		if err != nil {
			return err
		}
	}
}

// Or returns text, or other if text is empty.
func Or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// Count returns a number and its noun: "1 row", "2 rows".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// A JSONList prints a list as PrintJSON does, an entry at a time.
type JSONList struct{ out *jsontext.Encoder }

// NewJSONList begins a list.
func NewJSONList(w io.Writer) *JSONList {
	l := &JSONList{indented(w)}
	_ = l.out.WriteToken(jsontext.BeginArray) // Add and Close return the error of a write
	return l
}

// Add prints an entry.
func (l *JSONList) Add(v any) error { return printTokens(l.out, v) }

// Close ends the list.
func (l *JSONList) Close() error { return l.out.WriteToken(jsontext.EndArray) }
