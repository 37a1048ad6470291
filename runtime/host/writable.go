//go:build unix

package host

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks bounds the links of a path, as in the kernel.
const maxLinks = 40

// Writable reports whether users other than root and the effective user could replace an
// executable, and by which file or folder. It checks the file, each link on the way to the
// real file, and all folders above them. The rules are those of sshd's StrictModes, with
// exceptions for usual systems:
//
//   - Each belongs to root or the effective user. One of them also serves the file
//     system if that is a FUSE one.
//   - Others cannot write it, and neither can a group.
//   - But a group may write it if it has no other members than these two, as in
//     Debian's /usr/local (root:staff 2775) and with umask 002.
//   - Everybody may write a folder with the sticky bit (/tmp, /nix/store), because only
//     the owner of a file in it can replace that file.
//
// Places that cannot be looked at count as writable, and so do /proc, /sys and /dev:
// /proc/1234/root is a link with the text /, but leads to the process's own mounts.
func (h *LocalHost) Writable(path string) (by string, bad bool) {
	by = try(h, func(l *look) string {
		w := writeCheck{look: l, uid: uint32(os.Geteuid())}
		return w.path(path)
	})
	if by != "" {
		return by, true
	}
	return "", false
}

// A writeCheck checks who can write the files of one path.
type writeCheck struct {
	look  *look
	uid   uint32
	links int
	err   error // of the place that cannot be looked at
}

// A step is a file, a folder or a link on the way to a file.
type step struct {
	link   bool
	target string // of a link
}

// path checks an absolute path with all its folders and links, and returns the first fault
// or "".
func (w *writeCheck) path(path string) (fault string) {
	if !filepath.IsAbs(path) {
		return fmt.Sprintf("%s is a relative path", path)
	}
	at := "/"
	if _, fault := w.one(at); fault != "" {
		return fault
	}
	if kernelFilled(path) {
		return fmt.Sprintf("%s is in a folder of the kernel, where a path can name another file for each process", path)
	}
	// Not cleaned: the kernel applies ".." after following a link.
	rest := splitSlash(path)
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		step, fault := w.one(next)
		if fault != "" {
			return fault
		}
		if !step.link {
			at = next
			continue
		}
		if w.links++; w.links > maxLinks {
			return fmt.Sprintf("%s leads through too many links", path)
		}
		if magicLink(at) {
			return fmt.Sprintf("%s is a link of the kernel, which does not lead where its text says", next)
		}
		if filepath.IsAbs(step.target) {
			at = "/"
		}
		rest = append(splitSlash(step.target), rest...)
	}
	return ""
}

// one checks one file, folder or link.
func (w *writeCheck) one(path string) (s step, fault string) {
	if s, ok := w.look.seen.closed.get(path); ok {
		return s, ""
	}
	var st unix.Stat_t
	err := w.look.lstat(path, path, &st)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		s.link = true
		s.target, err = w.look.readlink(path)
	}
	if err != nil {
		w.err = err
		return step{}, fmt.Sprintf("%s cannot be looked at (%v)", path, err)
	}
	if fault = w.open(path, &st); fault == "" {
		w.look.seen.closed.put(path, s)
	}
	return s, fault
}

// served returns the other user who serves the file system of a device, or "".
func (w *writeCheck) served(device uint64) (by string) {
	by, known := w.look.seen.served.get(device)
	if !known {
		by = servedByOther(device, uint64(w.uid))
		w.look.seen.served.put(device, by)
	}
	return by
}

// open returns which other user can change a file, folder or link, or "".
func (w *writeCheck) open(path string, st *unix.Stat_t) (fault string) {
	if by := w.served(uint64(st.Dev)); by != "" {
		return fmt.Sprintf("%s belongs to %s", path, by)
	}
	if st.Uid != 0 && st.Uid != w.uid {
		return fmt.Sprintf("%s belongs to %s", path, userName(st.Uid))
	}
	mode := uint32(st.Mode)
	kind := mode & unix.S_IFMT
	if kind == unix.S_IFLNK || kind == unix.S_IFDIR && mode&unix.S_ISVTX != 0 {
		return "" // a link's mode means nothing
	}
	if mode&0o002 != 0 {
		return fmt.Sprintf("%s can be written by everybody", path)
	}
	if mode&0o020 != 0 && (hasACL(path) || !w.private(st.Gid)) {
		return fmt.Sprintf("%s can be written by group %s", path, groupName(st.Gid))
	}
	return ""
}

// private reports whether a group has no members but root and the effective user. It reads
// this host's files; a group that they do not list may have any members.
func (w *writeCheck) private(gid uint32) bool {
	names := []string{"root", userName(w.uid)}
	id := strconv.FormatUint(uint64(gid), 10)
	listed := false
	others := false
	eachLine("/etc/group", func(f []string) {
		if len(f) < 4 || f[2] != id {
			return
		}
		listed = true
		for _, member := range strings.Split(f[3], ",") {
			others = others || member != "" && !slices.Contains(names, member)
		}
	})
	eachLine("/etc/passwd", func(f []string) {
		if len(f) >= 4 && f[3] == id {
			others = others || !slices.Contains(names, f[0])
		}
	})
	return listed && !others
}

// eachLine calls each with the fields of each line of a file such as /etc/passwd.
func eachLine(file string, each func(fields []string)) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		each(strings.Split(s.Text(), ":"))
	}
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "user " + id
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
