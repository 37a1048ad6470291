package host

import (
	"errors"
	"path/filepath"
	"strings"
)

// ErrLimit is wrapped by the errors of patterns that exceed a limit of Locate.
var ErrLimit = errors.New("too much to look at")

// LocateLimit is the usual limit of Locate for folder entries and paths. It keeps patterns
// from searching whole disks.
const LocateLimit = 20_000

// globMatches is the greatest number of paths of one pattern.
const globMatches = 256

// A LocateResult is the result of Locate.
type LocateResult struct {
	// Paths holds the sorted paths of each pattern.
	Paths [][]string
	// Unseen holds the patterns that were not followed completely, each with the first
	// reason.
	Unseen []UnseenPattern
}

// An UnseenPattern is a pattern that may match more paths than were found.
type UnseenPattern struct {
	Pattern string
	// Err wraps ErrHangs if a folder does not answer, and ErrLimit if a limit was
	// exceeded.
	Err error
}

// expand returns an absolute, clean pattern. ok is false for a relative pattern, an unknown
// home, or a variable that is unset or no absolute path.
func expand(pattern, home string, vars map[string]string) (expanded string, ok bool) {
	begin, rest, _ := strings.Cut(pattern, "/")
	name, variable := strings.CutPrefix(begin, "$")
	folder := ""
	switch {
	case begin == "~":
		folder = home
	case variable && locates(name) && !holdsPassword(vars[name]):
		folder = vars[name]
	}
	if begin != "" {
		if !filepath.IsAbs(folder) {
			return "", false
		}
		pattern = EscapeGlob(filepath.Clean(folder)) + "/" + rest
	}
	if !filepath.IsAbs(pattern) {
		return "", false
	}
	return filepath.Clean(pattern), true
}

// EscapeGlob returns a pattern that matches only the path s.
func EscapeGlob(s string) string { return globEscapes.Replace(s) }

var globEscapes = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

func splitSlash(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// inside joins a clean path and a name.
func inside(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }

// matchSegment matches one name of a path with one segment of a pattern.
func matchSegment(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, err := filepath.Match(pattern, name)
	return err == nil && ok
}

// below reports whether a path is a folder or lies in it.
func below(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder) && path[len(folder)] == '/'
}
