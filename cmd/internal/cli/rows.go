package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
)

// An Output is the flag of commands that list rows.
type Output struct {
	Output string `help:"Format: table; json, a list; ndjson, a JSON object a line; or csv, with a header (default: table, or json with --json)." enum:"table,json,ndjson,csv" default:"table" placeholder:"FORMAT"`
}

// Rows prints a list, a row at a time.
type Rows interface {
	// Add prints a row, which encoding/json must encode as an object.
	Add(row any) error
	// Close ends the list.
	Close() error
}

// Rows returns what prints the rows in the format that was asked for, or nil for a table. CSV has the
// given keys of the objects as its columns. From then on JSON is set unless it is a table.
func (o *Output) Rows(env *Env, columns ...string) (Rows, error) {
	if env.JSON && o.Output != "table" && o.Output != "json" {
		return nil, Usagef("--json and --output %s are two formats; give one", o.Output)
	}
	env.JSON = env.JSON || o.Output != "table"
	switch {
	case o.Output == "ndjson":
		return ndjson{NewJSONEncoder(env.Out)}, nil
	case o.Output == "csv":
		c := &csvRows{out: csv.NewWriter(env.Out), columns: columns}
		return c, c.out.Write(columns)
	case env.JSON:
		return NewJSONList(env.Out), nil
	}
	return nil, nil
}

// Lines returns what Rows returns for ndjson and CSV. It returns nil for a table and for json, where the command prints one
// document that has more than the rows.
func (o *Output) Lines(env *Env, columns ...string) (Rows, error) {
	switch o.Output {
	case "ndjson", "csv":
		return o.Rows(env, columns...)
	}
	env.JSON = env.JSON || o.Output == "json"
	return nil, nil
}

// PrintRows prints all rows.
func PrintRows[T any](to Rows, rows []T) error {
	for i := range rows {
		if err := to.Add(&rows[i]); err != nil {
			return err
		}
	}
	return to.Close()
}

type ndjson struct {
	enc interface{ Encode(any) error }
}

func (n ndjson) Add(row any) error { return n.enc.Encode(row) }
func (n ndjson) Close() error      { return nil }

// csvRows prints rows as RFC 4180 describes.
type csvRows struct {
	out     *csv.Writer
	columns []string
}

func (c *csvRows) Add(row any) error {
	var text bytes.Buffer
	if err := NewJSONEncoder(&text).Encode(row); err != nil {
		return err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text.Bytes(), &object); err != nil {
		return fmt.Errorf("write a row as CSV: %w", err)
	}
	cells := make([]string, len(c.columns))
	for i, column := range c.columns {
		cells[i] = csvCell(object[column])
	}
	if err := c.out.Write(cells); err != nil {
		return err
	}
	c.out.Flush() // a reader sees each row
	return c.out.Error()
}

func (c *csvRows) Close() error {
	c.out.Flush()
	return c.out.Error()
}

// csvCell returns a JSON value as a cell: a text as it is, nothing for null, else the JSON. Spreadsheets
// run a text that begins as a formula does, so it gets an apostrophe.
func csvCell(value json.RawMessage) string {
	var text string
	switch {
	case len(value) == 0 || string(value) == "null":
		return ""
	case json.Unmarshal(value, &text) != nil:
		return string(value)
	case text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])):
		return "'" + text
	}
	return text
}
