package metadata

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// CorePack is the ref of the core pack. Its names take precedence over those of other packs.
const CorePack = "core"

// An Index finds definitions by name.
type Index struct {
	refs map[string]*Definition
	// names holds the definitions by name, in order of precedence: by capability name, alias
	// and display name.
	names   [3]map[string]*Definition
	all     map[string][]*Definition
	retired *Index
}

// NewIndex returns an index of defs, which must not be changed afterwards. If two definitions
// have the same ref, it uses the first.
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

// precedence orders definitions by ref, with the core pack first.
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

// fold returns the form in which names are compared.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Resolve returns the definition with a name, ignoring case. It looks at refs, then at
// capability names, then at aliases, then at display names. The core pack takes precedence,
// and then the lowest ref.
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

// Retire remembers definitions that a platform has retired, which no name means any more. They must not
// be changed afterwards.
func (x *Index) Retire(defs []Definition) { x.retired = NewIndex(defs) }

// Retired returns the retired definition with a name that no other definition has.
func (x *Index) Retired(name string) (*Definition, bool) {
	if _, ok := x.Resolve(name); ok || x.retired == nil {
		return nil, false
	}
	return x.retired.Resolve(name)
}

// Nearest returns the ref or capability name that a name is probably meant to be, as the
// function Nearest does.
func (x *Index) Nearest(name string) string {
	var known []string
	for _, ref := range slices.Sorted(maps.Keys(x.refs)) {
		known = append(known, x.refs[ref].Ref, x.refs[ref].CapabilityName())
	}
	return Nearest(name, known)
}

// All returns the definitions whose ref, capability name, alias or display name equals name,
// ignoring case.
func (x *Index) All(name string) []*Definition {
	name = fold(name)
	out := slices.Clone(x.all[name])
	if d, ok := x.refs[name]; ok && !slices.Contains(out, d) {
		out = append(out, d)
	}
	return out
}
