package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// exposed says how others could change what lies at a path, or put something
// there; empty is that nobody can, or that the path is relative. It counts for root
// alone. Programs run what they find in the home folder and where a variable of a
// version manager leads: rustup's proxies the toolchain that is set there, erl the
// file .erlang.
func (h *LocalHost) exposed(path string) (by string) {
	if !h.info.Root || !filepath.IsAbs(path) {
		return ""
	}
	return try(h.looks, func(l *look) string {
		at := path
		for at != "/" {
			folder, err := l.follow("/", filepath.Dir(at), 0)
			if err == nil {
				err = l.lstat(folder, at, new(unix.Stat_t))
			}
			if !errors.Is(err, unix.ENOENT) {
				break
			}
			at = filepath.Dir(at)
		}
		w := writeCheck{look: l, uid: uint32(os.Geteuid())}
		return w.path(at)
	})
}

// passable reports whether commands may get a variable of the service's.
func (h *LocalHost) passable(name, value string) bool {
	return !holdsPassword(value) && h.withhold(name, value) == ""
}

// withhold is exposed for a variable, and notes what it finds.
func (h *LocalHost) withhold(name, value string) (by string) {
	if by = h.exposed(value); by == "" {
		return ""
	}
	text := fmt.Sprintf("%s=%s is not given to commands, which run as root: %s", name, value, by)
	h.withheldMu.Lock()
	defer h.withheldMu.Unlock()
	if !slices.Contains(h.withheld, text) {
		h.withheld = append(h.withheld, text)
	}
	return by
}

// Withheld says which variables commands do not get, because others can change what
// they lead to.
func (h *LocalHost) Withheld() []string {
	h.withheldMu.Lock()
	defer h.withheldMu.Unlock()
	return slices.Clone(h.withheld)
}
