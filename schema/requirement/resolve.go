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
		ref, err := resolve(index, runtime.Name)
		if err != nil {
			faults = append(faults, document.Under(at, err)...)
			continue
		}
		if other, ok := names[ref]; ok {
			faults = append(faults, document.Fault{Pointer: at, Message: fmt.Sprintf("must name each runtime once: %q is %s too", other, ref)})
		}
		names[ref] = runtime.Name
		resolved.Runtimes[i].Name = ref
	}
	return resolved, faults.OrNil()
}

// resolve returns the ref of the runtime with a name.
func resolve(index *metadata.Index, name string) (string, error) {
	if def, ok := index.Resolve(name); ok {
		return def.Ref, nil
	}
	if def, ok := index.Retired(name); ok {
		return "", fmt.Errorf("the platform has retired the runtime %s", def.Ref)
	}
	if near := index.Nearest(name); near != "" {
		return "", fmt.Errorf("unknown runtime %q; did you mean %s?", document.Excerpt(name), near)
	}
	return "", fmt.Errorf("unknown runtime %q", document.Excerpt(name))
}
