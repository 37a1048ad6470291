//go:build unix

package host

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ReadInstalled returns the path and the first 64 KiB of a file of an installation. It must
// be a regular file that every user may read, and its path must not contain links. Errors
// wrap ErrOutside, ErrNotRegular, ErrPrivate or an error of the system.
func (h *LocalHost) ReadInstalled(file InstalledFile) (path string, data []byte, err error) {
	if path, err = file.place(h.home); err != nil {
		return path, nil, err
	}
	type answer struct {
		data []byte
		err  error
	}
	a := try(h, func(l *look) (a answer) {
		if err := l.enter(path); err != nil {
			return answer{nil, fmt.Errorf("read %s: %w", path, err)}
		}
		f, err := openWithoutLinks(path, file.Public)
		if err != nil {
			return answer{nil, fmt.Errorf("read %s: %w", path, err)}
		}
		defer f.Close()
		a.data, a.err = io.ReadAll(io.LimitReader(f, fileLimit))
		return a
	})
	return path, a.data, a.err
}

// openWithoutLinks opens a regular file by opening each folder of its path. It checks open
// files, which nothing can replace meanwhile.
func openWithoutLinks(path string, public bool) (*os.File, error) {
	folder, err := unix.Open("/", folderFlags|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(folder) }()
	names := splitSlash(path)
	for i, name := range names {
		var st unix.Stat_t
		if err := unix.Fstat(folder, &st); err != nil {
			return nil, err
		}
		if public && st.Mode&0o001 == 0 {
			return nil, fmt.Errorf("%w: %s is private", ErrPrivate, "/"+filepath.Join(names[:i]...))
		}
		if i == len(names)-1 {
			break
		}
		next, err := unix.Openat(folder, name, folderFlags|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		_ = unix.Close(folder)
		folder = next
	}
	return openRegular(folder, names[len(names)-1])
}

// openRegular opens a regular file in a folder. It checks the file before and after: opening
// a device can have effects, and the file may be replaced meanwhile.
func openRegular(folder int, name string) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(folder, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, err
	}
	if err := readable(&st); err != nil {
		return nil, err
	}
	// O_NONBLOCK: should it be a FIFO by now, opening it does not wait.
	fd, err := unix.Openat(folder, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = readable(&st)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func readable(st *unix.Stat_t) error {
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return ErrNotRegular
	case st.Mode&0o004 == 0:
		return ErrPrivate
	}
	return nil
}
