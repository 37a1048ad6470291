package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// conclude returns the finding for a definition from the probes of each way.
func (r *round) conclude(ctx context.Context, d *definition, ways []*way, byWay [][]probe) finding {
	everything := slices.Concat(byWay...)
	var f finding
	at := map[installationKey]int{} // indexes of f.installations
	var shims []shim
	for i, probes := range byWay {
		first := len(f.attempts)
		for n := range probes {
			p := &probes[n]
			var target *probe
			if p.counts() {
				if target = r.target(ctx, ways[i], p, everything); target != nil {
					p.Detail = "it is a shim for " + target.Path
				}
			}
			f.attempts = append(f.attempts, p.Attempt)
			if !p.counts() {
				continue
			}
			attempts, before := f.attempts[first:], probes[:n]
			if p.further {
				attempts = f.attempts[len(f.attempts)-1:]
				before = slices.DeleteFunc(slices.Clone(before), func(o probe) bool { return !o.further || !p.beside(o) })
			}
			for _, one := range append([]probe{*p}, p.more...) {
				in := d.installation(&one)
				in.Default = ways[i].standard && !p.further
				in.Attempts = slices.Clone(attempts)
				in.Warnings = append(in.Warnings, failureWarnings(before)...)
				if target != nil {
					shims = append(shims, shim{in, installationKey{target.RealPath, one.Version}})
				} else if j, known := at[one.key()]; known {
					f.installations[j].Default = f.installations[j].Default || in.Default
				} else {
					at[one.key()] = len(f.installations)
					f.installations = append(f.installations, in)
				}
			}
		}
		f.warnings = append(f.warnings, d.uncounted(probes)...)
	}
	f.failed = d.failures(ways, byWay)
	for _, s := range shims {
		if i, known := at[s.target]; known {
			addShim(&f.installations[i], s.Installation)
		}
	}
	if len(f.installations) > 0 {
		return f
	}
	a := mostInformative(f.attempts)
	absence := &capability.Absence{
		Ref: d.Ref, Name: d.name, Outcome: a.Outcome, Detail: describe(a), Hint: a.Hint,
		Attempts: f.attempts, Unreached: unreached(f.attempts),
	}
	if missing(a) {
		absence.Detail, absence.Hint = capability.NotFoundIn(r.info.Path, missingBinaries(f.attempts)...)
	}
	return finding{attempts: f.attempts, failed: f.failed, absence: absence}
}

// An installationKey identifies an installation by its file and its answer, whatever
// the file was run as.
type installationKey struct{ real, version string }

func (p *probe) key() installationKey { return installationKey{p.RealPath, p.Version} }

// A shim is an executable that answers for the target installation.
type shim struct {
	capability.Installation
	target installationKey
}

// addShim adds a shim to its target installation. The shim's attempts come first.
func addShim(in *capability.Installation, shim capability.Installation) {
	if in.Shim == "" || shim.Default {
		in.Shim = shim.Path
	}
	in.Default = in.Default || shim.Default
	in.Warnings = append(in.Warnings, slices.DeleteFunc(shim.Warnings, func(w string) bool { return slices.Contains(in.Warnings, w) })...)
	in.Attempts = append(shim.Attempts, in.Attempts...)
}

func (d *definition) installation(p *probe) capability.Installation {
	return capability.Installation{
		Ref: d.Ref, Name: d.name, Version: p.Version, VersionRaw: p.VersionRaw, Path: p.Path, RealPath: p.RealPath,
		Outcome: capability.Available, Source: capability.Verified, VerifiedAt: p.at, DurationMS: p.DurationMS,
		Warnings: slices.Clone(p.warnings), Command: p.Command, VersionFile: p.VersionFile, Remembered: p.Remembered,
	}
}

// beside reports whether two probes were alternatives: commands in one folder of PATH,
// or for one executable elsewhere. lua5.1 and lua5.4 are not.
func (p *probe) beside(o probe) bool {
	if p.location != "" || o.location != "" || p.versioned || o.versioned {
		return p.Path == o.Path
	}
	return filepath.Dir(p.Path) == filepath.Dir(o.Path)
}

// failureWarnings returns the warnings about commands that failed before one succeeded.
// It leaves out missing executables and optional commands, but includes all denials.
func failureWarnings(before []probe) []string {
	var out []string
	for _, p := range before {
		if (!p.Optional && !missing(p.Attempt)) || p.Outcome == capability.DeniedByPolicy {
			out = append(out, warning(p.Attempt))
		}
	}
	return out
}

// uncounted returns the document's warnings about executables of an available runtime
// that failed, unless a warning of an installation covers them. A runtime missing from
// PATH, a missing declared version, another program with a versioned name, and an executable of another version than declared
// that is not the first in PATH cause no warning.
func (d *definition) uncounted(probes []probe) []string {
	succeeded := slices.ContainsFunc(probes, func(p probe) bool { return p.Outcome == capability.Available && !p.further })
	var out []string
	for _, p := range probes {
		succeededBeside := func(o probe) bool { return o.counts() && p.beside(o) }
		switch {
		case p.Outcome == capability.Available, p.spare:
		case !p.further && succeeded:
		case p.further && slices.ContainsFunc(probes, succeededBeside):
		case missing(p.Attempt):
		case p.versioned && p.Outcome == capability.PatternMismatch: // python2.7 is not Python 3
		case p.mislabelled && (p.further || slices.ContainsFunc(probes, func(o probe) bool { return o.counts() })):
		case !p.Optional || p.Outcome == capability.DeniedByPolicy:
			out = append(out, d.Ref+": "+warning(p.Attempt))
		}
	}
	return out
}

// warning describes a failed attempt and, if policy denied it, how to allow it.
func warning(a capability.Attempt) string {
	text := fmt.Sprintf("%s: %s", a.Outcome, describe(a))
	if a.Outcome == capability.DeniedByPolicy && a.Hint != "" {
		text += "; " + a.Hint
	}
	return text
}

// describe returns an attempt's detail, beginning with the executable.
func describe(a capability.Attempt) string {
	if a.Path == "" || a.Outcome == capability.NotExecutable || a.Outcome == capability.DeniedByPolicy {
		return a.Detail
	}
	return host.CommandLine(a.Path, a.Command[1:]) + ": " + a.Detail
}

// missing reports whether an attempt found no executable.
func missing(a capability.Attempt) bool { return a.Outcome == capability.NotFound && a.Path == "" }

// missingBinaries returns the binaries that were not found, each once.
func missingBinaries(attempts []capability.Attempt) []string {
	var out []string
	for _, a := range attempts {
		if missing(a) && !slices.Contains(out, a.Command[0]) {
			out = append(out, a.Command[0])
		}
	}
	return out
}
