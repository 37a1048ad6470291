package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// FileLimit is how many bytes of a file are read at most.
const FileLimit = 64 << 10

// ErrNotRegular reports that a file is not a regular one: a FIFO would block its
// reader, and opening a device can have effects.
var ErrNotRegular = errors.New("not a regular file")

// ErrPrivate reports that not everybody may read a file. Which file is read comes
// from a definition, so it must tell nobody anything new.
var ErrPrivate = errors.New("not readable by everybody")

// ErrOutside reports that a path leads out of an installation.
var ErrOutside = errors.New("not inside the installation")

// InstalledFile names a file of an installation.
type InstalledFile struct {
	// Executable is the real path of the installation's executable.
	Executable string
	// Path is relative to the executable's folder.
	Path string
	// Public: everybody must be able to reach it, so the folders above count.
	Public bool
}

// place is the file's path, inside the installation. The installation is the
// executable's folder; where that is named bin it is the folder above, as in
// /usr/lib/jvm/java-17/bin/java. A folder that many programs share is none.
func (f InstalledFile) place(home string) (string, error) {
	if !filepath.IsAbs(f.Executable) {
		return "", fmt.Errorf("read %s: %w: the executable's path is unknown", f.Path, ErrOutside)
	}
	folder := filepath.Dir(f.Executable)
	root := folder
	if filepath.Base(root) == "bin" {
		root = filepath.Dir(root)
	}
	path := filepath.Join(folder, f.Path)
	if shared(root, home) || filepath.IsAbs(f.Path) || !strings.HasPrefix(path, root+"/") {
		return "", fmt.Errorf("read %s: %w of %s", path, ErrOutside, f.Executable)
	}
	return path, nil
}

// shared reports whether a folder is no installation's own: /usr, /opt, /etc and
// their like, a home folder, and the prefixes that package managers and people
// fill with programs of all kinds.
func shared(folder, home string) bool {
	switch above := filepath.Dir(folder); {
	case above == "/", folder == "/", slices.Contains(homes, above), filepath.Base(folder) == ".local":
		return true
	case home != "" && (folder == home || strings.HasPrefix(home, folder+"/")):
		return true
	}
	switch folder {
	case "/usr/local", "/usr/pkg", "/opt/local", "/opt/homebrew", "/home/linuxbrew/.linuxbrew", "/run/current-system/sw":
		return true
	}
	return false
}

// ReadInstalled reads the beginning of a file of an installation, FileLimit bytes
// at most, and returns where it lies. It must be a regular file that everybody
// may read, and no part of its path may be a link. Its errors wrap ErrOutside,
// ErrNotRegular, ErrPrivate or the system's.
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
		a.data, a.err = io.ReadAll(io.LimitReader(f, FileLimit))
		return a
	})
	return path, a.data, a.err
}

// openWithoutLinks opens a regular file by one folder after the other. What is
// checked is what is open, so nothing can take its place meanwhile.
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

// openRegular opens a file of a folder. It looks before and after: opening a
// device can have effects, and the file may have been exchanged meanwhile.
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
