package metadata

import (
	"fmt"
	"strings"
	"unicode"

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
// could command a terminal: Faults, or nil. A row that was written by SQL may
// have any; what goes by such names must not reach a capability document.
func (d *Definition) NamesFault() error {
	var c document.Checker
	c.At("ref", commanding(d.Ref))
	c.At("name", commanding(d.Name))
	c.Enter("aliases")
	d.Aliases.validate(&c)
	if d.Aliases.Validate() == nil { // which lets some control characters pass
		for i, alias := range d.Aliases {
			c.EnterIndex(i)
			c.Here(commanding(alias))
			c.Leave()
		}
	}
	c.Leave()
	return c.Err()
}

// commanding says that a text holds control characters.
func commanding(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return fmt.Sprintf("%q holds a control character", document.Excerpt(text))
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
			c.At("is_default", fmt.Sprintf("only one version can be the default: /versions/%d is too", isDefault))
		case v.IsDefault:
			isDefault = i
		}
	}
}
