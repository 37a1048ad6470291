package packs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
)

// maxNodes bounds the values that aliases can make of a small file.
const maxNodes = 50_000

// A document is a YAML file as the strict JSON that definitions are read from. It keeps
// the nodes to locate faults in the file.
type document struct {
	root *yaml.Node
	json []byte
}

// parse reads one YAML document. bare reports whether the value at a path is text that
// may look like a number, such as a version. Without a document parse returns at least
// one fault.
func parse(data []byte, bare func(path []string) bool) (*document, Faults) {
	if len(data) > metadata.MaxSize {
		return nil, Faults{syntax(1, 1, fmt.Sprintf("the file must have at most %d bytes, got %d", metadata.MaxSize, len(data)))}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if f, ok := notText(data); ok {
		return nil, Faults{f}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var node, second yaml.Node
	switch err := decoder.Decode(&node); {
	case errors.Is(err, io.EOF):
		return nil, Faults{syntax(1, 1, "the file is empty")}
	case err != nil:
		return nil, Faults{syntaxFault(data, err)}
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, Faults{syntaxFault(data, err)}
	default:
		return nil, Faults{syntax(second.Line, second.Column, "a second YAML document begins: a file holds one definition")}
	}
	c := converter{bare: bare, active: map[*yaml.Node]bool{}}
	root := node.Content[0]
	c.value(root)
	return &document{root: root, json: c.out}, c.faults
}

// syntax returns a fault of the YAML itself.
func syntax(line, column int, message string) Fault {
	return Fault{Line: line, Column: column, Severity: Error, Message: message}
}

// notText returns a fault at the first byte that is not text in UTF-8.
func notText(data []byte) (Fault, bool) {
	at := bytes.IndexByte(data, 0)
	if at < 0 && utf8.Valid(data) {
		return Fault{}, false
	}
	if at < 0 {
		at = 0
		for r, n := utf8.DecodeRune(data); r != utf8.RuneError || n != 1; r, n = utf8.DecodeRune(data[at:]) {
			at += n
		}
	}
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	return syntax(line, at-bytes.LastIndexByte(data[:at], '\n'), "not YAML: the file is not UTF-8 text"), true
}
