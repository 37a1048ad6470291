package detect

import (
	"slices"
	"time"

	"github.com/attune-go/attune/schema/version"
)

// Failure is an executable that was found for a runtime and does not count as an
// installation of it, whether the host has others or none. Without a Path it is a
// version that the definition declares: its metadata cannot be used, or the host
// has others and nothing was found for it; or, without that too, locations that were
// not followed to their ends.
type Failure struct {
	Ref string `json:"ref"`
	// Name is the capability name.
	Name string `json:"name"`
	// Path is the executable as it was found, perhaps a link or a shim, and
	// RealPath the file that it is.
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	// Declared is the version that the definition declares; only without a Path.
	Declared string `json:"declared,omitempty"`
	// Version is the one that it has and that does not count; empty where none is
	// known, as a failing command has none.
	Version string `json:"version,omitempty"`
	// Outcome is that of its most telling attempt, never Available.
	Outcome Outcome `json:"outcome"`
	// Detail is one sentence on the outcome, and Hint what would help.
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
	// VerifiedAt is the zero time where nothing was tried.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	// Attempts are at most failureAttempts with their evidence, each once; only
	// where they were asked for (Config.Explain).
	Attempts []Attempt `json:"attempts,omitempty"`
	// Unreached: the host could not tell as it did not come to asking; see Attempt.
	Unreached bool `json:"-"`
}

// failureAttempts is how many attempts at one executable are told.
const failureAttempts = 8

// Of reports whether a failure is of the executable of an installation, or of
// the shim that runs it, or of the version that it was declared as.
func (f *Failure) Of(in *Detection) bool {
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
func (d *definition) failed(ways []*way, tried [][]probed) []Failure {
	counts := map[string]bool{}
	for _, p := range slices.Concat(tried...) {
		counts[p.Path] = counts[p.Path] || p.counts()
	}
	var out []Failure
	at := map[string]int{} // in out
	for i, probes := range tried {
		for n := range probes {
			p := &probes[n]
			if p.Path == "" || counts[p.Path] || p.Outcome == Available {
				continue
			}
			j, known := at[p.Path]
			if !known {
				j = len(out)
				at[p.Path] = j
				out = append(out, Failure{Ref: d.Ref, Name: d.name, Path: p.Path, RealPath: p.RealPath, VerifiedAt: p.at})
			}
			out[j].tried(p)
		}
		found := func(p probed) bool { return p.Path != "" }
		if len(probes) > 0 && ways[i].label.text != "" && !slices.ContainsFunc(probes, found) && anyCounts(tried) {
			f := Failure{Ref: d.Ref, Name: d.name, Declared: ways[i].label.text, VerifiedAt: probes[0].at}
			for n := range probes {
				f.tried(&probes[n])
			}
			out = append(out, f)
		}
	}
	return out
}

func anyCounts(tried [][]probed) bool {
	return slices.ContainsFunc(slices.Concat(tried...), func(p probed) bool { return p.counts() })
}

// tried adds an attempt. A command that several versions are declared with is
// tried once.
func (f *Failure) tried(p *probed) {
	same := func(a Attempt) bool {
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
	if len(f.Attempts) == 0 || p.Outcome.rank() < f.Outcome.rank() {
		f.Outcome, f.Detail, f.Hint = p.Outcome, describe(p.Attempt), p.Hint
	}
	if p.Outcome != NotFound { // else it is a shim's, of a version that is not there
		f.Version = p.Version
	}
	if len(f.Attempts) < failureAttempts {
		f.Attempts = append(f.Attempts, p.Attempt)
	}
}

// leftOut is a declared version whose metadata cannot be used.
func leftOut(ref, name, declared string, fault error) Failure {
	return Failure{
		Ref: ref, Name: name, Declared: declared, Outcome: InvalidMetadata,
		Detail: "version " + declared + " is left out, its metadata is wrong: " + brief(fault), Hint: hintMetadata,
	}
}
