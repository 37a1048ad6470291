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

// Lookup is every place where binary is found, in the order of PATH; for an
// absolute path it is that path alone. Places that cannot be run are listed
// with their Fault, so that "not executable" is told from "not found"; so are
// places in folders that cannot be looked at. A folder that PATH names twice, be
// it through a link, counts once. A relative path is never found.
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
			// lstat first: of many names most are in none of the folders, and this
			// is the one call that they cost.
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
		// Only hits pay for telling whether two folders are one, as /bin and
		// /usr/bin are on most systems.
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

// pathFolder is a folder of PATH, and where it really is.
type pathFolder struct {
	dir, real string
	// err is why it cannot be looked at.
	err error
}

// pathFolders are the folders of PATH, as they were at a time.
type pathFolders struct {
	mu      sync.Mutex
	folders []pathFolder
	at      time.Time
}

// foldersAge is how long it counts where the folders of PATH really are.
const foldersAge = time.Second

// folders looks at the folders of PATH, all at once, so that several that hang take
// no longer than one.
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
	h.path.folders, h.path.at = folders, time.Now()
	return folders
}

// Resolve looks at one absolute path. A path where nothing is has the Fault
// FaultNotFound.
func (h *LocalHost) Resolve(path string) Candidate {
	if !filepath.IsAbs(path) {
		return Candidate{Path: path, Fault: FaultNotRelative}
	}
	return try(h, func(l *look) Candidate {
		// Where the folder really is comes first, so that what hangs is named.
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

// Stat describes the file at an absolute path, or what a link there leads to. Where
// that hangs, the error wraps ErrHangs.
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

// Stat is os.Stat, except that its error wraps ErrHangs where something on the way
// does not answer: os.Stat would not return.
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
	if errors.Is(err, ErrHangs) || err == errGivenUp {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	// Of links of the kernel's (/proc/PID/fd/3), the text leads nowhere.
	return os.Stat(path)
}

// Faults of a candidate. Others are sentences of their own.
const (
	FaultNotFound      = "not found"
	FaultDirectory     = "is a directory"
	FaultNotRegular    = "is not a regular file"
	FaultNotExecutable = "is not executable"
	FaultNotRelative   = "is a relative path"
	// danglingPrefix begins the fault of a link that leads to no file.
	danglingPrefix = "is a dangling link to "
	// These begin the fault of what could not be looked at.
	unseenPrefix = "cannot be looked at: "
	hangsPrefix  = "cannot be reached: "
	// FaultStub: running it would open an installer's window.
	FaultStub = "is a stub of macOS that opens an installer instead of answering"
)

// unseen is a candidate that could not be looked at.
func unseen(path string, err error) Candidate {
	prefix := unseenPrefix
	if errors.Is(err, ErrHangs) {
		prefix = hangsPrefix
	}
	return Candidate{Path: path, Fault: prefix + err.Error()}
}

// Unseen returns why the candidate could not be looked at: it may be an executable,
// or not be there at all. The error wraps ErrHangs where nothing answers. It is nil
// for every other candidate.
func (c Candidate) Unseen() error {
	switch {
	case strings.HasPrefix(c.Fault, hangsPrefix):
		return unseenError{c.Path + " " + c.Fault, ErrHangs}
	case strings.HasPrefix(c.Fault, unseenPrefix):
		return unseenError{c.Path + " " + c.Fault, nil}
	}
	return nil
}

// unseenError is the error behind the fault of a candidate, which may come from a
// recording.
type unseenError struct {
	text  string
	cause error
}

func (e unseenError) Error() string { return e.text }
func (e unseenError) Unwrap() error { return e.cause }

func isName(binary string) bool {
	return binary != "" && binary != "." && binary != ".." && !strings.ContainsAny(binary, "/\x00")
}

func sameAny(info fs.FileInfo, others []fs.FileInfo) bool {
	for _, o := range others {
		if os.SameFile(info, o) {
			return true
		}
	}
	return false
}

// candidate looks at a path where lstat found something.
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
	return c
}

// behindHardLink is rustup where a file is a hard link to it in the same folder:
// where its installer may not make links, that is how it makes its proxies.
// Other programs' hard links have no name that is more real than the others.
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
		return FaultDirectory
	default:
		return FaultNotRegular
	}
	// Root may "execute" by access(2) what has any x bit; without one execve
	// refuses him as well. The effective user is the one who will run it.
	if mode&0o111 == 0 || unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) != nil {
		return FaultNotExecutable
	}
	return ""
}

// stubs are programs of macOS that exist without the runtime they are named
// for.
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
