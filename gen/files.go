package gen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Files are contents by path, relative to the working directory.
type Files map[string][]byte

// add notes one file; two of one name are an error.
func (f Files) add(name string, text []byte) error {
	name = path.Clean(filepath.ToSlash(name))
	if _, ok := f[name]; ok {
		return fmt.Errorf("two outputs are to be written to %s", name)
	}
	f[name] = text
	return nil
}

// names are the paths, sorted.
func (f Files) names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Write writes the files that differ from what is there, each of them at once:
// a reader sees the old or the new one. It gives the paths it wrote.
func (f Files) Write() ([]string, error) {
	var written []string
	for _, name := range f.names() {
		old, err := os.ReadFile(name)
		if err == nil && bytes.Equal(old, f[name]) {
			continue
		}
		if err := replace(name, f[name]); err != nil {
			return written, fmt.Errorf("write %s: %w", name, err)
		}
		written = append(written, name)
	}
	return written, nil
}

// replace writes a file beside its place and moves it there.
func replace(name string, data []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".attune-gen-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(data)
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.Chmod(tmp.Name(), mode); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// Check compares the files with what is there, writes the differences to out,
// and reports whether there are any.
func (f Files) Check(out io.Writer) (stale bool, err error) {
	for _, name := range f.names() {
		old, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return stale, fmt.Errorf("compare %s: %w", name, err)
		}
		if err == nil && bytes.Equal(old, f[name]) {
			continue
		}
		stale = true
		if _, err := io.WriteString(out, diff(name, old, f[name], err != nil)); err != nil {
			return stale, err
		}
	}
	return stale, nil
}
