package metadata

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// CorePack is the ref of the pack that comes with the program. Its names win
// over those of other packs.
const CorePack = "core"

// Index finds definitions by the names people use.
type Index struct {
	refs map[string]*Definition
	// names by how much they weigh: capability names, aliases, display names.
	names [3]map[string]*Definition
	all   map[string][]*Definition
}

// NewIndex indexes defs, which must not be changed afterwards. Of two
// definitions of one ref the first counts.
func NewIndex(defs []Definition) *Index {
	x := &Index{refs: map[string]*Definition{}, all: map[string][]*Definition{}}
	for i := range x.names {
		x.names[i] = map[string]*Definition{}
	}
	sorted := make([]*Definition, 0, len(defs))
	for i := range defs {
		sorted = append(sorted, &defs[i])
	}
	slices.SortStableFunc(sorted, precedence)
	for _, d := range sorted {
		if !addFirst(x.refs, d.Ref, d) {
			continue
		}
		x.add(0, d.CapabilityName(), d)
		if _, malformed := document.ListRaw(d.Aliases); !malformed {
			for _, alias := range d.Aliases {
				x.add(1, alias, d)
			}
		}
		x.add(2, d.Name, d)
	}
	return x
}

// precedence puts core first, and then goes by ref.
func precedence(a, b *Definition) int {
	if aCore, bCore := PackOf(a.Ref) == CorePack, PackOf(b.Ref) == CorePack; aCore != bCore {
		if aCore {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Ref, b.Ref)
}

func (x *Index) add(weight int, name string, d *Definition) {
	name = fold(name)
	if name == "" {
		return
	}
	addFirst(x.names[weight], name, d)
	if !slices.Contains(x.all[name], d) {
		x.all[name] = append(x.all[name], d)
	}
}

func addFirst(to map[string]*Definition, name string, d *Definition) bool {
	name = fold(name)
	if _, ok := to[name]; ok {
		return false
	}
	to[name] = d
	return true
}

// fold is a name as names are compared: in any case.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Resolve finds the definition that name means, in any case: by ref, then by
// capability name, then by alias, then by display name; among several the core
// pack's, then the lowest ref.
func (x *Index) Resolve(name string) (*Definition, bool) {
	name = fold(name)
	if d, ok := x.refs[name]; ok {
		return d, true
	}
	for _, names := range x.names {
		if d, ok := names[name]; ok {
			return d, true
		}
	}
	return nil, false
}

// All lists the definitions that answer to name, in any case: by ref, capability
// name, alias or display name.
func (x *Index) All(name string) []*Definition {
	name = fold(name)
	out := slices.Clone(x.all[name])
	if d, ok := x.refs[name]; ok && !slices.Contains(out, d) {
		out = append(out, d)
	}
	return out
}
