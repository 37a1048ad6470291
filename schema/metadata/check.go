package metadata

import (
	"fmt"

	"github.com/attune-go/attune/schema/document"
)

// Contradictions are values that each are as they should be and contradict each
// other: Faults, or nil. JSON Schema and the databases cannot compare two values,
// so that this is no part of Validate, and is asked where a whole definition is
// written: of a pack's file, before it is stored, and before code is made of it.
// A row that was written by SQL is used all the same.
func (d *Definition) Contradictions() error {
	var c document.Checker
	if d.PackRef != "" && d.Ref != "" && d.PackRef != PackOf(d.Ref) {
		c.At("pack_ref", fmt.Sprintf("is %q, but ref says that the pack is %q",
			document.Excerpt(d.PackRef), document.Excerpt(PackOf(d.Ref))))
	}
	aliases := make(map[string]int, len(d.Aliases))
	c.Enter("aliases")
	for i, alias := range d.Aliases {
		first, twice := aliases[fold(alias)]
		if !twice {
			aliases[fold(alias)] = i
			continue
		}
		if d.Aliases[first] != alias { // the same text twice is Validate's
			c.EnterIndex(i)
			c.Here(fmt.Sprintf("%q is there twice, in another case: the first is /aliases/%d", document.Excerpt(alias), first))
			c.Leave()
		}
	}
	c.Leave()
	c.Enter("versions")
	d.versionsTwice(&c)
	c.Leave()
	return c.Err()
}

// versionsTwice judges each version beside those before it.
func (d *Definition) versionsTwice(c *document.Checker) {
	seen, isDefault := make(map[string]int, len(d.Versions)), -1
	for i := range d.Versions {
		v := &d.Versions[i]
		c.EnterIndex(i)
		if first, twice := seen[v.Version]; twice && v.Version != "" {
			c.At("version", fmt.Sprintf("%s is declared twice: the first is /versions/%d", document.Excerpt(v.Version), first))
		} else {
			seen[v.Version] = i
		}
		switch {
		case v.IsDefault && isDefault >= 0:
			c.At("is_default", fmt.Sprintf("only one version can be the default: %s is too", document.Excerpt(d.Versions[isDefault].Version)))
		case v.IsDefault:
			isDefault = i
		}
		c.Leave()
	}
}

// NamesFault is what is wrong with the aliases, and with a ref or a name that
// cannot be shown: Faults, or nil. A row that was written by SQL may have any;
// what goes by such names must not reach a capability document.
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
