package host

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrNoInterpreter means that a host lacks the interpreter of a script or the loader of a
// program, as for a program built for another libc.
var ErrNoInterpreter = errors.New("which this host does not have")

// ErrDownloads means that a command was not started, because it may download a program and no
// variable prevents that.
var ErrDownloads = errors.New("its start may download the program")

// startError explains why execve refused an existing file. needed names the interpreter of
// the file, if any.
func startError(needed string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		if needed != "" {
			return fmt.Errorf("it needs %s, %w: %w", needed, ErrNoInterpreter, err)
		}
		return fmt.Errorf("the file is gone: %w", err)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("not a program for this machine, or a script without a #! line: %w", err)
	case errors.Is(err, syscall.ETXTBSY):
		return fmt.Errorf("another process is writing the file: %w", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not execute it, or its file system is mounted noexec: %w", err)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("an argument has a NUL byte, or the file is a damaged program: %w", err)
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return fmt.Errorf("the host is out of resources for another process: %w", err)
	}
	return err
}
