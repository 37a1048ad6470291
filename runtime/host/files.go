package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of Locate.
const (
	globMatches = 256 // paths of one pattern
	// locateTime is how long Locate goes on. It is checked between looks, each of
	// which has patience.
	locateTime = 5 * time.Second
)

// ErrLimit is wrapped by the errors of patterns that lead to more than Locate looks
// at.
var ErrLimit = errors.New("too much to look at")

// LocateLimit is how many folder entries and paths Locate looks at where nobody
// says less: a pattern is no way to search a disk.
const LocateLimit = 20_000

// Located is what patterns show.
type Located struct {
	// Paths are those of each pattern, sorted.
	Paths [][]string
	// Unseen are the patterns that were not followed everywhere, each with the
	// first reason.
	Unseen []Unseen
}

// Unseen is a pattern that may match more than was seen.
type Unseen struct {
	Pattern string
	// Err wraps ErrHangs where a folder does not answer, and ErrLimit where there is
	// too much to look at.
	Err error
}

// Glob is Locate of one pattern, without what was left out.
func (h *LocalHost) Glob(pattern string) []string {
	return h.Locate(LocateLimit, pattern).Paths[0]
}

// Locate finds the existing paths that match absolute patterns of path.Match. A
// leading ~/ is the home folder. As in a shell, a wildcard does not match a
// leading dot. Folders in which the kernel shows processes and devices are not
// looked into. A pattern that is malformed or relative matches nothing.
//
// It looks at no more than limit folder entries and paths for all patterns
// together, for 5 s, and finds 256 paths of each. Every pattern is followed into
// the folders that hang or cannot be read no further.
func (h *LocalHost) Locate(limit int, patterns ...string) Located {
	if h.within == nil {
		h.looks.locating <- struct{}{}
		defer func() { <-h.looks.locating }()
	}
	over := time.Now().Add(locateTime)
	return try(h, func(l *look) Located {
		out := Located{Paths: make([][]string, len(patterns))}
		left, folders := limit, map[string]*listing{}
		for i, pattern := range patterns {
			clean, ok := expandHome(pattern, h.home)
			if !ok {
				continue
			}
			g := globber{look: l, left: &left, limit: limit, over: over, folders: folders}
			g.walk("/", splitSlash(clean))
			slices.Sort(g.found)
			out.Paths[i] = g.found
			if g.unseen != nil {
				out.Unseen = append(out.Unseen, Unseen{pattern, g.unseen})
			}
		}
		return out
	})
}

// expandHome makes pattern absolute and clean; ok is false where that cannot
// be.
func expandHome(pattern, home string) (string, bool) {
	if pattern == "~" || strings.HasPrefix(pattern, "~/") {
		if home == "" {
			return "", false
		}
		pattern = EscapeGlob(home) + pattern[1:]
	}
	if !filepath.IsAbs(pattern) {
		return "", false
	}
	return filepath.Clean(pattern), true
}

// EscapeGlob makes a pattern that matches a path and nothing else.
func EscapeGlob(s string) string { return globEscapes.Replace(s) }

var globEscapes = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func splitSlash(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// globber walks the folders that a pattern leads to.
type globber struct {
	*look
	found []string
	// left is what may still be looked at, of limit, until over.
	left  *int
	limit int
	over  time.Time
	// folders are those that were read, by the path that led there.
	folders map[string]*listing
	// unseen is the first reason why something was left out.
	unseen error
}

// listing is what a folder holds.
type listing struct {
	names []string
	err   error
}

// omit notes why something is left out.
func (g *globber) omit(err error) {
	if g.unseen == nil {
		g.unseen = err
	}
}

// may takes n looks from what is left, or notes why there are none.
func (g *globber) may(n int) bool {
	switch {
	case *g.left < n:
		g.omit(fmt.Errorf("%w: more than %d entries", ErrLimit, g.limit))
	case time.Now().After(g.over):
		g.omit(fmt.Errorf("%w: it takes longer than %v", ErrLimit, locateTime))
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

// inside is filepath.Join of a clean path and a name.
func inside(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }

// take adds a path if it exists.
func (g *globber) take(path string) {
	folder, err := g.real(filepath.Dir(path))
	if err == nil && (kernelFilled(folder) || !g.may(1)) {
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

// kernelFilled reports whether a real path is, or is in, a folder that the kernel
// fills: /proc/*/exe would be every program that runs.
func kernelFilled(real string) bool {
	return below(real, "/proc") || below(real, "/sys") || below(real, "/dev")
}

// names are those in a folder, as far as they may still be looked at.
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
		g.may(len(f.names))
	}
	if !g.may(n) {
		return nil
	}
	return f.names[:n]
}

// list lists a folder, if that was not done in this round.
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

// read lists a folder, one entry more than anybody may look at.
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

// matchSegment matches one name of a path with one segment of a pattern.
func matchSegment(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, err := filepath.Match(pattern, name)
	return err == nil && ok
}
