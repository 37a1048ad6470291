//go:build unix

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

// exposed returns how other users could change the file at a path or create one there, or
// "". It checks absolute paths, and only if the effective user is root. Programs execute
// files in the home folder and at paths in version managers' variables: rustup's proxies
// run a toolchain there, and erl runs .erlang.
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

// passable reports whether commands may get a variable of this process.
func (h *LocalHost) passable(name, value string) bool {
	return !holdsPassword(value) && h.withhold(name, value) == ""
}

// withhold returns how a variable's path is exposed, or "", and records it.
func (h *LocalHost) withhold(name, value string) (by string) {
	if by = h.exposed(value); by == "" {
		return ""
	}
	text := fmt.Sprintf("%s=%s is not passed to commands, which run as root: %s", name, value, by)
	h.withheld.add(text)
	return by
}

// A withheldLog collects messages about variables that commands do not get.
type withheldLog struct {
	mu    sync.Mutex
	texts []string
}

func (w *withheldLog) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Withheld returns messages about variables that commands do not get because other users
// can change the files at their values.
func (h *LocalHost) Withheld() []string {
	h.withheld.mu.Lock()
	defer h.withheld.mu.Unlock()
	return slices.Clone(h.withheld.texts)
}
