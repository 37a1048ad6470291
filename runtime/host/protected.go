//go:build unix

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Protected returns the file or folder at path, following links, if only root and the
// effective user can change it. It applies the rules of [LocalHost.Writable] to the file,
// to each link on the way and to the folders above them.
//
// The error is an *UnprotectedError, or an *fs.PathError if there is no file or it cannot
// be looked at. It wraps ErrHangs if a place on the way does not answer.
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
	// Others cannot change the path, so this is the file that was checked.
	return Stat(abs)
}

// ProtectedPlace checks a path like Protected. If no file is there, it checks the nearest
// existing folder above.
func ProtectedPlace(path string) error {
	abs, err := absolute(path)
	if err != nil {
		return err
	}
	for !exists(abs) && abs != "/" {
		abs = filepath.Dir(abs)
	}
	_, err = Protected(abs)
	return err
}

// exists reports whether there is a file at a path, including a dangling link and a place
// that does not answer.
func exists(path string) bool {
	return try(hostless, func(l *look) bool {
		folder, err := l.follow("/", filepath.Dir(path), 0)
		if err == nil {
			err = l.lstat(filepath.Join(folder, filepath.Base(path)), path, new(unix.Stat_t))
		}
		return err == nil || errors.Is(err, ErrHangs)
	})
}

// absolute returns an absolute path. Unlike filepath.Abs it does not clean the path, since
// the kernel applies ".." after following a link, and does not look at a file system.
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

// OpenProtected opens the regular file at path for reading, if only root and the effective
// user can change it. It checks the file before it opens it, and that it opened the checked
// file. The error is that of Protected, or wraps ErrNotRegular.
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
		_ = f.Close() // opened for reading only
		return nil, err
	}
	return f, nil
}
