package host

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
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
