package detect

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// A trial is a command and the executable to try it with.
type trial struct {
	*command
	lookup
}

// A place is a folder of PATH, with the trials of a way's commands in it.
type place struct {
	dir    string
	trials []trial
}

// behind reports whether an earlier folder of PATH has the executable of the place's
// first command.
func (p *place) behind() bool { return p.trials[0].further }

// An identity identifies an executable: its real file and, if that has another name, the
// name. Busybox is one file that is run by many names.
type identity struct{ real, name string }

func identityOf(c host.Candidate) identity {
	id := identity{real: c.RealPath}
	if host.Stem(c.Path) != host.Stem(c.RealPath) {
		id.name = filepath.Base(c.Path)
	}
	return id
}

// search probes all installations of one way. It first tries the commands in their
// order, each with its first executable in PATH, until one succeeds. Executables further
// down PATH and at locations are installations of their own. In one folder of PATH the
// commands are alternatives: if python3 succeeds, the python beside it is not run.
//
// The warnings are about locations. The patterns in unseen may match more executables.
func (r *round) search(ctx context.Context, w *way) (probes []probe, warnings []string, unseen []host.UnseenPattern) {
	done := r.look(r.isTrusted(w))
	first, places := r.alongPath(w)
	elsewhere, warnings, unseen := r.elsewhere(w, places)
	done()
	now, later := r.sort(places, elsewhere)
	results := make([][]probe, len(now))
	var all sync.WaitGroup
	for i, trials := range now {
		all.Go(func() { results[i] = r.chain(ctx, w, trials, nil) })
	}
	var targets []probe // of shims
	probes = r.chain(ctx, w, first, func(p *probe) {
		if inShims(p.Path) {
			all.Wait()
			targets = append(targets, r.settle(ctx, w, p, slices.Concat(slices.Concat(results...), targets))...)
		}
	})
	all.Wait()
	probes = merge(probes, slices.Concat(slices.Concat(results...), targets))
	for _, p := range places {
		if len(p.trials) > 0 && !p.behind() && !slices.ContainsFunc(probes, p.succeeded) {
			probes = merge(probes, r.chain(ctx, w, p.remaining(probes), nil))
		}
	}
	for _, trials := range later {
		if !hasProbe(probes, trials[0].candidates[0]) {
			probes = merge(probes, r.chain(ctx, w, trials, nil))
		}
	}
	for i := range probes {
		probes = append(probes, r.settle(ctx, w, &probes[i], probes)...)
	}
	return probes, warnings, unseen
}

// hasProbe reports whether one of the probes ran this executable, by any path.
func hasProbe(probes []probe, c host.Candidate) bool {
	id := identityOf(c)
	return slices.ContainsFunc(probes, func(p probe) bool { return !p.spare && p.identity() == id })
}

// alongPath returns a trial of each command with its candidates in PATH, and the folders
// of PATH that have an executable for one of the commands.
func (r *round) alongPath(w *way) (first []trial, places []*place) {
	for _, c := range w.commands {
		candidates := r.find(c)
		first = append(first, trial{c, lookup{candidates: candidates}})
		exe, _ := usable(candidates)
		for _, other := range candidates {
			if other.Fault != "" {
				continue
			}
			dir := filepath.Dir(other.Path)
			i := slices.IndexFunc(places, func(p *place) bool { return p.dir == dir })
			if i < 0 {
				i = len(places)
				places = append(places, &place{dir: dir})
			}
			f := lookup{candidates: []host.Candidate{other}, further: other.Path != exe.Path}
			places[i].trials = append(places[i].trials, trial{c, f})
		}
	}
	return first, places
}

// find returns the candidates for a command, or nil if policy denies looking for them.
func (r *round) find(c *command) []host.Candidate {
	if !r.cfg.Policy.Consider(c.inPath).Allowed {
		return nil
	}
	found := r.lookups.find(c.Binary)
	if exe, _ := usable(found); exe.Fault != "" && filepath.IsAbs(c.Binary) && !r.cfg.Policy.Reveals(c.inPath) {
		return nil
	}
	return found
}

