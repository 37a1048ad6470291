package cli

import (
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
