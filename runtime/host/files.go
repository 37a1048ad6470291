package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds of Glob.
const (
	globMatches = 256    // paths given
	globEntries = 20_000 // folder entries looked at
)

// Glob is the existing paths that match an absolute pattern of path.Match,
// sorted. A leading ~/ is the home folder. As in a shell, a wildcard does not
// match a leading dot. Folders in which the kernel shows processes and devices
// are not looked into. At most 256 paths are given, and the search ends after
// 20,000 folder entries: a pattern is no way to search a disk. A pattern that is
// malformed or relative matches nothing.
func (h *LocalHost) Glob(pattern string) []string { return h.Globs(pattern)[0] }

// Globs is Glob of each of the patterns. A folder that several of them lead to is
// read once.
func (h *LocalHost) Globs(patterns ...string) [][]string {
	found, folders := make([][]string, len(patterns)), map[string][]string{}
	for i, pattern := range patterns {
		if pattern, ok := expandHome(pattern, h.home); ok {
			g := globber{left: globEntries, folders: folders}
			g.walk("/", splitSlash(pattern))
			slices.Sort(g.found)
			found[i] = g.found
		}
	}
	return found
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
func EscapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

func splitSlash(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// globber walks the folders that a pattern leads to.
type globber struct {
	found []string
	left  int // folder entries that may still be looked at
	// folders are the names in those that were read.
	folders map[string][]string
}

func (g *globber) walk(dir string, segments []string) {
	if len(g.found) >= globMatches || g.left <= 0 {
		return
	}
	if len(segments) == 0 {
		if _, err := os.Lstat(dir); err == nil && !kernelFolder(filepath.Dir(dir)) {
			g.found = append(g.found, dir)
		}
		return
	}
	if !strings.ContainsAny(segments[0], `*?[\`) {
		g.walk(filepath.Join(dir, segments[0]), segments[1:])
		return
	}
	var names []string
	for _, name := range g.names(dir) {
		if matchSegment(segments[0], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		g.walk(filepath.Join(dir, name), segments[1:])
	}
}

// kernelFolder reports whether a folder is, or is in, one that the kernel fills:
// /proc/*/exe would be every program that runs.
func kernelFolder(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	return err == nil && kernelFilled(real)
}

// kernelFilled reports whether a path is that of such a folder, or below it.
func kernelFilled(path string) bool {
	for _, top := range []string{"/proc", "/sys", "/dev"} {
		if path == top || strings.HasPrefix(path, top+"/") {
			return true
		}
	}
	return false
}

// names are those in a folder, as far as they may still be looked at.
func (g *globber) names(dir string) []string {
	names, read := g.folders[dir]
	if !read {
		names = namesIn(dir)
		g.folders[dir] = names
	}
	names = names[:min(len(names), g.left)]
	g.left -= len(names)
	return names
}

func namesIn(dir string) []string {
	if kernelFolder(dir) {
		return nil
	}
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(globEntries)
	return names
}

// matchSegment matches one name of a path with one segment of a pattern.
func matchSegment(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, err := filepath.Match(pattern, name)
	return err == nil && ok
}
