package host

import (
	"errors"
	"fmt"
	"time"
)

// ErrHangs is wrapped by errors about places that do not answer.
var ErrHangs = errors.New("does not answer")

// A Hang is a file or folder of this host that does not answer. Looks leave it out until
// it does, or until another file system is mounted there.
type Hang struct {
	// Place is its real path. Everything below is left out too.
	Place string
	// Mount describes its file system: "nfs4 filer:/tools on /mnt/tools".
	Mount string
	// Since is the time of the first look without an answer.
	Since time.Time
}

// Error returns the place and its file system.
func (h Hang) Error() string { return fmt.Sprintf("%s %v (%s)", h.Place, ErrHangs, h.Mount) }

// Is reports whether target is ErrHangs.
func (h Hang) Is(target error) bool { return target == ErrHangs }

// Within returns the result of read or, after limit, an error that wraps ErrHangs. read
// then continues in the background, so it must not write to anything that the caller
// reads. path is for the error.
func Within[T any](limit time.Duration, path string, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		v, err := read()
		done <- answer{v, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		var zero T
		return zero, fmt.Errorf("%s %w within %v", path, ErrHangs, limit)
	}
}
