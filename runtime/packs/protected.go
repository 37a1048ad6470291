package packs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/attune-go/attune/runtime/host"
)

// openDir opens the folder of a pack.
func openDir(dir string, cfg Config) (fs.FS, io.Closer, error) {
	if cfg.Protected {
		if _, err := host.Protected(dir); err != nil {
			return nil, nil, err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	if cfg.Protected {
		return protectedFS{root.FS(), dir}, root, nil
	}
	return root.FS(), root, nil
}

// A protectedFS is a folder that refuses to read what others could change.
type protectedFS struct {
	files fs.FS
	dir   string
}

func (p protectedFS) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

// Open opens a file that only root and the effective user can change.
func (p protectedFS) Open(name string) (fs.File, error) {
	checked, err := host.Protected(p.path(name))
	if err != nil {
		return nil, err
	}
	f, err := p.files.Open(name)
	if err != nil {
		return nil, err
	}
	if err := host.SameProtected(p.path(name), checked, f); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// Stat returns the file's info without opening it: opening a pipe would wait.
func (p protectedFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(p.files, name) }

// ReadDir reads a folder that only root and the effective user can change.
func (p protectedFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := host.Protected(p.path(name)); err != nil {
		return nil, err
	}
	return fs.ReadDir(p.files, name)
}
