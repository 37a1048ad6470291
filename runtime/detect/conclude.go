package detect

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// conclude makes a finding of what was tried on each way.
func (r *round) conclude(d *definition, ways []*way, tried [][]probed) finding {
	everything := slices.Concat(tried...)
	var f finding
	at := map[installed]int{} // in f.installations
	var shims []shimmed
	for i, probes := range tried {
		first := len(f.attempts)
		for n := range probes {
			p := &probes[n]
			var behind *probed
			if p.counts() {
				if behind = answering(p, everything); behind != nil {
					p.Detail = "it is a shim, and what answers is " + behind.Path
				}
			}
			f.attempts = append(f.attempts, p.Attempt)
			if !p.counts() {
				continue
			}
			in := d.installation(p)
			in.Default = ways[i].standard && !p.further
			in.Attempts = slices.Clone(f.attempts[len(f.attempts)-1:])
			before := probes[:n]
			if p.further {
				before = slices.DeleteFunc(slices.Clone(before), func(o probed) bool { return !o.further || !p.beside(o) })
			} else {
				in.Attempts = slices.Clone(f.attempts[first:])
			}
			in.Warnings = append(in.Warnings, failures(before)...)
			if behind != nil {
				shims = append(shims, shimmed{in, behind.installed()})
			} else if j, twice := at[p.installed()]; twice {
				f.installations[j].Default = f.installations[j].Default || in.Default
			} else {
				at[p.installed()] = len(f.installations)
				f.installations = append(f.installations, in)
			}
		}
		f.warnings = append(f.warnings, d.uncounted(probes)...)
	}
	f.failed = d.failed(ways, tried)
	for _, s := range shims {
		answerFor(&f.installations[at[s.runs]], s.Installation)
	}
	if len(f.installations) > 0 {
		return f
	}
	a := mostTelling(f.attempts)
	absence := &capability.Absence{
		Ref: d.Ref, Name: d.name, Outcome: a.Outcome, Detail: describe(a), Hint: a.Hint, Attempts: f.attempts, Unreached: unreached(f.attempts),
	}
	if absent(a) {
		absence.Detail, absence.Hint = r.missing(sought(f.attempts)...)
	}
	return finding{attempts: f.attempts, failed: f.failed, absence: absence}
}

// installed makes two probes one installation: one file that gives one answer,
// whatever it was run as.
type installed struct{ real, version string }

func (p *probed) installed() installed { return installed{p.RealPath, p.Version} }

// shimmed is what a shim seemed to be, and the installation that it runs.
type shimmed struct {
	capability.Installation
	runs installed
}

// answerFor makes the installation the one that a shim runs. What was tried up
// to the shim comes before what was tried of itself.
func answerFor(in *capability.Installation, shim capability.Installation) {
	if in.Shim == "" || shim.Default {
		in.Shim = shim.Path
	}
	in.Default = in.Default || shim.Default
	in.Warnings = append(in.Warnings, slices.DeleteFunc(shim.Warnings, func(w string) bool { return slices.Contains(in.Warnings, w) })...)
	in.Attempts = append(shim.Attempts, in.Attempts...)
}

func (d *definition) installation(p *probed) capability.Installation {
	out := capability.Installation{
		Ref: d.Ref, Name: d.name, Version: p.Version, VersionRaw: p.VersionRaw, Path: p.Path, RealPath: p.RealPath,
		Outcome: capability.Available, Source: capability.Verified, VerifiedAt: p.at, DurationMS: p.DurationMS,
		Warnings: slices.Clone(p.warnings), VersionFile: p.VersionFile,
	}
	if p.VersionFile == "" {
		out.Command = p.Command
	}
	return out
}

// beside reports whether two probes were alternatives: of executables in one
// folder of PATH, or of one that a location shows. lua5.1 and lua5.4 are not.
func (p *probed) beside(o probed) bool {
	if p.located || o.located {
		return p.Path == o.Path
	}
	return filepath.Dir(p.Path) == filepath.Dir(o.Path)
}

// failures are the warnings of commands that were tried before one succeeded, and
// found something.
// What policy denied is always said.
func failures(before []probed) []string {
	var out []string
	for _, p := range before {
		if (!p.Optional && !absent(p.Attempt)) || p.Outcome == capability.DeniedByPolicy {
			out = append(out, warning(p.Attempt))
		}
	}
	return out
}

// uncounted are the warnings, for the document as a whole, of what was found
// of a runtime that is there and does not count: those that no installation
// carries. That PATH, or a declared version, has nothing is no reason for one: the
// runtime is there; nor that an executable that PATH does not give for it is another version.
func (d *definition) uncounted(probes []probed) []string {
	succeeded := slices.ContainsFunc(probes, func(p probed) bool { return p.Outcome == capability.Available && !p.further })
	var out []string
	for _, p := range probes {
		succeededBeside := func(o probed) bool { return o.counts() && p.beside(o) }
		switch {
		case p.Outcome == capability.Available, p.spare:
		case !p.further && succeeded:
		case p.further && slices.ContainsFunc(probes, succeededBeside):
		case absent(p.Attempt):
		case p.mislabelled && (p.further || slices.ContainsFunc(probes, func(o probed) bool { return o.counts() })):
		case !p.Optional || p.Outcome == capability.DeniedByPolicy:
			out = append(out, d.Ref+": "+warning(p.Attempt))
		}
	}
	return out
}

// warning is an attempt that failed, with what would help.
func warning(a capability.Attempt) string {
	text := fmt.Sprintf("%s: %s", a.Outcome, describe(a))
	if a.Outcome == capability.DeniedByPolicy && a.Hint != "" {
		text += "; " + a.Hint
	}
	return text
}

// describe is an attempt's detail as one sentence that names what it is about.
func describe(a capability.Attempt) string {
	if a.Path == "" || a.Outcome == capability.NotExecutable || a.Outcome == capability.DeniedByPolicy {
		return a.Detail
	}
	return host.CommandLine(a.Path, a.Command[1:]) + ": " + a.Detail
}

// absent reports whether there was no executable to try.
func absent(a capability.Attempt) bool { return a.Outcome == capability.NotFound && a.Path == "" }

// sought are the binaries that were looked for and not found, each once.
func sought(attempts []capability.Attempt) []string {
	var out []string
	for _, a := range attempts {
		if absent(a) && !slices.Contains(out, a.Command[0]) {
			out = append(out, a.Command[0])
		}
	}
	return out
}
