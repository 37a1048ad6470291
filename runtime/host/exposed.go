package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

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
	return try(h, func(l *look) string {
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
	h.withheld.add(text)
	return by
}

// withheld are the variables that commands do not get.
type withheld struct {
	mu    sync.Mutex
	texts []string
}

func (w *withheld) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Withheld says which variables commands do not get, because others can change what
// they lead to.
func (h *LocalHost) Withheld() []string {
	h.withheld.mu.Lock()
	defer h.withheld.mu.Unlock()
	return slices.Clone(h.withheld.texts)
}
