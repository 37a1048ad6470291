package packs

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Place is where something stands in a file; both count from 1.
type Place struct{ Line, Column int }

// locate finds the value at a JSON pointer, and the key before it. What is not
// there (a required key is missing) lies where the innermost thing lies that
// should have held it.
func (d *document) locate(pointer string) (value, key Place) {
	n := deref(d.root)
	value = Place{n.Line, n.Column}
	key = value
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
					key = Place{m.node.Line, m.node.Column}
					n = m.value
					break
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i < len(n.Content) {
				found = true
				n = n.Content[i]
				key = Place{n.Line, n.Column}
			}
		}
		if !found {
			break
		}
		// An alias is where its author looks, not its anchor, if it is the end.
		value = Place{n.Line, n.Column}
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
