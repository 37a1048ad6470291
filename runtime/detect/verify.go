package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/attune-go/attune/runtime/host"
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
	f := d.conclude(p.ways, tried)
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

// search follows one way to a runtime: its commands in their order, until one
// succeeds, and beside them the executables that its locations show.
func (r *round) search(ctx context.Context, w *way) []probed {
	elsewhere := r.locate(w)
	results := make([][]probed, len(elsewhere))
	onPath := map[string]bool{}
	if len(elsewhere) > 0 {
		for _, c := range w.commands {
			exe, _ := usable(r.lookups.find(c.Binary))
			onPath[exe.RealPath] = true
		}
	}
	var all sync.WaitGroup
	for i, f := range elsewhere {
		if !onPath[f.candidates[0].RealPath] {
			all.Go(func() { results[i] = r.chain(ctx, w, commandsFor(w, f), func(*command) found { return f }) })
		}
	}
	tried := r.chain(ctx, w, w.commands, func(c *command) found { return found{candidates: r.lookups.find(c.Binary)} })
	// What a later command would have found by PATH was not tried if an earlier
	// one succeeded; then it is an installation like any other.
	for i, f := range elsewhere {
		real := f.candidates[0].RealPath
		if onPath[real] && !slices.ContainsFunc(tried, func(p probed) bool { return p.RealPath == real }) {
			results[i] = r.chain(ctx, w, commandsFor(w, f), func(*command) found { return f })
		}
	}
	all.Wait()
	return append(tried, slices.Concat(results...)...)
}

// chain tries commands in their order until one succeeds.
func (r *round) chain(ctx context.Context, w *way, commands []*command, find func(*command) found) []probed {
	var tried []probed
	done := false
	for _, c := range commands {
		p := r.probe(ctx, w, c, find(c))
		p.spare = done
		tried = append(tried, p)
		if done = done || p.Outcome == Available; done && !r.all {
			break
		}
	}
	return tried
}

// locate is the executables that the way's locations show, each real file once.
func (r *round) locate(w *way) []found {
	var out []found
	seen := map[string]bool{}
	for _, glob := range w.locations {
		for _, path := range r.cfg.Host.Glob(glob) {
			exe := r.cfg.Host.Resolve(path)
			if exe.Fault != "" || exe.RealPath != "" && seen[exe.RealPath] {
				continue // a folder or a broken link that the glob happens to match
			}
			seen[exe.RealPath] = true
			out = append(out, found{candidates: []host.Candidate{exe}, location: glob})
		}
	}
	return out
}

// commandsFor are the commands whose arguments are for an executable that was
// found elsewhere: those of its name, or all where none has it.
func commandsFor(w *way, f found) []*command {
	name := filepath.Base(f.candidates[0].Path)
	var own []*command
	for _, c := range w.commands {
		if filepath.Base(c.Binary) == name {
			own = append(own, c)
		}
	}
	if own == nil {
		return w.commands
	}
	return own
}

// conclude makes a finding of what was tried on each way.
func (d *definition) conclude(ways []*way, tried [][]probed) finding {
	var f finding
	found := map[string]bool{} // real paths
	for i, probes := range tried {
		first := len(f.attempts)
		for n, p := range probes {
			f.attempts = append(f.attempts, p.Attempt)
			if p.Outcome != Available || p.spare || found[p.RealPath] {
				continue
			}
			found[p.RealPath] = p.RealPath != ""
			in := d.installation(p)
			in.Attempts = f.attempts[first+n:]
			if !p.further {
				in.Attempts = f.attempts[first:]
				in.Warnings = append(in.Warnings, failures(probes[:n])...)
			}
			in.Attempts = slices.Clone(in.Attempts)
			f.installations = append(f.installations, in)
		}
		f.warnings = append(f.warnings, d.uncounted(ways[i], probes)...)
	}
	if len(f.installations) > 0 {
		return f
	}
	a := mostTelling(f.attempts)
	return finding{attempts: f.attempts, absence: &Absence{
		Ref: d.Ref, Name: d.name, Outcome: a.Outcome, Detail: describe(a), Hint: a.Hint, Attempts: f.attempts,
	}}
}

func (d *definition) installation(p probed) Detection {
	out := Detection{
		Ref: d.Ref, Name: d.name, Version: p.Version, VersionRaw: p.VersionRaw, Path: p.Path, RealPath: p.RealPath,
		Outcome: Available, Source: Verified, VerifiedAt: p.at, DurationMS: p.DurationMS,
		Warnings: slices.Clone(p.warnings), VersionFile: p.VersionFile,
	}
	if p.VersionFile == "" {
		out.Command = p.Command
	}
	return out
}

// failures are the warnings of commands that were tried before one succeeded.
// What policy denied is always said.
func failures(before []probed) []string {
	var out []string
	for _, p := range before {
		if !p.Optional || p.Outcome == DeniedByPolicy {
			out = append(out, warning(p.Attempt))
		}
	}
	return out
}

// uncounted are the warnings, for the document as a whole, of what was found
// of a runtime that is there and does not count: those that no installation
// carries. That a declared version is not there at all is no reason for one.
func (d *definition) uncounted(w *way, probes []probed) []string {
	succeeded := slices.ContainsFunc(probes, func(p probed) bool { return p.Outcome == Available && !p.further })
	var out []string
	for _, p := range probes {
		switch {
		case p.Outcome == Available, p.spare:
		case !p.further && succeeded:
		case w.label != "" && p.Outcome == NotFound:
		case !p.Optional || p.Outcome == DeniedByPolicy:
			out = append(out, d.Ref+": "+warning(p.Attempt))
		}
	}
	return out
}

// warning is an attempt that failed, with what would help.
func warning(a Attempt) string {
	text := fmt.Sprintf("%s: %s", a.Outcome, describe(a))
	if a.Outcome == DeniedByPolicy && a.Hint != "" {
		text += "; " + a.Hint
	}
	return text
}

// describe is an attempt's detail as one sentence that names what it is about.
func describe(a Attempt) string {
	if a.Path == "" || a.Outcome == NotExecutable || a.Outcome == DeniedByPolicy {
		return a.Detail
	}
	return host.CommandLine(a.Path, a.Command[1:]) + ": " + a.Detail
}
