package detect

import (
	"context"
	"sync"
)

// finding is what a detection found of one runtime: installations, or why there
// are none.
type finding struct {
	installations []Detection
	absence       *Absence
	attempts      []Attempt
	// warnings are of what does not count beside what does.
	warnings []string
}

// outcome is the runtime's.
func (f *finding) outcome() Outcome {
	if f.absence != nil {
		return f.absence.Outcome
	}
	return Available
}

// verify verifies one runtime. What the definition says comes first: faulty
// metadata, always available, not to be checked, nothing to check by.
func (r *round) verify(ctx context.Context, d *definition) finding {
	p := d.prepare()
	v := d.Distributions.Verification
	switch {
	case p.fault != nil:
		return d.absent(InvalidMetadata, p.fault.Error(), "correct the definition; `attune packs validate` names every fault of a pack")
	case v != nil && v.AlwaysAvailable:
		return d.taken(AlwaysAvailable)
	case v != nil && !v.MustCheck():
		return d.taken(Unverified)
	case len(p.ways) == 0:
		return d.absent(NoVerification, "the definition has no command to verify it by",
			"give its verification a command, or always_available: true")
	}
	tried := make([][]probed, len(p.ways))
	var all sync.WaitGroup
	for i, w := range p.ways[1:] {
		all.Go(func() { tried[i+1] = r.search(ctx, w) })
	}
	tried[0] = r.search(ctx, p.ways[0])
	all.Wait()
	f := r.conclude(d, p.ways, tried)
	f.warnings = append(f.warnings, p.warnings...)
	return f
}

func (d *definition) absent(o Outcome, detail, hint string) finding {
	return finding{absence: &Absence{Ref: d.Ref, Name: d.name, Outcome: o, Detail: detail, Hint: hint}}
}

// taken is a runtime that counts without being verified.
func (d *definition) taken(basis Basis) finding {
	return finding{installations: []Detection{{Ref: d.Ref, Name: d.name, Outcome: Available, Source: basis}}}
}
