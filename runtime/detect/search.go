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

// trial is a command and the executable that it is to be tried with.
type trial struct {
	*command
	found
}

// place is a folder of PATH, with what a way's commands find in it.
type place struct {
	dir    string
	trials []trial
}

// behind reports whether PATH gives another folder's executable for the first
// command that finds one here.
func (p *place) behind() bool { return p.trials[0].further }

// identity makes two executables one: the real file and, where that is run by
// names that are not its own, as busybox is, the name.
type identity struct{ real, name string }

func identityOf(c host.Candidate) identity {
	id := identity{real: c.RealPath}
	if stem(c.Path) != stem(c.RealPath) {
		id.name = filepath.Base(c.Path)
	}
	return id
}

// search follows one way to a runtime, and finds all of its installations.
// First come the commands in their order, each with what PATH gives for it,
// until one succeeds. Beside them, as installations of their own, come the
// executables that PATH has behind those, and those that locations show. In a
// folder of PATH the commands are alternatives: where python3 succeeds, the
// python beside it is not asked.
//
// The warnings are of locations that show what is not taken.
//
// What is unseen may hold more of them.
func (r *round) search(ctx context.Context, w *way) (tried []probed, warnings []string, unseen []host.Unseen) {
	first, places := r.alongPath(w)
	elsewhere, warnings, unseen := r.elsewhere(w, places)
	now, later := r.sort(places, elsewhere)
	results := make([][]probed, len(now))
	var all sync.WaitGroup
	for i, trials := range now {
		all.Go(func() { results[i] = r.chain(ctx, w, trials, nil) })
	}
	var behind []probed // shims
	tried = r.chain(ctx, w, first, func(p *probed) {
		if inShims(p.Path) {
			all.Wait()
			behind = append(behind, r.settle(ctx, w, p, slices.Concat(slices.Concat(results...), behind))...)
		}
	})
	all.Wait()
	tried = merge(tried, slices.Concat(slices.Concat(results...), behind))
	for _, p := range places {
		if len(p.trials) > 0 && !p.behind() && !slices.ContainsFunc(tried, p.succeeded) {
			tried = merge(tried, r.chain(ctx, w, p.untried(tried), nil))
		}
	}
	for _, trials := range later {
		if !probedAlready(trials[0].candidates[0], tried) {
			tried = merge(tried, r.chain(ctx, w, trials, nil))
		}
	}
	for i := range tried {
		tried = append(tried, r.settle(ctx, w, &tried[i], tried)...)
	}
	return tried, warnings, unseen
}

// probedAlready reports whether one of the probes was of this executable, by
// whatever path.
func probedAlready(c host.Candidate, tried []probed) bool {
	id := identityOf(c)
	return slices.ContainsFunc(tried, func(p probed) bool { return !p.spare && p.identity() == id })
}

// alongPath is each command with what PATH gives for it, and the folders of
// PATH that have an executable for one of them.
func (r *round) alongPath(w *way) (first []trial, places []*place) {
	for _, c := range w.commands {
		candidates := r.find(c)
		first = append(first, trial{c, found{candidates: candidates}})
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
			f := found{candidates: []host.Candidate{other}, further: other.Path != exe.Path}
			places[i].trials = append(places[i].trials, trial{c, f})
		}
	}
	return first, places
}

// find looks for a command's executables, as far as policy lets it be looked for.
func (r *round) find(c *command) []host.Candidate {
	if !r.cfg.Policy.Consider(c.asked).Allowed {
		return nil
	}
	found := r.lookups.find(c.Binary)
	if exe, _ := usable(found); exe.Fault != "" && filepath.IsAbs(c.Binary) && !r.cfg.Policy.Reveals(c.asked) {
		return nil
	}
	return found
}

// withheld says which variables the way asks for and does not get.
func (r *round) withheld(w *way) []string {
	var names []string
	for _, c := range w.commands {
		if _, withheld := r.cfg.Policy.Env(c.asked); r.cfg.Policy.Consider(c.asked).Allowed {
			names = append(names, withheld...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{fmt.Sprintf("%s: its commands do not get %s, which only the host may give to definitions that are in no trusted pack; if they may have it, add it to policy.env",
		w.ref, strings.Join(slices.Compact(names), ", "))}
}

// elsewhere are the executables that the way's locations show, each with the
// commands for it. If they show what a version manager keeps, its shims are left
// out where PATH has them only behind others: what they might run is found
// without them.
func (r *round) elsewhere(w *way, places []*place) (out [][]trial, warnings []string, unseen []host.Unseen) {
	globs, denied := r.locations(w)
	var all []found
	if len(globs) > 0 {
		all, unseen = r.locate(r.looksOf(w), globs)
	}
	located, warnings := r.named(w, all)
	warnings = slices.Concat(r.withheld(w), denied, warnings)
	for _, f := range located {
		out = append(out, trialsOf(w, f))
	}
	for _, p := range places {
		kept := func(trials []trial) bool { return within(trials[0].candidates[0].Path, filepath.Dir(p.dir)) }
		if filepath.Base(p.dir) == shimsFolder && p.behind() && slices.ContainsFunc(out, kept) {
			p.trials = nil
		}
	}
	return out, warnings, unseen
}

// sort tells what can be tried at once from what is tried later, if nothing
// else has been tried that is the same executable. An executable belongs to the
// first folder of PATH that shows it.
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
func (p *place) succeeded(other probed) bool {
	return other.counts() && filepath.Dir(other.Path) == p.dir
}

// untried are the folder's trials that have not been made, as further ones.
func (p *place) untried(tried []probed) []trial {
	var out []trial
	for _, t := range p.trials {
		path := t.candidates[0].Path
		if !slices.ContainsFunc(tried, func(o probed) bool { return !o.spare && o.Path == path && slices.Equal(o.Command, t.argv) }) {
			t.further = true
			out = append(out, t)
		}
	}
	return out
}

// chain makes trials in their order until one succeeds. What is available is
// shown to settle, unless that is nil, which may find otherwise.
func (r *round) chain(ctx context.Context, w *way, trials []trial, settle func(*probed)) []probed {
	var tried []probed
	done := false
	for _, t := range trials {
		p := r.probe(ctx, w, t.command, t.found)
		p.spare = done
		if p.counts() && settle != nil {
			settle(&p)
		}
		tried = append(tried, p)
		if done = done || p.Outcome == capability.Available; done && !r.all {
			break
		}
	}
	return tried
}

// merge adds more to tried, each attempt once: one that counts takes the place
// of one that was made only to explain, and stands where its chain does.
func merge(tried, more []probed) []probed {
	for _, m := range more {
		i := slices.IndexFunc(tried, func(p probed) bool { return p.Path == m.Path && slices.Equal(p.Command, m.Command) })
		if i >= 0 && tried[i].spare && !m.spare {
			tried = slices.Delete(tried, i, i+1)
			i = -1
		}
		if i < 0 {
			tried = append(tried, m)
		}
	}
	return tried
}
