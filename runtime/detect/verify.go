package detect

import (
	"context"
	"slices"
	"sync"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// A finding is the result for one runtime: installations, or an absence.
type finding struct {
	installations []capability.Installation
	absence       *capability.Absence
	attempts      []capability.Attempt
	// failed holds the executables and declared versions that failed.
	failed []capability.Failure
	// warnings are for the document as a whole.
	warnings []string
}

// outcome returns the outcome of the runtime.
func (f *finding) outcome() capability.Outcome {
	if f.absence != nil {
		return f.absence.Outcome
	}
	return capability.Available
}

// verify verifies one runtime. Definitions that are invalid, always available, not to be
// checked, or without commands are decided without looking at the host.
func (r *round) verify(ctx context.Context, d *definition) finding {
	p := d.prepare()
	v := d.Distributions.Verification
	switch {
	case p.fault != nil:
		return d.absent(capability.InvalidMetadata, brief(p.fault), hintMetadata)
	case v != nil && v.AlwaysAvailable:
		return d.assume(capability.AlwaysAvailable)
	case v != nil && !v.MustCheck():
		return d.assume(capability.Unverified)
	case len(p.ways) == 0 && len(p.unusable) > 0:
		f := d.absent(capability.InvalidMetadata, p.unusable[0].Detail, hintMetadata)
		f.failed, f.warnings = p.unusable, p.warnings()
		return f
	case len(p.ways) == 0:
		return d.absent(capability.NoVerification, "the definition has no command to verify it by",
			"give its verification a command, or always_available: true")
	}
	probes, warnings := make([][]probe, len(p.ways)), make([][]string, len(p.ways))
	unseen := make([][]host.UnseenPattern, len(p.ways))
	var all sync.WaitGroup
	for i, w := range p.ways[1:] {
		all.Go(func() { probes[i+1], warnings[i+1], unseen[i+1] = r.search(ctx, w) })
	}
	probes[0], warnings[0], unseen[0] = r.search(ctx, p.ways[0])
	all.Wait()
	f := r.conclude(ctx, d, p.ways, probes)
	f.failed = append(f.failed, p.unusable...)
	f.warnings = slices.Concat(f.warnings, slices.Concat(warnings...), p.warnings())
	if a := f.absence; a != nil && len(p.unusable) > 0 && !a.Outcome.CouldNotTell() {
		// A version with unusable metadata may be installed.
		a.Outcome, a.Detail, a.Hint = capability.InvalidMetadata, p.unusable[0].Detail, hintMetadata
	}
	f.addUnseen(d, slices.Concat(unseen...))
	return f
}

// maxDetail bounds the text of a definition's faults in a document, in bytes. Validation
// lists all of them.
const maxDetail = 1 << 10

// brief returns the faults of a definition for a document.
func brief(fault error) string { return excerpt(fault.Error(), maxDetail) }

// absent returns the finding of an undetected runtime.
func (d *definition) absent(o capability.Outcome, detail, hint string) finding {
	return finding{absence: &capability.Absence{Ref: d.Ref, Name: d.name, Outcome: o, Detail: detail, Hint: hint}}
}

// assume returns the finding of a runtime that is available without verification.
func (d *definition) assume(basis capability.Basis) finding {
	return finding{installations: []capability.Installation{{Ref: d.Ref, Name: d.name, Outcome: capability.Available, Source: basis}}}
}
