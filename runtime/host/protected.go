package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// UnprotectedError is a path that somebody other than root and the effective
// user could change.
type UnprotectedError struct {
	// Path as it was asked for.
	Path string
	// By says which file or folder lets others in, and how: "/etc/x can be
	// written by everybody".
	By string
}

// Error says what to do, too.
func (e *UnprotectedError) Error() string {
	return e.By + "; it must be root's or your own (chown), and writable by nobody else (chmod go-w)"
}

// Protected returns the file or folder at path, links followed, if only root and
// the effective user can change what the path leads to. The rules are those of
// [LocalHost.Writable]: for the file, each link on the way and every folder above
// them. A relative path is one of the working directory.
//
// The error is an *UnprotectedError, or an *fs.PathError where the path leads to
// nothing or cannot be looked at. It wraps ErrHangs where something on the way does
// not answer.
func Protected(path string) (fs.FileInfo, error) {
	abs, err := absolute(path)
	if err != nil {
		return nil, err
	}
	if _, err := Stat(abs); err != nil {
		return nil, err
	}
	by := try(hostless, func(l *look) string {
		w := writeCheck{look: l, uid: uint32(os.Geteuid())}
		return w.path(abs)
	})
	if by != "" {
		return nil, &UnprotectedError{Path: path, By: by}
	}
	// Nobody else can change the path any more, so this is what was checked.
	return Stat(abs)
}

// ProtectedPlace is Protected for a file that need not exist: where it does not,
// the nearest folder above it that exists is checked.
func ProtectedPlace(path string) error {
	abs, err := absolute(path)
	if err != nil {
		return err
	}
	for !someAt(abs) && abs != "/" {
		abs = filepath.Dir(abs)
	}
	_, err = Protected(abs)
	return err
}

// someAt reports whether there is something at a path, be it a link to nothing or
// something that does not answer.
func someAt(path string) bool {
	return try(hostless, func(l *look) bool {
		folder, err := l.follow("/", filepath.Dir(path), 0)
		if err == nil {
			err = l.lstat(filepath.Join(folder, filepath.Base(path)), path, new(unix.Stat_t))
		}
		return err == nil || errors.Is(err, ErrHangs)
	})
}

// absolute is filepath.Abs that cleans nothing, as the kernel takes ".." after
// following a link, and that asks no file system for the working directory.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	dir, err := unix.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	return dir + "/" + path, nil
}

// OpenProtected opens the regular file at path for reading, if only root and the
// effective user can change it. Nothing is opened before that is known, and what
// is opened is the file that was checked.
//
// The error is that of Protected, or wraps ErrNotRegular.
func OpenProtected(path string) (*os.File, error) {
	checked, err := Protected(path)
	if err != nil {
		return nil, err
	}
	if !checked.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: %w", path, ErrNotRegular)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := SameProtected(path, checked, f); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// SameProtected returns an *UnprotectedError unless an open file is the one that
// Protected returned for path, with the mode that it had.
func SameProtected(path string, checked fs.FileInfo, f fs.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(checked, info) || info.Mode() != checked.Mode() {
		return &UnprotectedError{Path: path, By: path + " changed while it was opened"}
	}
	return nil
}
