//go:build !unix

package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// A LocalHost is the machine that this program runs on. attune cannot look at it on this
// system: see Supported.
type LocalHost struct {
	unsupportedHost
	home string
	vars map[string]string
}

// Local returns the machine that this program runs on.
func Local(LocalConfig) *LocalHost {
	return &LocalHost{unsupportedHost: unsupportedHost{unsupportedSystem(runtime.GOOS)}}
}

// Round returns the host.
func (h *LocalHost) Round(<-chan struct{}) *LocalHost { return h }

func (h *LocalHost) hung() *error { return new(error) }

// Glance returns the result of f.
func Glance[T any](h *LocalHost, f func(*LocalHost) T) T { return f(h) }

// Stat describes the file at path, following links.
func Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// Protected returns the error of Supported for a file that exists, as access lists are not read.
func Protected(path string) (fs.FileInfo, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return nil, &fs.PathError{Op: "check who can change", Path: path, Err: Supported()}
}

// ProtectedPlace checks a path like Protected. If no file is there, it checks the folder
// above.
func ProtectedPlace(path string) error {
	_, err := Protected(path)
	if os.IsNotExist(err) {
		_, err = Protected(filepath.Dir(path))
	}
	return err
}

// OpenProtected returns the error of Protected.
func OpenProtected(path string) (*os.File, error) {
	_, err := Protected(path)
	return nil, err
}

func realPath(path string) string { return path }
