package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/host"
)

// locatedLimit is how many executables the locations of one verification give.
// It is more than version managers keep of one tool.
const locatedLimit = 64

// locations are those of the way's that policy lets be looked at: where at least
// one of its commands may run. What keeps all of them out is a warning, unless it
// keeps them out of PATH too and the attempts say so.
func (r *round) locations(w *way) (globs, warnings []string) {
	for _, glob := range w.locations {
		var denied *host.Decision
		for _, c := range w.commands {
			d := r.cfg.Policy.Consider(c.at(found{location: glob}))
			if d.Allowed {
				globs, denied = append(globs, glob), nil
				break
			}
			if r.cfg.Policy.Consider(c.asked).Allowed {
				denied = &d
			}
		}
		if denied != nil {
			warnings = append(warnings, fmt.Sprintf("%s: the host's policy denies looking for executables at %s: %s", w.ref, glob, denied.Reason))
		}
	}
	return globs, warnings
}

// named is what locations may give: executables that are called as a command of
// the way is, but for a version (python3.11 is a python), locatedLimit at most.
// Locations come from a database. They are for finding a runtime, and no means
// to run whatever a host has.
func (r *round) named(w *way, located []found) (out []found, warnings []string) {
	names := w.names()
	var others []string
	for _, f := range located {
		path := f.candidates[0].Path
		if slices.ContainsFunc(names, func(name string) bool { return stem(name) == stem(path) }) {
			out = append(out, f)
		} else {
			others = append(others, path)
		}
	}
	if len(others) > 0 {
		warnings = append(warnings, fmt.Sprintf("%s: locations show %s, left out as not named for a command (%s); let them end in such a name",
			w.ref, andMore(others), strings.Join(names, ", ")))
	}
	if len(out) > locatedLimit {
		warnings = append(warnings, fmt.Sprintf("%s: locations show %d executables, of which the first %d are verified; name fewer folders",
			w.ref, len(out), locatedLimit))
		out = out[:locatedLimit]
	}
	return out, warnings
}

// names are the file names of the way's commands, each once.
func (w *way) names() (names []string) {
	for _, c := range w.commands {
		if name := filepath.Base(c.Binary); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// andMore is the first path, and how many there are besides.
func andMore(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// locate is the executables that globs show, each once, and the globs that may show
// more; it makes so many looks at most. Of several paths to one
// the one with the fewest links counts: not the folder java-1.17.0 that is a
// link to java-17, nor current or latest.
func (r *round) locate(looks int, globs []string) (out []found, unseen []host.Unseen) {
	at := map[identity]int{}
	located := r.cfg.Host.Locate(looks, globs...)
	unseen = located.Unseen
	for i, glob := range globs {
		for _, path := range located.Paths[i] {
			exe := r.cfg.Host.Resolve(path)
			if err := exe.Unseen(); err != nil {
				unseen = append(unseen, host.Unseen{Pattern: glob, Err: err})
			}
			if exe.Fault != "" {
				continue // a folder or a broken link that the glob happens to match
			}
			f := found{candidates: []host.Candidate{exe}, location: glob, further: true}
			i, seen := at[identityOf(exe)]
			switch {
			case !seen:
				at[identityOf(exe)] = len(out)
				out = append(out, f)
			case directness(exe) > directness(out[i].candidates[0]):
				out[i] = f
			}
		}
	}
	return out, unseen
}

// directness is 2 for a path without links, 1 for a link beside its file.
func directness(c host.Candidate) int {
	switch {
	case c.Path == c.RealPath:
		return 2
	case filepath.Dir(c.Path) == filepath.Dir(c.RealPath):
		return 1
	}
	return 0
}

// trialsOf are the commands whose arguments are for an executable that was
// found elsewhere: those of its name, or all where none has it.
func trialsOf(w *way, f found) []trial {
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
