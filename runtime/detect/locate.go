package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/host"
)

// locatedLimit bounds the executables at the locations of one verification. Version
// managers keep fewer of one tool.
const locatedLimit = 64

// locations returns the way's globs that policy allows for at least one command. A
// denied glob causes a warning, unless the command is denied in PATH too, which the
// attempts show.
func (r *round) locations(w *way) (globs, warnings []string) {
	for _, glob := range w.locations {
		var denied *host.Decision
		for _, c := range w.commands {
			d := r.cfg.Policy.Consider(c.at(lookup{location: glob}))
			if d.Allowed {
				globs, denied = append(globs, glob), nil
				break
			}
			if r.cfg.Policy.Consider(c.inPath).Allowed {
				denied = &d
			}
		}
		if denied != nil {
			warnings = append(warnings,
				fmt.Sprintf("%s: the host's policy denies looking for executables at %s: %s", w.ref, glob, denied.Reason))
		}
	}
	return globs, warnings
}

// besideShims returns the globs of the way's executables among the versions beside the
// folders named shims in PATH, if policy allows them for at least one command. A manager
// has a shim for each executable of its versions, so names without one cost no look.
func (r *round) besideShims(w *way) []string {
	var globs []string
	for _, binary := range slices.DeleteFunc(w.binaries(), filepath.IsAbs) {
		for _, exe := range r.lookups.find(binary) {
			if inShims(exe.Path) {
				globs = append(globs, inFolders(managedFolders(filepath.Dir(filepath.Dir(exe.Path))), binary)...)
			}
		}
	}
	return slices.DeleteFunc(globs, func(glob string) bool {
		return !slices.ContainsFunc(w.commands, func(c *command) bool {
			return r.cfg.Policy.Consider(c.at(lookup{location: glob, shimmed: true})).Allowed
		})
	})
}

// filterNames returns the executables at locations that have the stem of a command (python3.11
// has that of python), locatedLimit at most. Locations come from a database and must not
// run any other program of the host.
func (r *round) filterNames(w *way, located []lookup) (out []lookup, warnings []string) {
	names := w.names()
	var others []string
	for _, f := range located {
		path := f.candidates[0].Path
		if slices.ContainsFunc(names, func(name string) bool { return host.Stem(name) == host.Stem(path) }) {
			out = append(out, f)
		} else {
			others = append(others, path)
		}
	}
	if len(others) > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%s: locations match %s, left out because it is not named like a command (%s); let them end in such a name",
			w.ref, andMore(others), strings.Join(names, ", ")))
	}
	if len(out) > locatedLimit {
		warnings = append(warnings, fmt.Sprintf(
			"%s: locations match %d executables, and only the first %d are verified; name fewer folders",
			w.ref, len(out), locatedLimit))
		out = out[:locatedLimit]
	}
	return out, warnings
}

// binaries returns the binaries of the way's commands, each once.
func (w *way) binaries() (binaries []string) {
	for _, c := range w.commands {
		if !slices.Contains(binaries, c.Binary) {
			binaries = append(binaries, c.Binary)
		}
	}
	return binaries
}

// names returns the file names of the way's commands, each once.
func (w *way) names() (names []string) {
	for _, c := range w.commands {
		if name := filepath.Base(c.Binary); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// andMore returns the first path and the number of others.
func andMore(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// locate returns the executables that globs match, each once, and the globs that may
// match more. It makes that many looks at most. If several paths lead to an executable,
// the most direct one counts: /opt/java-17 rather than a link /opt/current.
func (r *round) locate(looks int, globs []string) (out []lookup, unseen []host.UnseenPattern) {
	at := map[identity]int{}
	located := r.cfg.Host.Locate(looks, globs...)
	unseen = located.Unseen
	for i, glob := range globs {
		for _, path := range located.Paths[i] {
			exe := r.cfg.Host.Resolve(path)
			if err := exe.Unseen(); err != nil {
				unseen = append(unseen, host.UnseenPattern{Pattern: glob, Err: err})
			}
			if exe.Fault != "" {
				continue // a folder or a broken link
			}
			f := lookup{candidates: []host.Candidate{exe}, location: glob, further: true}
			i, known := at[identityOf(exe)]
			switch {
			case !known:
				at[identityOf(exe)] = len(out)
				out = append(out, f)
			case directness(exe) > directness(out[i].candidates[0]):
				out[i] = f
			}
		}
	}
	return out, unseen
}

// directness returns 2 for a path without links, 1 for a link beside its file, else 0.
func directness(c host.Candidate) int {
	switch {
	case c.Path == c.RealPath:
		return 2
	case filepath.Dir(c.Path) == filepath.Dir(c.RealPath):
		return 1
	}
	return 0
}

// trialsOf returns the trials of an executable that is not the first in PATH: the
// commands with its name, or all commands if none has it.
func trialsOf(w *way, f lookup) []trial {
	name := filepath.Base(f.candidates[0].Path)
	var own, all []trial
	for _, c := range w.commands {
		all = append(all, trial{c, f})
		if filepath.Base(c.Binary) == name {
			own = append(own, trial{c, f})
		}
	}
	if own == nil {
		return all
	}
	return own
}
