package detect

import (
	"slices"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// failureAttempts is how many attempts at one executable are told.
const failureAttempts = 8

// Concerns reports whether a failure concerns an installation: its executable, the shim
// that runs it, or the version that it was declared as.
func Concerns(f *capability.Failure, in *capability.Installation) bool {
	switch {
	case f.Ref != in.Ref:
		return false
	case f.Path == "":
		v, err := version.Parse(in.Version)
		return err != nil || newLabel(f.Declared).fits(v, in.VersionRaw)
	}
	return f.Path == in.Path || f.Path == in.Shim || (f.RealPath != "" && f.RealPath == in.RealPath)
}

// failed is what was tried and does not count, by executable.
func (d *definition) failed(ways []*way, tried [][]probed) []capability.Failure {
	counts := map[string]bool{}
	for _, p := range slices.Concat(tried...) {
		counts[p.Path] = counts[p.Path] || p.counts()
	}
	var out []capability.Failure
	at := map[string]int{} // in out
	for i, probes := range tried {
		for n := range probes {
			p := &probes[n]
			if p.Path == "" || counts[p.Path] || p.Outcome == capability.Available {
				continue
			}
			j, known := at[p.Path]
			if !known {
				j = len(out)
				at[p.Path] = j
				out = append(out, capability.Failure{Ref: d.Ref, Name: d.name, Path: p.Path, RealPath: p.RealPath, VerifiedAt: p.at})
			}
			addAttempt(&out[j], p)
		}
		found := func(p probed) bool { return p.Path != "" }
		if len(probes) > 0 && ways[i].label.text != "" && !slices.ContainsFunc(probes, found) && anyCounts(tried) {
			f := capability.Failure{Ref: d.Ref, Name: d.name, Declared: ways[i].label.text, VerifiedAt: probes[0].at}
			for n := range probes {
				addAttempt(&f, &probes[n])
			}
			out = append(out, f)
		}
	}
	return out
}

func anyCounts(tried [][]probed) bool {
	return slices.ContainsFunc(slices.Concat(tried...), func(p probed) bool { return p.counts() })
}

// addAttempt adds an attempt to f. A command that several versions declare is added once.
func addAttempt(f *capability.Failure, p *probed) {
	same := func(a capability.Attempt) bool {
		return slices.Equal(a.Command, p.Command) && a.Outcome == p.Outcome && a.Detail == p.Detail
	}
	if slices.ContainsFunc(f.Attempts, same) {
		return
	}
	if len(f.Attempts) == 0 || !f.Outcome.CouldNotTell() {
		f.Unreached = p.Unreached
	} else if p.Outcome.CouldNotTell() {
		f.Unreached = f.Unreached && p.Unreached
	}
	if len(f.Attempts) == 0 || p.Outcome.Compare(f.Outcome) < 0 {
		f.Outcome, f.Detail, f.Hint = p.Outcome, describe(p.Attempt), p.Hint
	}
	if p.Outcome != capability.NotFound { // else it is a shim's, of a version that is not there
		f.Version = p.Version
	}
	if len(f.Attempts) < failureAttempts {
		f.Attempts = append(f.Attempts, p.Attempt)
	}
}

// leftOut is a declared version whose metadata cannot be used.
func leftOut(ref, name, declared string, fault error) capability.Failure {
	return capability.Failure{
		Ref: ref, Name: name, Declared: declared, Outcome: capability.InvalidMetadata,
		Detail: "version " + declared + " is left out, its metadata is wrong: " + brief(fault), Hint: hintMetadata,
	}
}
