package requirement

import (
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// Resolve returns the requirement with the refs of its runtimes in place of their names. The
// error is document.Faults, with a fault for each name that no definition has, and for each
// runtime that is named twice.
func (r *Requirement) Resolve(index *metadata.Index) (Requirement, error) {
	resolved := *r
	resolved.Runtimes = slices.Clone(r.Runtimes)
	names := map[string]string{}
	var faults document.Faults
	for i, runtime := range r.Runtimes {
		at := pointer("/runtimes", runtime.Name)
		def, ok := index.Resolve(runtime.Name)
		if !ok {
			message := fmt.Sprintf("unknown runtime %q", document.Excerpt(runtime.Name))
			if near := index.Nearest(runtime.Name); near != "" {
				message += "; did you mean " + near + "?"
			}
			faults = append(faults, document.Fault{Pointer: at, Message: message})
			continue
		}
		if other, ok := names[def.Ref]; ok {
			faults = append(faults, document.Fault{Pointer: at, Message: fmt.Sprintf("must name each runtime once: %q is %s too", other, def.Ref)})
		}
		names[def.Ref] = runtime.Name
		resolved.Runtimes[i].Name = def.Ref
	}
	return resolved, faults.OrNil()
}
