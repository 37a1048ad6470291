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

// fileLimit bounds what ReadInstalled reads, in bytes.
const fileLimit = 64 << 10

// ErrNotRegular reports a file that is not regular. A FIFO would block its reader, and
// opening a device can have effects.
var ErrNotRegular = errors.New("not a regular file")

// ErrPrivate reports a file that not every user may read. Definitions name the files, and
// must not publish private ones.
var ErrPrivate = errors.New("not readable by everybody")

// ErrOutside reports a path that leads out of an installation.
var ErrOutside = errors.New("not inside the installation")

// An InstalledFile names a file of an installation.
type InstalledFile struct {
	// Executable is the real path of the installation's executable.
	Executable string
	// Path is relative to the executable's folder.
	Path string
	// Public requires that every user can reach the file, through all folders above.
	Public bool
}

// place returns the file's path. It must be inside the installation: the executable's
// folder or, if that is named bin, the folder above, as in /usr/lib/jvm/java-17/bin/java.
// Folders that many programs share are not installations.
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

// shared reports whether several programs share a folder: /usr, /opt, /etc and the like,
// home folders, and prefixes of package managers.
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
