package packs

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Place is a position in a file. Line and Column count from 1.
type Place struct{ Line, Column int }

// locate returns the position of the value at a JSON pointer, and of the key before it.
// For a missing value it returns the position of the innermost value around it that
// exists.
func (d *document) locate(pointer string) (value, key Place) {
	v, k := d.find(pointer)
	return Place{v.Line, v.Column}, Place{k.Line, k.Column}
}

// find returns the nodes that locate returns the positions of.
func (d *document) find(pointer string) (value, key *yaml.Node) {
	n := deref(d.root)
	value, key = n, n
	if pointer == "" {
		return value, key
	}
	quiet := converter{active: map[*yaml.Node]bool{}}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		found := false
		switch n.Kind {
		case yaml.MappingNode:
			for _, m := range quiet.members(n) {
				if found = m.key == part; found {
					key, n = m.node, m.value
					break
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i < len(n.Content) {
				found = true
				n = n.Content[i]
				key = n
			}
		}
		if !found {
			break
		}
		// An author looks for the alias that he wrote, not for its anchor.
		value = n
		n = deref(n)
	}
	return value, key
}

func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
