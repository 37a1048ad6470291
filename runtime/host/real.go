//go:build unix

package host

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// real returns the real path of a clean absolute path. It enters each step by its real
// path, so that a Hang names the place behind a link and not the link's folder.
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

// A realPlace is the real path of a path, or the error that it does not exist.
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
	case err == unix.EINVAL: // not a link
		err = nil
	}
	if err != nil {
		return "", err
	}
	return real, nil
}

// follow returns the real path of a path in a real folder. As in the kernel, ".." applies
// after links are followed.
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

// lstat describes the file at a path that is at or below place.
func (l *look) lstat(place, path string, st *unix.Stat_t) error {
	if err := l.enter(place); err != nil {
		return err
	}
	return unix.Lstat(path, st)
}

// notThere reports whether an error means that this user has no file to run there. Other
// errors, such as those of a failing disk, leave that open.
func notThere(err error) bool {
	for _, absent := range []error{unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.EPERM, unix.ELOOP, unix.ENAMETOOLONG, unix.EINVAL} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
}

// realPath returns the real path of a path or, if that fails, the path.
func realPath(path string) string {
	return try(hostless, func(l *look) string {
		if real, err := l.real(filepath.Clean(path)); err == nil {
			return real
		}
		return path
	})
}
