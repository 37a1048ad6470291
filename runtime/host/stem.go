package host

import (
	"path/filepath"
	"slices"
	"strings"
)

// Stem returns an executable's name without the version at its end, as LookupVersioned reads
// it: python for python3.13t.
func Stem(path string) string {
	name := filepath.Base(path)
	stem, ok := versioned(name)
	if !ok {
		stem = name
	}
	if trimmed := strings.TrimRight(stem, "0123456789.-"); trimmed != "" || !ok {
		return trimmed
	}
	return strings.TrimRight(name, "0123456789.-")
}

// versioned returns the part of a name before the version at its end. The version is digits
// and dots with one letter at most, may follow "-" or ".", and the name may be there twice
// before it: python3.12, php84, lua-5.1, python3.13t, ruby.ruby3.2. A preview counts as a
// version: pwsh-preview.
func versioned(name string) (stem string, ok bool) {
	stem, ok = strings.CutSuffix(name, "-preview")
	if !ok {
		stem = name
		if last := len(stem) - 1; last > 0 && isLetter(stem[last]) && isDigit(stem[last-1]) {
			stem = stem[:last]
		}
		base := strings.TrimRight(stem, "0123456789.")
		number, dotted := strings.CutPrefix(stem[len(base):], ".")
		if number == "" || !isDigit(number[0]) || !isDigit(number[len(number)-1]) || strings.Contains(number, "..") {
			return "", false
		}
		if stem = base; !dotted {
			stem = strings.TrimSuffix(base, "-")
		}
	}
	if half := len(stem) / 2; len(stem) > 2 && stem[half] == '.' && stem[:half] == stem[half+1:] {
		stem = stem[:half]
	}
	return stem, stem != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// versionedNames returns the versioned names among others by their stems, sorted.
func versionedNames(all []string) map[string][]string {
	names := map[string][]string{}
	for _, name := range all {
		if _, ok := versioned(name); ok {
			names[Stem(name)] = append(names[Stem(name)], name)
		}
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return names
}
