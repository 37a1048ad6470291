package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// PrintJSON prints a value as indented JSON, encoded by NewJSONEncoder.
func PrintJSON(w io.Writer, v any) error {
	enc := NewJSONEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
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
type JSONList struct {
	out   *bufio.Writer
	enc   *json.Encoder
	entry bytes.Buffer
	begun bool
}

// NewJSONList begins a list.
func NewJSONList(w io.Writer) *JSONList {
	l := &JSONList{out: bufio.NewWriterSize(w, 64<<10)}
	l.enc = NewJSONEncoder(&l.entry)
	l.enc.SetIndent("  ", "  ")
	return l
}

// Add prints an entry.
func (l *JSONList) Add(v any) error {
	before := "[\n  "
	if l.begun {
		before = ",\n  "
	}
	l.begun = true
	l.entry.Reset()
	if err := l.enc.Encode(v); err != nil {
		return err
	}
	_, _ = l.out.WriteString(before) // Flush returns the error
	_, _ = l.out.Write(bytes.TrimRight(l.entry.Bytes(), "\n"))
	return nil
}

// Close ends the list.
func (l *JSONList) Close() error {
	after := "\n]\n"
	if !l.begun {
		after = "[]\n"
	}
	_, _ = l.out.WriteString(after) // Flush returns the error
	return l.out.Flush()
}
