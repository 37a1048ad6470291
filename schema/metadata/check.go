package metadata

import (
	"fmt"

	"github.com/attune-go/attune/schema/document"
)

// check judges what no key says by itself.
func (d *Definition) check(c *document.Checker) {
	if d.PackRef != "" && d.Ref != "" && d.PackRef != PackOf(d.Ref) {
		c.At("pack_ref", fmt.Sprintf("is %q, but ref says that the pack is %q",
			document.Excerpt(d.PackRef), document.Excerpt(PackOf(d.Ref))))
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

// checkVersions judges each version beside those before it.
func checkVersions(list []VersionDefinition) func(c *document.Checker, i int) {
	seen, isDefault := make(map[string]int, len(list)), -1
	return func(c *document.Checker, i int) {
		v := &list[i]
		if first, ok := seen[v.Version]; ok && v.Version != "" {
			c.At("version", fmt.Sprintf("%s is declared twice: the first is /versions/%d", document.Excerpt(v.Version), first))
		} else {
			seen[v.Version] = i
		}
		switch {
		case v.IsDefault && isDefault >= 0:
			c.At("is_default", fmt.Sprintf("only one version can be the default: %s is too", document.Excerpt(list[isDefault].Version)))
		case v.IsDefault:
			isDefault = i
		}
	}
}
