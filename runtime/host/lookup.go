//go:build unix

package host

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Lookup returns the candidates for binary in the order of PATH, or for an absolute path.
// Files that cannot be run, and those in folders that cannot be looked at, have a Fault. A
// folder that is in PATH twice, even through a link, counts once. A relative path has no
// candidates.
func (h *LocalHost) Lookup(binary string) []Candidate {
	if filepath.IsAbs(binary) {
		if c := h.Resolve(binary); c.Fault != FaultNotFound {
			return []Candidate{c}
		}
		return nil
	}
	if !isName(binary) {
		return nil
	}
	folders := h.folders()
	return try(h, func(l *look) []Candidate { return h.lookup(l, folders, binary) })
}

func (h *LocalHost) lookup(l *look, folders []pathFolder, binary string) []Candidate {
	var found []Candidate
	var hits []fs.FileInfo
	for _, f := range folders {
		path := f.dir + "/" + binary
		var st unix.Stat_t
		err := f.err
		if err == nil {
			// Most names are in none of the folders, and lstat is their only call.
			err = l.lstat(f.real, path, &st)
		}
		switch {
		case err == nil:
		case notThere(err):
			continue
		default:
			found = append(found, unseen(path, err))
			continue
		}
		l.seen.reals.put(f.dir, realPlace{path: f.real})
		// Folders are compared only for hits: /bin and /usr/bin are often one.
		if info, err := os.Stat(f.dir); err == nil {
			if sameAny(info, hits) {
				continue
			}
			hits = append(hits, info)
		}
		found = append(found, h.candidate(l, path, &st))
	}
	return found
}

// A pathFolder is a folder of PATH and its real path.
type pathFolder struct {
	dir, real string
	// err is the reason why it cannot be looked at.
	err error
}

// pathFolders caches the folders of PATH.
type pathFolders struct {
	mu      sync.Mutex
	folders []pathFolder
	at      time.Time
}

// foldersAge is the time for which the real paths of PATH's folders are cached.
const foldersAge = time.Second

// folders returns the folders of PATH. It looks at all of them concurrently, so that
// several that hang take no longer than one.
func (h *LocalHost) folders() []pathFolder {
	if h.within != nil {
		return h.within.path
	}
	h.path.mu.Lock()
	defer h.path.mu.Unlock()
	if h.path.folders != nil && time.Since(h.path.at) < foldersAge {
		return h.path.folders
	}
	folders := make([]pathFolder, len(h.info.Path))
	var all sync.WaitGroup
	for i, dir := range h.info.Path {
		all.Go(func() {
			folders[i] = try(h, func(l *look) pathFolder {
				real, err := l.real(dir)
				if err == nil {
					err = l.lstat(real, real, new(unix.Stat_t))
				}
				if err == nil || notThere(err) {
					return pathFolder{dir: dir, real: cmp.Or(real, dir)}
				}
				return pathFolder{dir: dir, err: err}
			})
		})
	}
	all.Wait()
	if !isClosed(h.over) { // else they may not have been looked at
		h.path.folders, h.path.at = folders, time.Now()
	}
	return folders
}

// Resolve returns the candidate at an absolute path. Without a file there it has the Fault
// FaultNotFound.
func (h *LocalHost) Resolve(path string) Candidate {
	if !filepath.IsAbs(path) {
		return Candidate{Path: path, Fault: faultRelative}
	}
	return try(h, func(l *look) Candidate {
		// The folder comes first, so that a place that hangs is named.
		folder, err := l.follow("/", filepath.Dir(path), 0)
		var st unix.Stat_t
		if err == nil {
			err = l.lstat(folder, path, &st)
		}
		switch {
		case err == nil:
			return h.candidate(l, path, &st)
		case notThere(err):
			return Candidate{Path: path, Fault: FaultNotFound}
		}
		return unseen(path, err)
	})
}

// Stat describes the file at an absolute path, following links. The error wraps ErrHangs
// if a place on the way does not answer.
func (h *LocalHost) Stat(path string) (fs.FileInfo, error) {
	type answer struct {
		info fs.FileInfo
		err  error
	}
	a := try(h, func(l *look) (a answer) {
		a.info, a.err = l.stat(path)
		return a
	})
	return a.info, a.err
}

