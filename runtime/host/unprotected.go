package host

import (
	"io/fs"
	"os"
)

// An UnprotectedError reports a path that users other than root and the effective user
// could change.
type UnprotectedError struct {
	// Path is the path as given.
	Path string
	// By names the file or folder that others can change, and why: "/etc/x can be written
	// by everybody".
	By string
}

// Error returns the cause and the remedy.
func (e *UnprotectedError) Error() string {
	return e.By + "; it must belong to root or to you (chown), and others must not write it (chmod go-w)"
}

// SameProtected returns an *UnprotectedError unless the open file f is the one that
// Protected returned for path, with the same mode.
func SameProtected(path string, checked fs.FileInfo, f fs.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(checked, info) || info.Mode() != checked.Mode() {
		return &UnprotectedError{Path: path, By: path + " changed while it was opened"}
	}
	return nil
}