// withheld returns a warning about variables that the way asks for and does not get.
func (r *round) withheld(w *way) []string {
	var names []string
	for _, c := range w.commands {
		if _, withheld := r.cfg.Policy.Env(c.inPath); r.cfg.Policy.Consider(c.inPath).Allowed {
			names = append(names, withheld...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{fmt.Sprintf(
		"%s: its commands do not get %s, since no trusted pack has the definition; if they may have it, add it to policy.env",
		w.ref, strings.Join(slices.Compact(names), ", "))}
}

// elsewhere returns the trials of each executable at the way's locations, and among the
// versions beside the folders of shims in PATH. If a location has the versions of a version
// manager, it drops the manager's shims, unless they come first in PATH: their targets are
// found without them.
func (r *round) elsewhere(w *way, places []*place) (out [][]trial, warnings []string, unseen []host.UnseenPattern) {
	globs, denied := r.locations(w)
	managed := r.besideShims(w)
	var all []lookup
	if len(globs)+len(managed) > 0 {
		all, unseen = r.locate(r.looksOf(w), append(globs, managed...))
	}
	located, warnings := r.filterNames(w, all)
	warnings = slices.Concat(r.withheld(w), denied, warnings)
	out, more := r.versionedNames(w)
	warnings = append(warnings, more...)
	for _, f := range located {
		f.shimmed = slices.Contains(managed, f.location)
		if trials := trialsOf(w, f); !f.shimmed || r.mayRun(trials) {
			out = append(out, trials)
		}
	}
	for _, p := range places {
		own := func(trials []trial) bool { return within(trials[0].candidates[0].Path, filepath.Dir(p.dir)) }
		if filepath.Base(p.dir) == shimsFolder && p.behind() && slices.ContainsFunc(out, own) {
			p.trials = nil
		}
	}
	return out, warnings, unseen
}

// mayRun reports whether a trusted pack has one of the trials, or policy allows it.
func (r *round) mayRun(trials []trial) bool {
	return slices.ContainsFunc(trials, func(t trial) bool {
		return r.cfg.Policy.Trusts(t.at(t.lookup)) || r.cfg.Policy.Decide(t.at(t.lookup), t.candidates[0], r.cfg.Host).Allowed
	})
}

// sort separates trials that can run at once from those that run later, if their
// executable has not been probed until then. An executable belongs to the first folder of
// PATH that has it.
func (r *round) sort(places []*place, elsewhere [][]trial) (now, later [][]trial) {
	if len(places)+len(elsewhere) == 0 {
		return nil, nil
	}
	owner := map[identity]string{}
	claim := func(c host.Candidate, by string) bool {
		id := identityOf(c)
		if _, claimed := owner[id]; !claimed {
			owner[id] = by
		}
		return owner[id] == by
	}
	for _, p := range places {
		var own []trial
		for _, t := range p.trials {
			t.further = t.further || p.behind()
			if claim(t.candidates[0], p.dir) {
				own = append(own, t)
			} else if t.further {
				later = append(later, []trial{t})
			}
		}
		if len(own) > 0 && p.behind() {
			now = append(now, own)
		}
	}
	for _, trials := range elsewhere {
		if exe := trials[0].candidates[0]; claim(exe, exe.Path) {
			now = append(now, trials)
		} else {
			later = append(later, trials)
		}
	}
	return now, later
}

// succeeded reports whether a probe found an installation in this folder.
func (p *place) succeeded(other probe) bool {
	return other.counts() && !other.versioned && filepath.Dir(other.Path) == p.dir
}

// remaining returns the folder's trials without a probe, marked as further.
func (p *place) remaining(probes []probe) []trial {
	var out []trial
	for _, t := range p.trials {
		path := t.candidates[0].Path
		if !slices.ContainsFunc(probes, func(o probe) bool { return !o.spare && o.Path == path && slices.Equal(o.Command, t.argv) }) {
			t.further = true
			out = append(out, t)
		}
	}
	return out
}

// chain runs trials in their order until one succeeds. settle, which may be nil, gets
// each success and can turn it into a failure. Once ctx has ended an attempt, the others are
// not made.
func (r *round) chain(ctx context.Context, w *way, trials []trial, settle func(*probe)) []probe {
	var probes []probe
	done := false
	for _, t := range trials {
		p := r.probe(ctx, w, t.command, t.lookup)
		p.spare = done
		if p.counts() && settle != nil {
			settle(&p)
		}
		probes = append(probes, p)
		if done = done || p.Outcome == capability.Available; done && !r.all {
			break
		}
		if ctx.Err() != nil && p.Outcome == capability.Timeout {
			break
		}
	}
	return probes
}

// merge appends more to probes, each attempt once. A spare probe is replaced by one that
// is not.
func merge(probes, more []probe) []probe {
	for _, m := range more {
		i := slices.IndexFunc(probes, func(p probe) bool { return p.Path == m.Path && slices.Equal(p.Command, m.Command) })
		if i >= 0 && probes[i].spare && !m.spare {
			probes = slices.Delete(probes, i, i+1)
			i = -1
		}
		if i < 0 {
			probes = append(probes, m)
		}
	}
	return probes
}
