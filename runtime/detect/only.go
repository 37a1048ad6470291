package detect

import (
	"fmt"
	"slices"
)

// Only returns a copy of d that detects the named runtimes alone. It neither verifies
// nor reports other runtimes, even if they are declared. Errors wrap ErrUnknownName.
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

// selected reports whether d detects a definition.
func (d *Detector) selected(def *definition) bool {
	return d.only == nil || slices.Contains(d.only, def)
}

// narrow removes declared names that Only did not select.
func (d *Detector) narrow(names []declaredName) []declaredName {
	if d.only == nil {
		return names
	}
	return slices.DeleteFunc(names, func(n declaredName) bool { return n.def == nil || !d.selected(n.def) })
}

// missing returns warnings about runtimes that Only selected and detection leaves out.
func (d *Detector) missing(declared bool) []string {
	var out []string
	for _, def := range d.only {
		if !def.HasRole(d.cfg.Role) && !declared {
			out = append(out, fmt.Sprintf("%s is not for the role %s: it is detected only where it is declared", def.Ref, d.cfg.Role))
		}
	}
	return out
}
