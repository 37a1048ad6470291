package detect

import (
	"context"
	"slices"
	"sync"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// finding is what a detection found of one runtime: installations, or why there
// are none.
type finding struct {
	installations []capability.Installation
	absence       *capability.Absence
	attempts      []capability.Attempt
	// failed is what does not count.
	failed []capability.Failure
	// warnings are of what does not count beside what does.
	warnings []string
}

// outcome is the runtime's.
func (f *finding) outcome() capability.Outcome {
	if f.absence != nil {
		return f.absence.Outcome
	}
	return capability.Available
}

// verify verifies one runtime. What the definition says comes first: faulty
// metadata, always available, not to be checked, nothing to check by.
func (r *round) verify(ctx context.Context, d *definition) finding {
	p := d.prepare()
	v := d.Distributions.Verification
	switch {
	case p.fault != nil:
		return d.absent(capability.InvalidMetadata, brief(p.fault), hintMetadata)
	case v != nil && v.AlwaysAvailable:
		return d.taken(capability.AlwaysAvailable)
	case v != nil && !v.MustCheck():
		return d.taken(capability.Unverified)
	case len(p.ways) == 0 && len(p.leftOut) > 0:
		f := d.absent(capability.InvalidMetadata, p.leftOut[0].Detail, hintMetadata)
		f.failed, f.warnings = p.leftOut, p.warnings()
		return f
	case len(p.ways) == 0:
		return d.absent(capability.NoVerification, "the definition has no command to verify it by",
			"give its verification a command, or always_available: true")
	}
	tried, warnings := make([][]probed, len(p.ways)), make([][]string, len(p.ways))
	unseen := make([][]host.Unseen, len(p.ways))
	var all sync.WaitGroup
	for i, w := range p.ways[1:] {
		all.Go(func() { tried[i+1], warnings[i+1], unseen[i+1] = r.search(ctx, w) })
	}
	tried[0], warnings[0], unseen[0] = r.search(ctx, p.ways[0])
	all.Wait()
	f := r.conclude(d, p.ways, tried)
	f.failed = append(f.failed, p.leftOut...)
	f.warnings = slices.Concat(f.warnings, slices.Concat(warnings...), p.warnings())
	if a := f.absence; a != nil && len(p.leftOut) > 0 && !a.Outcome.CouldNotTell() {
		// What it was not asked for may be there.
		a.Outcome, a.Detail, a.Hint = capability.InvalidMetadata, p.leftOut[0].Detail, hintMetadata
	}
	f.leftOut(d, slices.Concat(unseen...))
	return f
}

// maxDetail is how many bytes of faults a document tells of a definition. Whoever
// wants all of them validates it.
const maxDetail = 1 << 10

// brief is what is wrong with a definition, for a document.
func brief(fault error) string { return excerpt(fault.Error(), maxDetail) }

func (d *definition) absent(o capability.Outcome, detail, hint string) finding {
	return finding{absence: &capability.Absence{Ref: d.Ref, Name: d.name, Outcome: o, Detail: detail, Hint: hint}}
}

// taken is a runtime that counts without being verified.
func (d *definition) taken(basis capability.Basis) finding {
	return finding{installations: []capability.Installation{{Ref: d.Ref, Name: d.name, Outcome: capability.Available, Source: basis}}}
}
