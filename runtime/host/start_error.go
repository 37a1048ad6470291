package host

import (
	"errors"
	"fmt"
	"syscall"
)

// startError puts into words why execve refused a file that is there. It needs
// the program that needed names, if any.
func startError(needed string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		if needed != "" {
			return fmt.Errorf("it needs %s, which this host does not have: %w", needed, err)
		}
		return fmt.Errorf("the file is gone: %w", err)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("not a program for this machine, or a script without a #! line: %w", err)
	case errors.Is(err, syscall.ETXTBSY):
		return fmt.Errorf("the file is being written by another process; try again when that is done: %w", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not execute it, or its file system is mounted noexec: %w", err)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("an argument holds a NUL byte, or the file is no sound program: %w", err)
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return fmt.Errorf("the host has no room for another process: %w", err)
	}
	return err
}
