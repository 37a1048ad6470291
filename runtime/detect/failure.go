package detect

import (
	"slices"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// failureAttempts bounds the attempts of one failure in a document.
const failureAttempts = 8

// Concerns reports whether a failure is about an installation: about its executable, a
// shim that runs it, or its declared version.
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

// failures returns a failure for each executable that failed, and for each declared
// version without an executable.
func (d *definition) failures(ways []*way, byWay [][]probe) []capability.Failure {
	counts := map[string]bool{}
	for _, p := range slices.Concat(byWay...) {
		counts[p.Path] = counts[p.Path] || p.counts()
	}
	var out []capability.Failure
	at := map[string]int{} // indexes of out
	for i, probes := range byWay {
		for n := range probes {
			p := &probes[n]
			if p.Path == "" || counts[p.Path] || p.Outcome == capability.Available {
				continue
			}
			j, known := at[p.Path]
			if !known {
				j = len(out)
				at[p.Path] = j
				out = append(out, capability.Failure{
					Ref: d.Ref, Name: d.name, Path: p.Path, RealPath: p.RealPath, VerifiedAt: p.at, Remembered: p.Remembered,
				})
			}
			addAttempt(&out[j], p)
		}
		found := func(p probe) bool { return p.Path != "" }
		if len(probes) > 0 && ways[i].label.text != "" && !slices.ContainsFunc(probes, found) && anyCounts(byWay) {
			f := capability.Failure{Ref: d.Ref, Name: d.name, Declared: ways[i].label.text, VerifiedAt: probes[0].at}
			for n := range probes {
				addAttempt(&f, &probes[n])
			}
			out = append(out, f)
		}
	}
	return out
}

func anyCounts(byWay [][]probe) bool {
	return slices.ContainsFunc(slices.Concat(byWay...), func(p probe) bool { return p.counts() })
}

// addAttempt adds an attempt to f, unless f has an equal one.
func addAttempt(f *capability.Failure, p *probe) {
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
	f.Remembered = f.Remembered && p.Remembered
	if len(f.Attempts) == 0 || p.Outcome.Compare(f.Outcome) < 0 {
		f.Outcome, f.Detail, f.Hint = p.Outcome, describe(p.Attempt), p.Hint
	}
	if p.Outcome != capability.NotFound { // otherwise a shim printed it, and it is not installed
		f.Version = p.Version
	}
	if len(f.Attempts) < failureAttempts {
		f.Attempts = append(f.Attempts, p.Attempt)
	}
}

// unusableVersion returns the failure of a declared version with unusable metadata.
func unusableVersion(ref, name, declared string, fault error) capability.Failure {
	return capability.Failure{
		Ref: ref, Name: name, Declared: declared, Outcome: capability.InvalidMetadata,
		Detail: "version " + declared + " is left out, its metadata is invalid: " + brief(fault), Hint: hintMetadata,
	}
}
