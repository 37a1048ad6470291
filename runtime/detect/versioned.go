package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/version"
)

// versionedLimit bounds the executables with versioned names in one folder.
const versionedLimit = 16

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// versionedNames returns the trials of the executables in PATH whose names are a binary's
// with a version behind it. In a folder with many the newest count, with a warning. Shims
// do not count, because the versions beside them do, and a shim whose version is not chosen
// fails.
func (r *round) versionedNames(w *way) (out [][]trial, warnings []string) {
	var all []host.Candidate
	commands := map[string][]*command{} // by stem
	for _, c := range w.commands {
		if !c.VersionedNames || filepath.IsAbs(c.Binary) {
			continue
		}
		stem := host.Stem(c.Binary)
		if len(commands[stem]) == 0 && r.cfg.Policy.Consider(c.at(lookup{versioned: true})).Allowed {
			all = append(all, r.lookups.versioned(c.Binary)...)
		}
		commands[stem] = append(commands[stem], c)
	}
	names := w.names()
	all = slices.DeleteFunc(all, func(exe host.Candidate) bool {
		return exe.Fault != "" || inShims(exe.Path) || slices.Contains(names, filepath.Base(exe.Path))
	})
	all, dropped := newestOfEachFolder(all)
	if dropped > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%s: a folder of PATH has more than %d executables with versioned names, and %d of them are left out", w.ref, versionedLimit, dropped))
	}
	for _, exe := range all {
		var trials []trial
		for _, c := range commands[host.Stem(exe.Path)] {
			if !slices.ContainsFunc(trials, func(t trial) bool { return slices.Equal(t.Args, c.Args) && t.Pattern == c.Pattern }) {
				trials = append(trials, trial{c, lookup{candidates: []host.Candidate{exe}, versioned: true, further: true}})
			}
		}
		out = append(out, trials)
	}
	return out, warnings
}

// newestOfEachFolder returns versionedLimit candidates of each folder, those with the newest
// versions in their names, and the number of others.
func newestOfEachFolder(all []host.Candidate) (kept []host.Candidate, dropped int) {
	number := func(exe host.Candidate) version.Version {
		name := filepath.Base(exe.Path)
		name = strings.TrimRight(strings.TrimPrefix(name, host.Stem(name)), letters)
		v, _ := version.Parse(strings.TrimLeft(name, letters+".-"))
		return v
	}
	slices.SortStableFunc(all, func(a, b host.Candidate) int { return number(b).Compare(number(a)) })
	count := map[string]int{}
	for _, exe := range all {
		dir := filepath.Dir(exe.Path)
		if count[dir]++; count[dir] <= versionedLimit {
			kept = append(kept, exe)
		} else {
			dropped++
		}
	}
	return kept, dropped
}
