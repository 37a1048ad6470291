package metadata

import (
	"cmp"
	"slices"
	"strings"
)

// Ordered gives the commands in the order they are tried: by ascending
// priority, ties in the order they were written.
func (v Verification) Ordered() []Command {
	out := slices.Clone(v.Commands)
	slices.SortStableFunc(out, func(a, b Command) int {
		return cmp.Compare(a.PriorityOrDefault(), b.PriorityOrDefault())
	})
	return out
}

// CapabilityName is the name under which a host advertises the runtime, in
// lower case: the first alias, or without aliases the last part of the ref.
func (d *Definition) CapabilityName() string {
	if _, malformed := d.Aliases.malformed(); !malformed && len(d.Aliases) > 0 {
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
	var faults Faults
	faults = append(faults, under("/aliases", d.Aliases.Fault())...)
	faults = append(faults, under("/distributions", d.Distributions.fault)...)
	faults = append(faults, under("/execution_config", d.ExecutionConfig.fault)...)
	for i := range d.Versions {
		at := index("/versions", i)
		faults = append(faults, under(at+"/distributions", d.Versions[i].Distributions.fault)...)
		faults = append(faults, under(at+"/execution_config", d.Versions[i].ExecutionConfig.fault)...)
	}
	return faults.orNil()
}
