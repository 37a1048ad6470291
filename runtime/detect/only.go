package detect

import (
	"fmt"
	"slices"
)

// Only returns a detector like d of some runtimes alone, by any of their names: the
// others are neither verified nor reported, as if nobody had defined or declared them.
// Errors wrap ErrUnknownName.
func (d *Detector) Only(names ...string) (*Detector, error) {
	only := &Detector{cfg: d.cfg, defs: d.defs, byRef: d.byRef, index: d.index, pace: d.pace, only: []*definition{}}
	for _, name := range names {
		def, ok := d.index.Resolve(name)
		if !ok {
			return nil, fmt.Errorf("%w: %q%s", ErrUnknownName, name, d.didYouMean(name))
		}
		only.only = append(only.only, d.byRef[def.Ref])
	}
	return only, nil
}

// wanted reports whether a definition is one of those that Only named.
func (d *Detector) wanted(def *definition) bool {
	return d.only == nil || slices.Contains(d.only, def)
}

// narrow leaves out declared names that Only did not name.
func (d *Detector) narrow(names []declaredName) []declaredName {
	if d.only == nil {
		return names
	}
	return slices.DeleteFunc(names, func(n declaredName) bool { return n.def == nil || !d.wanted(n.def) })
}

// missing are warnings about what Only named and detection leaves out.
func (d *Detector) missing(declared bool) []string {
	var out []string
	for _, def := range d.only {
		if !def.HasRole(d.cfg.Role) && !declared {
			out = append(out, fmt.Sprintf("%s is not for the role %s: it is detected only where it is declared", def.Ref, d.cfg.Role))
		}
	}
	return out
}
