package metadata

import (
	"fmt"

	"github.com/attune-go/attune/schema/document"
)

// Contradictions returns values that contradict each other, as Faults, or nil.
//
// It is separate from Validate because JSON Schema and the databases cannot compare two
// values. It applies where a whole definition is written: to the file of a pack, before the
// definition is stored, and before code is generated from it. A row that was written by SQL
// is used anyway.
func (d *Definition) Contradictions() error {
	var c document.Checker
	if d.PackRef != "" && d.Ref != "" && d.PackRef != PackOf(d.Ref) {
		c.At("pack_ref", fmt.Sprintf("must be %q as in ref, got %q",
			document.Excerpt(PackOf(d.Ref)), document.Excerpt(d.PackRef)))
	}
	aliases := make(map[string]int, len(d.Aliases))
	c.Enter("aliases")
	for i, alias := range d.Aliases {
		first, ok := aliases[fold(alias)]
		if !ok {
			aliases[fold(alias)] = i
			continue
		}
		if d.Aliases[first] != alias { // Validate reports equal texts
			c.EnterIndex(i)
			c.Here(fmt.Sprintf("duplicate %q in another case: the first is /aliases/%d", document.Excerpt(alias), first))
			c.Leave()
		}
	}
	c.Leave()
	c.Enter("versions")
	d.duplicateVersions(&c)
	c.Leave()
	return c.Err()
}

// duplicateVersions reports versions and defaults that occur more than once.
func (d *Definition) duplicateVersions(c *document.Checker) {
	seen, isDefault := make(map[string]int, len(d.Versions)), -1
	for i := range d.Versions {
		v := &d.Versions[i]
		c.EnterIndex(i)
		if first, ok := seen[v.Version]; ok && v.Version != "" {
			c.At("version", fmt.Sprintf("duplicate version %s: the first is /versions/%d", document.Excerpt(v.Version), first))
		} else {
			seen[v.Version] = i
		}
		switch {
		case v.IsDefault && isDefault >= 0:
			c.At("is_default", fmt.Sprintf("duplicate default version: the first is %s", document.Excerpt(d.Versions[isDefault].Version)))
		case v.IsDefault:
			isDefault = i
		}
		c.Leave()
	}
}

// NamesFault returns the faults of the aliases, and of a ref or name that cannot be
// displayed, as Faults, or nil. A row that was written by SQL may have such names, and they
// must not reach a capability document.
func (d *Definition) NamesFault() error {
	var c document.Checker
	for _, n := range []struct{ key, text string }{{"ref", d.Ref}, {"name", d.Name}} {
		if n.text != "" {
			c.At(n.key, validName(n.text))
		}
	}
	c.Enter("aliases")
	d.Aliases.validate(&c)
	c.Leave()
	return c.Err()
}
