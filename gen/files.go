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
	"strings"
)

// Files maps paths, relative to the working directory, to contents.
type Files map[string][]byte

// add adds a file. A duplicate path is an error.
func (f Files) add(name string, text []byte) error {
	name = path.Clean(filepath.ToSlash(name))
	if _, ok := f[name]; ok {
		return fmt.Errorf("duplicate output %s", name)
	}
	f[name] = text
	return nil
}

// names returns the sorted paths.
func (f Files) names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// A change is a file that differs from the one on disk.
type change struct {
	name    string
	old     []byte
	missing bool
}

// changes returns the files that differ from those on disk. It refuses to replace a file
// that was not generated, because somebody may need it.
func (f Files) changes() ([]change, error) {
	var out []change
	for _, name := range f.names() {
		old, err := os.ReadFile(name)
		missing := errors.Is(err, fs.ErrNotExist)
		switch {
		case err != nil && !missing:
			return nil, fmt.Errorf("read generated file: %w", err)
		case len(old) > 0 && !isGenerated(old):
			return nil, fmt.Errorf("%s is not a generated file, so it is not replaced: choose another name, or remove it", name)
		case missing || !bytes.Equal(old, f[name]):
			out = append(out, change{name, old, missing})
		}
	}
	return out, nil
}

// isGenerated reports whether the header of generated files is near the beginning of a text.
func isGenerated(text []byte) bool {
	return bytes.Contains(text[:min(len(text), 300)], []byte(strings.TrimPrefix(Header, "// ")))
}

// Write writes the files that differ from those on disk, and returns their paths. Each file
// is replaced atomically. All of them are on the disk before the first is put in its place,
// and an error before that leaves everything as it was.
func (f Files) Write() (written []string, err error) {
	list, err := f.changes()
	if err != nil {
		return nil, err
	}
	var made []string // folders, and temporary files, in the order of creation
	defer func() {
		if err != nil {
			for _, path := range slices.Backward(made) {
				_ = os.Remove(path) // a folder that holds something stays
			}
		}
	}()
	var ready []string
	for _, c := range list {
		folders, err := makeFolder(filepath.Dir(c.name))
		made = append(made, folders...)
		tmp := ""
		if err == nil {
			tmp, err = writeBeside(c.name, f[c.name])
		}
		if tmp != "" {
			made, ready = append(made, tmp), append(ready, tmp)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", c.name, err)
		}
	}
	for i, c := range list {
		if err := os.Rename(ready[i], c.name); err != nil {
			return written, fmt.Errorf("write %s: %w", c.name, err)
		}
		written = append(written, c.name)
	}
	return written, nil
}

// makeFolder creates a folder, and returns the folders that did not exist before.
func makeFolder(dir string) (made []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	slices.Reverse(made)
	return made, os.MkdirAll(dir, 0o777)
}

// writeBeside writes a temporary file in the folder of name. It returns the path of that
// file if it exists.
func writeBeside(name string, data []byte) (string, error) {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".attune-gen-*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(data)
	return tmp.Name(), errors.Join(err, tmp.Chmod(mode), tmp.Close())
}

// Check compares the files with those on disk, writes the differences to out, and reports
// whether there are any.
func (f Files) Check(out io.Writer) (stale bool, err error) {
	list, err := f.changes()
	for _, c := range list {
		if _, err := out.Write(unifiedDiff(c.name, c.old, f[c.name], c.missing)); err != nil {
			return true, err
		}
	}
	return len(list) > 0, err
}
