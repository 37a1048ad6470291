package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Lookup is every place where binary is found, in the order of PATH; for an
// absolute path it is that path alone. Places that cannot be run are listed
// with their Fault, so that "not executable" is told from "not found". A folder
// that PATH names twice, be it through a link, counts once. A relative path is
// never found.
func (h *LocalHost) Lookup(binary string) []Candidate {
	if filepath.IsAbs(binary) {
		if c, ok := h.candidate(binary); ok {
			return []Candidate{c}
		}
		return nil
	}
	if !isName(binary) {
		return nil
	}
	var found []Candidate
	var folders []fs.FileInfo
	for _, dir := range h.info.Path {
		c, ok := h.candidate(dir + "/" + binary)
		if !ok {
			continue
		}
		// Only hits pay for telling whether two folders are one, as /bin and
		// /usr/bin are on most systems.
		if info, err := os.Stat(dir); err == nil {
			if sameAny(info, folders) {
				continue
			}
			folders = append(folders, info)
		}
		found = append(found, c)
	}
	return found
}

// Resolve looks at one absolute path. A path where nothing is has the Fault
// FaultNotFound.
func (h *LocalHost) Resolve(path string) Candidate {
	if c, ok := h.candidate(path); ok {
		return c
	}
	return Candidate{Path: path, Fault: FaultNotFound}
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
	// FaultStub: running it would open an installer's window.
	FaultStub = "is a stub of macOS that opens an installer instead of answering"
)

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

// candidate looks at path; ok is false when nothing is there.
func (h *LocalHost) candidate(path string) (c Candidate, ok bool) {
	c = Candidate{Path: path}
	if !filepath.IsAbs(path) {
		c.Fault = FaultNotRelative
		return c, true
	}
	// lstat first: of many names most are in none of the folders, and this is
	// the one call that they cost.
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return c, false
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if err := unix.Stat(path, &st); err != nil {
			c.Fault = danglingFault(path, err)
			return c, true
		}
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		c.RealPath = behindHardLink(real, &st)
	}
	c.Fault = fileFault(path, uint32(st.Mode))
	if c.Fault == "" {
		c.Fault = stubFault(h.info.OS, c.Path, c.RealPath)
	}
	return c, true
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
