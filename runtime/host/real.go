package host

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// real returns where a clean absolute path leads to. It goes step by step and
// enters each step by its real path, so that a link into a file system that
// hangs is told from the folder where the link lies.
func (l *look) real(path string) (string, error) { return l.step(path, 0) }

func (l *look) step(path string, links int) (string, error) {
	if path == "/" {
		return path, nil
	}
	if real, ok := l.seen.reals.get(path); ok {
		return real.path, real.err
	}
	real, err := l.stepAnew(path, links)
	if err == nil || err == unix.ENOENT {
		l.seen.reals.put(path, realPlace{real, err})
	}
	return real, err
}

// realPlace is where a path leads to. An error is that there is nothing.
type realPlace struct {
	path string
	err  error
}

func (l *look) stepAnew(path string, links int) (string, error) {
	folder, err := l.step(filepath.Dir(path), links)
	if err != nil {
		return "", err
	}
	real := inside(folder, filepath.Base(path))
	target, err := l.readlink(real)
	switch {
	case err == nil && links >= maxLinks:
		return "", unix.ELOOP
	case err == nil:
		real, err = l.follow(folder, target, links+1)
	case err == unix.EINVAL: // no link
		err = nil
	}
	if err != nil {
		return "", err
	}
	return real, nil
}

// follow returns where a path leads to from a real folder. As in the kernel, ".."
// counts after links are followed.
func (l *look) follow(folder, path string, links int) (string, error) {
	if filepath.IsAbs(path) {
		folder = "/"
	}
	for _, name := range splitSlash(path) {
		var err error
		switch name {
		case ".":
		case "..":
			folder = filepath.Dir(folder)
		default:
			if folder, err = l.step(inside(folder, name), links); err != nil {
				return "", err
			}
		}
	}
	return folder, nil
}

func (l *look) readlink(path string) (string, error) {
	if err := l.enter(path); err != nil {
		return "", err
	}
	for size := 256; ; size *= 2 {
		buf := make([]byte, size)
		n, err := unix.Readlink(path, buf)
		if err != nil {
			return "", err
		}
		if n < size {
			return string(buf[:n]), nil
		}
	}
}

// lstat looks at a path that lies at or below place.
func (l *look) lstat(place, path string, st *unix.Stat_t) error {
	if err := l.enter(place); err != nil {
		return err
	}
	return unix.Lstat(path, st)
}

// notThere reports whether an error of a look says that there is nothing that this
// user could run. Any other error says nothing of what is there: a disk that
// fails, a server that is away.
func notThere(err error) bool {
	for _, absent := range []error{unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.EPERM, unix.ELOOP, unix.ENAMETOOLONG, unix.EINVAL} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
}
