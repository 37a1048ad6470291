package metadata

import (
	"slices"
	"strings"
)

// CapabilityName returns the lower-case name under which a host advertises the runtime. It is
// the first alias. Without a valid first alias, it is the last part of the ref.
func (d *Definition) CapabilityName() string {
	if len(d.Aliases) > 0 && validAlias(d.Aliases[0]) == "" { // a malformed list begins with NUL
		return strings.ToLower(d.Aliases[0])
	}
	return strings.ToLower(d.Ref[strings.LastIndexByte(d.Ref, '.')+1:])
}

// HasRole reports whether the runtime is for a role. A runtime without roles is for both.
func (d *Definition) HasRole(role Role) bool {
	return len(d.Distributions.Roles) == 0 || slices.Contains(d.Distributions.Roles, role)
}

// PackOf returns the pack in a runtime's ref, such as core in core.python.
func PackOf(ref string) string {
	pack, _, _ := strings.Cut(ref, ".")
	return pack
}
