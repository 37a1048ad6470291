package metadata

import (
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// CapabilityName is the name under which a host advertises the runtime, in
// lower case: the first alias, or the last part of the ref where there is none
// or it is no text that may be shown.
func (d *Definition) CapabilityName() string {
	if _, malformed := document.ListRaw(d.Aliases); !malformed && len(d.Aliases) > 0 && commanding(d.Aliases[0]) == "" {
		return strings.ToLower(strings.TrimSpace(d.Aliases[0]))
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

// Fault is why a part of the definition could not be read from its row:
// Faults, or nil.
func (d *Definition) Fault() error {
	var c document.Checker
	part := func(key string, fault error) {
		c.Enter(key)
		c.Under(fault)
		c.Leave()
	}
	part("aliases", d.Aliases.Fault())
	part("distributions", d.Distributions.Fault())
	part("execution_config", d.ExecutionConfig.Fault())
	c.Enter("versions")
	for i := range d.Versions {
		c.EnterIndex(i)
		part("distributions", d.Versions[i].Distributions.Fault())
		part("execution_config", d.Versions[i].ExecutionConfig.Fault())
		c.Leave()
	}
	return c.Err()
}
