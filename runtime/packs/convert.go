package packs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
)

// A converter writes a node as JSON.
type converter struct {
	bare   func(path []string) bool
	out    []byte
	path   []string
	nodes  int
	active map[*yaml.Node]bool // the collections around the current node
	faults Faults
	full   bool // the document is too large
}

func (c *converter) fault(n *yaml.Node, format string, args ...any) {
	f := syntax(n.Line, n.Column, fmt.Sprintf(format, args...))
	f.Pointer = pointer(c.path)
	c.faults = append(c.faults, f)
}

// value writes one node. For a node without a JSON form it writes null, which means a
// missing value, and reports a fault.
func (c *converter) value(n *yaml.Node) {
	if c.nodes++; !c.full && (c.nodes > maxNodes || len(c.out) > metadata.MaxSize) {
		c.fault(n, "aliases make the document too large: at most %d values and %d bytes", maxNodes, metadata.MaxSize)
		c.full = true
	}
	if c.full {
		c.null()
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		c.guarded(n, c.mapping)
	case yaml.SequenceNode:
		c.guarded(n, c.sequence)
	case yaml.AliasNode:
		c.value(n.Alias)
	default:
		c.scalar(n)
	}
}

func (c *converter) null() { c.out = append(c.out, "null"...) }

// guarded writes a collection, unless it holds itself through an alias.
func (c *converter) guarded(n *yaml.Node, write func(*yaml.Node)) {
	switch tag := n.ShortTag(); {
	case len(c.path) >= metadata.MaxDepth:
		c.fault(n, "must be nested at most %d deep", metadata.MaxDepth)
		c.null()
		return
	case c.active[n]:
		c.fault(n, "*%s contains itself", n.Anchor)
		c.null()
		return
	case tag != "!!map" && tag != "!!seq":
		c.fault(n, "the tag %s is not supported", tag)
		c.null()
		return
	}
	c.active[n] = true
	write(n)
	delete(c.active, n)
}

func (c *converter) mapping(n *yaml.Node) {
	c.out = append(c.out, '{')
	first := true
	for _, m := range c.members(n) {
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.text(m.key)
		c.out = append(c.out, ':')
		c.path = append(c.path, m.key)
		c.value(m.value)
		c.path = c.path[:len(c.path)-1]
	}
	c.out = append(c.out, '}')
}

func (c *converter) sequence(n *yaml.Node) {
	c.out = append(c.out, '[')
	for i, item := range n.Content {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.path = append(c.path, strconv.Itoa(i))
		c.value(item)
		c.path = c.path[:len(c.path)-1]
	}
	c.out = append(c.out, ']')
}

// A member is one key of a mapping.
type member struct {
	key   string
	node  *yaml.Node // the key's
	value *yaml.Node
}

// members returns a mapping's own keys in their order, and then the keys that a merge
// key (<<) adds. An own key wins over a merged one.
func (c *converter) members(n *yaml.Node) []member {
	var out []member
	at := map[string]*yaml.Node{}
	var merge *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch first := at[key.Value]; {
		case isMerge(key):
			if merge != nil {
				c.fault(key, "duplicate key %q: the first is in line %d", key.Value, merge.Line)
			}
			merge = key
		case key.Kind != yaml.ScalarNode:
			c.fault(key, "a key must be text")
		case len(key.Value) > 256:
			c.fault(key, "a key must have at most 256 bytes, got %d", len(key.Value))
		case strings.ContainsRune(key.Value, 0):
			c.fault(key, "a key must not contain NUL")
		case first != nil:
			c.fault(n.Content[i], "duplicate key %q: the first is in line %d", key.Value, first.Line)
		default:
			at[key.Value] = key
			out = append(out, member{key: key.Value, node: n.Content[i], value: value})
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		for _, m := range c.merged(n.Content[i+1]) {
			if at[m.key] == nil {
				at[m.key] = m.node
				out = append(out, m)
			}
		}
	}
	return out
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

// merged returns the keys that a merge key adds: those of one mapping, or of a list of
// mappings. The first of several equal keys wins.
func (c *converter) merged(n *yaml.Node) []member {
	from := n
	for from.Kind == yaml.AliasNode {
		from = from.Alias
	}
	if c.nodes += 1 + len(from.Content)/2; c.nodes > maxNodes || c.active[from] {
		c.fault(n, "the merge key << adds too many keys, or the mapping around it")
		return nil
	}
	c.active[from] = true
	defer delete(c.active, from)
	switch from.Kind {
	case yaml.MappingNode:
		return c.members(from)
	case yaml.SequenceNode:
		var out []member
		for _, item := range from.Content {
			out = append(out, c.merged(item)...)
		}
		return out
	}
	c.fault(n, "the merge key << needs a mapping")
	return nil
}

func (c *converter) scalar(n *yaml.Node) {
	tag := n.ShortTag()
	if tag != "!!null" && c.bare(c.path) {
		// To YAML, 3.10 is a number and equal to 3.1. The author wrote a version.
		tag = "!!str"
	}
	switch tag {
	case "!!null":
		c.null()
	case "!!bool":
		var v bool
		if err := n.Decode(&v); err != nil {
			c.fault(n, "must be true or false, got %s", n.Value)
		}
		c.out = strconv.AppendBool(c.out, v)
	case "!!int", "!!float":
		c.number(n)
	case "!!str", "!!timestamp", "!!merge":
		if strings.ContainsRune(n.Value, 0) {
			c.fault(n, "text must not contain NUL")
			c.null()
			return
		}
		c.text(n.Value)
	default:
		c.fault(n, "the tag %s is not supported", tag)
		c.null()
	}
}

// number writes a number as the file has it if that is valid JSON, else its value.
func (c *converter) number(n *yaml.Node) {
	if json.Valid([]byte(n.Value)) {
		c.out = append(c.out, n.Value...)
		return
	}
	var whole int64
	if n.ShortTag() == "!!int" && n.Decode(&whole) == nil {
		c.out = strconv.AppendInt(c.out, whole, 10)
		return
	}
	var float float64
	if err := n.Decode(&float); err == nil {
		if text, err := json.Marshal(float); err == nil {
			c.out = append(c.out, text...)
			return
		}
	}
	c.fault(n, "JSON has no number %s", n.Value)
	c.null()
}

func (c *converter) text(s string) {
	buf := bytes.NewBuffer(c.out)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // cannot fail on text
	c.out = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func pointer(path []string) string {
	var b strings.Builder
	for _, key := range path {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
