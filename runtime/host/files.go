//go:build unix

package host

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// locateTime bounds Locate. It is checked between looks, and patience bounds each look.
const locateTime = 5 * time.Second

// Glob returns the paths that Locate finds for one pattern.
func (h *LocalHost) Glob(pattern string) []string {
	return h.Locate(LocateLimit, pattern).Paths[0]
}

// Locate finds the existing paths that match absolute patterns of path.Match. A leading
// ~/ is the home folder, and a leading $NAME/ the folder in a variable that every command
// gets, such as PYENV_ROOT. As in a shell, a wildcard does not match a leading dot. /proc,
// /sys and /dev are skipped. A malformed or relative pattern matches nothing, nor does one
// with an unset variable.
//
// It looks at limit folder entries and paths for all patterns together, for 5s, and finds
// 256 paths of each pattern at most. It does not enter folders that hang or cannot be
// read.
func (h *LocalHost) Locate(limit int, patterns ...string) LocateResult {
	if h.within == nil {
		select {
		case h.looks.locating <- struct{}{}:
			defer func() { <-h.looks.locating }()
		case <-h.over: // try looks at nothing
		}
	}
	over := time.Now().Add(locateTime)
	return try(h, func(l *look) LocateResult {
		out := LocateResult{Paths: make([][]string, len(patterns))}
		left, folders := limit, map[string]*listing{}
		for i, pattern := range patterns {
			clean, ok := expand(pattern, h.home, h.vars)
			if !ok {
				continue
			}
			g := globber{look: l, left: &left, limit: limit, over: over, folders: folders}
			g.walk("/", splitSlash(clean))
			slices.Sort(g.found)
			out.Paths[i] = g.found
			if g.unseen != nil {
				out.Unseen = append(out.Unseen, UnseenPattern{pattern, g.unseen})
			}
		}
		return out
	})
}

// A globber walks the folders of a pattern.
type globber struct {
	*look
	found []string
	// left counts the remaining looks of limit; over is the deadline.
	left  *int
	limit int
	over  time.Time
	// folders holds the folders that were read, by their path in the pattern.
	folders map[string]*listing
	// unseen is the first reason why a place was left out.
	unseen error
}

// A listing holds the names in a folder.
type listing struct {
	names []string
	err   error
}

// omit records why a place is left out.
func (g *globber) omit(err error) {
	if g.unseen == nil {
		g.unseen = err
	}
}

// spend takes n looks from those that are left, or records why it cannot.
func (g *globber) spend(n int) bool {
	switch {
	case *g.left < n:
		g.omit(fmt.Errorf("%w: more than %d entries", ErrLimit, g.limit))
	case time.Now().After(g.over):
		g.omit(fmt.Errorf("%w: it took longer than %v", ErrLimit, locateTime))
	default:
		*g.left -= n
		return true
	}
	return false
}

func (g *globber) walk(dir string, segments []string) {
	if len(segments) == 0 {
		g.take(dir)
		return
	}
	special := strings.IndexAny(segments[0], `*?[\`)
	if special < 0 {
		g.walk(inside(dir, segments[0]), segments[1:])
		return
	}
	var names []string
	for _, name := range g.names(dir) {
		if strings.HasPrefix(name, segments[0][:special]) && matchSegment(segments[0], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		g.walk(inside(dir, name), segments[1:])
	}
}

// take adds a path if it exists.
func (g *globber) take(path string) {
	folder, err := g.real(filepath.Dir(path))
	if err == nil && (kernelFilled(folder) || !g.spend(1)) {
		return
	}
	if err == nil {
		err = g.lstat(folder, path, new(unix.Stat_t))
	}
	switch {
	case err != nil && !notThere(err):
		g.omit(err)
	case err != nil:
	case len(g.found) >= globMatches:
		g.omit(fmt.Errorf("%w: more than %d paths match", ErrLimit, globMatches))
	default:
		g.found = append(g.found, path)
	}
}

// kernelFilled reports whether a real path is in a folder of the kernel. /proc/*/exe would
// match every running program.
func kernelFilled(real string) bool {
	return below(real, "/proc") || below(real, "/sys") || below(real, "/dev")
}

// names returns the names in a folder, as far as looks are left.
func (g *globber) names(dir string) []string {
	f, read := g.folders[dir]
	if !read {
		f = g.list(dir)
		g.folders[dir] = f
	}
	if f.err != nil && !notThere(f.err) {
		g.omit(f.err)
	}
	n := min(len(f.names), *g.left)
	if n < len(f.names) {
		g.spend(len(f.names))
	}
	if !g.spend(n) {
		return nil
	}
	return f.names[:n]
}

// list lists a folder, at most once in a round.
func (g *globber) list(dir string) *listing {
	f, listed := g.seen.folders.get(dir)
	if !listed {
		f = g.read(dir)
		if f.err == nil || notThere(f.err) {
			g.seen.listed(dir, f)
		}
	}
	return f
}

// read lists a folder up to one entry beyond LocateLimit.
func (g *globber) read(dir string) *listing {
	real, err := g.look.real(dir)
	if err != nil {
		return &listing{err: err}
	}
	if kernelFilled(real) {
		return &listing{}
	}
	if err := g.enter(real); err != nil {
		return &listing{err: err}
	}
	f, err := os.OpenFile(real, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return &listing{err: err}
	}
	defer f.Close()
	names, err := f.Readdirnames(LocateLimit + 1)
	if err == io.EOF {
		err = nil
	}
	return &listing{names: names, err: err}
}
