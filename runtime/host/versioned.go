//go:build unix

package host

import (
	"golang.org/x/sys/unix"
)

// LookupVersioned returns the candidates in the folders of PATH whose names are binary's
// with a version behind it, sorted by name in each folder. It leaves out hard links to a
// candidate and to binary itself, as with perl and perl5.36.0.
func (h *LocalHost) LookupVersioned(binary string) []Candidate {
	if !isName(binary) {
		return nil
	}
	folders := h.folders()
	return try(h, func(l *look) (found []Candidate) {
		linked, done := map[[2]uint64]bool{}, map[string]bool{}
		for _, f := range folders {
			if f.err != nil || done[f.real] {
				continue
			}
			done[f.real] = true
			for _, name := range append([]string{binary, Stem(binary)}, l.versionedIn(f.real)[Stem(binary)]...) {
				path := f.dir + "/" + name
				var st unix.Stat_t
				if l.lstat(f.real, path, &st) != nil {
					continue
				}
				file := [2]uint64{uint64(st.Dev), st.Ino}
				other := st.Nlink > 1 && linked[file]
				if st.Mode&unix.S_IFMT == unix.S_IFREG {
					linked[file] = true
				}
				if _, is := versioned(name); is && name != binary && !other {
					found = append(found, h.candidate(l, path, &st))
				}
			}
		}
		return found
	})
}

// versionedIn returns the versioned names in a real folder by their stems.
func (l *look) versionedIn(dir string) map[string][]string {
	if names, ok := l.seen.versioned.get(dir); ok {
		return names
	}
	names := versionedNames((&globber{look: l}).list(dir).names)
	l.seen.versioned.put(dir, names)
	return names
}
