//go:build unix

package host

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// boot returns the identity of this boot, or "" if it is unknown.
var boot = sync.OnceValue(readBoot)

// SinceBoot returns the time since this machine was started. Setting the clock does not
// change it.
func SinceBoot() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(bootClock, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// FileStamp returns a text that changes if a file is changed or replaced, and the time of its
// last status change, which cannot be set back. The text includes what policies depend on:
// the mode and the owners. info is a result of Stat or Lstat; for others the text is empty.
func FileStamp(info fs.FileInfo) (text string, changed time.Time) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", time.Time{}
	}
	return fmt.Sprintf("%d %d %d %d %o %d %d %d", st.Dev, st.Ino, st.Size, info.ModTime().UnixNano(), st.Mode, st.Uid, st.Gid, changedAt(st)),
		time.Unix(0, changedAt(st))
}

// Fingerprint returns the fingerprint of a command, to which these belong: the boot, the user,
// the path, arguments and environment, the executable with its links, its folders and its
// interpreters, and the files that match the patterns in also, as in Locate. ok is false if
// something could not be looked at, or if the system does not identify its boot.
func (h *LocalHost) Fingerprint(inv Invocation, also ...string) (f Fingerprint, ok bool) {
	if boot() == "" {
		return f, false
	}
	env := h.environ(inv.Env)
	type answer struct {
		Fingerprint
		ok bool
	}
	a := Glance(h, func(h *LocalHost) answer {
		p := printer{host: h, sum: sha256.New(), ok: true}
		groups, _ := os.Getgroups()
		p.write("boot %q user %d %d %d\n", boot(), os.Geteuid(), os.Getegid(), groups)
		p.write("%q %q %q\n", inv.Path, inv.Args, slices.Sorted(slices.Values(env)))
		p.executable(inv.Path)
		for _, by := range h.Program(inv.Path).By {
			p.executable(by.Path)
		}
		located := h.Locate(LocateLimit, also...)
		p.ok = p.ok && len(located.Unseen) == 0
		for i, paths := range located.Paths {
			p.write("%q\n", also[i])
			for _, path := range paths {
				p.path(path)
			}
		}
		p.sum.Sum(p.Sum[:0])
		return answer{p.Fingerprint, p.ok}
	})
	return a.Fingerprint, a.ok
}

// A printer makes a fingerprint within a Glance.
type printer struct {
	Fingerprint
	host *LocalHost
	sum  hash.Hash
	ok   bool
}

func (p *printer) write(format string, args ...any) { fmt.Fprintf(p.sum, format, args...) }

// executable adds an executable with its folders.
func (p *printer) executable(path string) {
	c := p.path(path)
	for _, file := range []string{path, c.RealPath} {
		if folder := filepath.Dir(file); filepath.IsAbs(folder) {
			p.file(folder, os.Stat)
		}
	}
}

// path adds the file at a path and, if that is a link, the file that it leads to.
func (p *printer) path(path string) Candidate {
	c := p.host.Resolve(path)
	p.ok = p.ok && c.Unseen() == nil
	p.write("%q %q %q\n", c.Path, c.RealPath, c.Fault)
	if c.RealPath != "" {
		p.file(path, os.Lstat)
		p.file(c.RealPath, os.Stat)
	}
	return c
}

// file adds a file at a place that Resolve has looked at.
func (p *printer) file(path string, stat func(string) (fs.FileInfo, error)) {
	if err := p.host.within.enter(path); err != nil {
		p.ok = false
		return
	}
	info, err := stat(path)
	if err != nil {
		p.write("%q %v\n", path, err)
		return
	}
	text, changed := FileStamp(info)
	p.write("%q %s\n", path, text)
	if changed.After(p.Changed) {
		p.Changed = changed
	}
}
