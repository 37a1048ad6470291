package metadata

import (
	"slices"
	"strings"
)

// CapabilityName is the name under which a host advertises the runtime, in
// lower case: the first alias, or the last part of the ref where there is none
// or it cannot be one.
func (d *Definition) CapabilityName() string {
	if len(d.Aliases) > 0 && validAlias(d.Aliases[0]) == "" { // a malformed list begins with NUL
		return strings.ToLower(d.Aliases[0])
	}
	return strings.ToLower(d.Ref[strings.LastIndexByte(d.Ref, '.')+1:])
}

// HasRole reports whether the runtime is for role; without roles it is for
// both.
func (d *Definition) HasRole(role Role) bool {
	return len(d.Distributions.Roles) == 0 || slices.Contains(d.Distributions.Roles, role)
}

// PackOf is the pack's part of a runtime's ref: core of core.python.
func PackOf(ref string) string {
	pack, _, _ := strings.Cut(ref, ".")
	return pack
}
