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
	err = try(hostless, func(l *look) error {
		w := writeCheck{look: l, uid: uint32(os.Geteuid())}
		by := w.path(abs)
		switch {
		case errors.Is(w.err, fs.ErrNotExist): // removed since
			return &fs.PathError{Op: "stat", Path: path, Err: w.err}
		case by != "":
			return &UnprotectedError{Path: path, By: by}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Others cannot change the path, so this is the file that was checked.
	return Stat(abs)
}

// ProtectedPlace checks a path like Protected. If no file is there, it checks the nearest
// existing folder above. A link that leads to no file is an error that wraps fs.ErrNotExist.
func ProtectedPlace(path string) error {
	abs, err := absolute(path)
	if err != nil {
		return err
	}
	for {
		_, err := Protected(abs)
		if !errors.Is(err, fs.ErrNotExist) || abs == "/" || isLink(abs) {
			return err
		}
		abs = filepath.Dir(abs)
	}
}

func isLink(path string) bool {
	return try(hostless, func(l *look) bool {
		folder, err := l.follow("/", filepath.Dir(path), 0)
		if err != nil {
			return false
		}
		var st unix.Stat_t
		err = l.lstat(filepath.Join(folder, filepath.Base(path)), path, &st)
		return err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
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
