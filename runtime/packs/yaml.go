package packs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
)

// maxNodes bounds what aliases may make of a small file.
const maxNodes = 50_000

// document is a YAML file brought to the strict JSON that definitions are read
// from. The nodes are kept, to say where in the file a fault lies.
type document struct {
	root *yaml.Node
	json []byte
}

// flaw is a problem of the YAML itself.
type flaw struct {
	line, column int
	pointer      string
	message      string
}

// parse reads one YAML document, in which bare says of texts that they may look
// like numbers. Without a document there is at least one flaw.
func parse(data []byte, bare func(path []string) bool) (*document, []flaw) {
	if len(data) > metadata.MaxSize {
		return nil, []flaw{{line: 1, column: 1, message: fmt.Sprintf("the file has more than %d bytes, the most that are read", metadata.MaxSize)}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if f, ok := notText(data); ok {
		return nil, []flaw{f}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var node, second yaml.Node
	switch err := decoder.Decode(&node); {
	case errors.Is(err, io.EOF):
		return nil, []flaw{{line: 1, column: 1, message: "the file is empty"}}
	case err != nil:
		return nil, []flaw{syntaxFlaw(data, err)}
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, []flaw{syntaxFlaw(data, err)}
	default:
		return nil, []flaw{{second.Line, second.Column, "", "a second YAML document begins: a file holds one definition"}}
	}
	c := converter{bare: bare, active: map[*yaml.Node]bool{}}
	root := node.Content[0]
	c.value(root)
	return &document{root: root, json: c.out}, c.flaws
}

// notText finds what makes a file something else than text.
func notText(data []byte) (flaw, bool) {
	at := bytes.IndexByte(data, 0)
	if at < 0 && utf8.Valid(data) {
		return flaw{}, false
	}
	if at < 0 {
		at = len(data) - len(bytes.ToValidUTF8(data, nil)) // only to have a number at all
		for i := 0; i < len(data); {
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				at = i
				break
			}
			i += n
		}
	}
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	return flaw{line, at - bytes.LastIndexByte(data[:at], '\n'), "", "not YAML: the file is not UTF-8 text"}, true
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// syntaxFlaw is an error of the YAML parser. The line that the parser names is
// often where the surrounding block began; the line to look at is the first
// that makes the beginning of the file fail in this way.
func syntaxFlaw(data []byte, err error) flaw {
	message := func(err error) string { return yamlLine.ReplaceAllString(err.Error(), "") }
	lines := bytes.SplitAfter(data, []byte("\n"))
	n := sort.Search(len(lines), func(i int) bool {
		decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:i+1], nil)))
		for {
			switch tried := decoder.Decode(new(yaml.Node)); {
			case errors.Is(tried, io.EOF):
				return false
			case tried != nil:
				return message(tried) == message(err)
			}
		}
	})
	return flaw{line: min(n+1, len(lines)), column: 1, message: "not YAML: " + message(err)}
}