// Stat returns the result of os.Stat. If a place on the way does not answer, it returns an
// error that wraps ErrHangs.
func Stat(path string) (fs.FileInfo, error) {
	abs, err := absolute(path)
	if err != nil {
		return nil, err
	}
	return hostless.Stat(abs)
}

func (l *look) stat(path string) (fs.FileInfo, error) {
	real, err := l.follow("/", path, 0)
	if err == nil {
		err = l.enter(real)
	}
	if errors.Is(err, ErrHangs) || err == errAbandoned {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	// The text of the kernel's links (/proc/PID/fd/3) may lead nowhere.
	return os.Stat(path)
}

func sameAny(info fs.FileInfo, others []fs.FileInfo) bool {
	for _, o := range others {
		if os.SameFile(info, o) {
			return true
		}
	}
	return false
}

// candidate returns the candidate at a path for which lstat succeeded.
func (h *LocalHost) candidate(l *look, path string, st *unix.Stat_t) Candidate {
	c := Candidate{Path: path}
	real, err := l.follow("/", path, 0)
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if err == nil {
			err = l.lstat(real, real, st)
		}
		switch {
		case err == nil:
		case notThere(err):
			c.Fault = danglingFault(path, err)
			return c
		default:
			return unseen(path, err)
		}
	}
	if err == nil {
		c.RealPath = behindHardLink(real, st)
	}
	c.Fault = fileFault(path, uint32(st.Mode))
	if c.Fault == "" {
		c.Fault = stubFault(h.info.OS, c.Path, c.RealPath)
	}
	switch base := filepath.Base(c.RealPath); {
	case c.Fault != "":
	case base == "julialauncher" && !h.hasJulia(l):
		c.Fault = FaultInstaller
	case base == "hermit" && filepath.Base(path) != "hermit":
		c.Fault = FaultHermit
	}
	return c
}

// hasJulia reports whether juliaup has been set up for this user.
func (h *LocalHost) hasJulia(l *look) bool {
	depot := filepath.Join(h.home, ".julia")
	for _, variable := range h.base { // as the launcher will see it
		if value, ok := strings.CutPrefix(variable, "JULIAUP_DEPOT_PATH="); ok {
			depot = value
		}
	}
	_, err := l.stat(filepath.Join(depot, "juliaup", "juliaup.json"))
	return err == nil
}

// behindHardLink returns the path of rustup if the file is a hard link to it in the same
// folder, and otherwise the path. rustup's installer makes such proxies if it may not make
// symbolic links.
func behindHardLink(path string, st *unix.Stat_t) string {
	if st.Nlink < 2 || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return path
	}
	rustup := filepath.Join(filepath.Dir(path), "rustup")
	var other unix.Stat_t
	if unix.Lstat(rustup, &other) == nil && other.Dev == st.Dev && other.Ino == st.Ino {
		return rustup
	}
	return path
}

func danglingFault(path string, err error) string {
	target, _ := os.Readlink(path)
	switch err {
	case unix.ENOENT, unix.ENOTDIR:
		return danglingPrefix + target
	case unix.ELOOP:
		return danglingPrefix + target + ", which leads back to it"
	}
	return fmt.Sprintf("%s%s, which cannot be followed: %v", danglingPrefix, target, err)
}

func fileFault(path string, mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return faultDirectory
	default:
		return faultNotRegular
	}
	// To access(2) root may execute everything, but execve requires an x bit.
	if mode&0o111 == 0 || unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) != nil {
		return FaultNotExecutable
	}
	return ""
}

// stubs lists programs of macOS that exist without the runtime of that name.
var stubs = map[string]bool{
	"/usr/bin/java":    true,
	"/usr/bin/javac":   true,
	"/usr/bin/python3": true,
	"/usr/bin/pip3":    true,
}

func stubFault(goos string, paths ...string) string {
	if goos != "darwin" {
		return ""
	}
	for _, p := range paths {
		if stubs[p] {
			return FaultStub
		}
	}
	return ""
}
