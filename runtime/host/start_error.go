package host

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// startError puts into words why execve refused a file that is there.
func startError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		if needed := interpreterOf(path); needed != "" {
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

// interpreterOf names the program that a file needs to be executed: the one of
// a script's first line, or the loader of an ELF file. Empty is none, or not
// readable.
func interpreterOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 256)).ReadString('\n')
	if rest, ok := strings.CutPrefix(line, "#!"); ok {
		if words := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }); len(words) > 0 {
			return fmt.Sprintf("the interpreter %q", words[0])
		}
		return ""
	}
	program, err := elf.NewFile(f)
	if err != nil {
		return ""
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			name, _ := io.ReadAll(io.LimitReader(part.Open(), 256))
			return fmt.Sprintf("the loader %q", strings.TrimRight(string(name), "\x00"))
		}
	}
	return ""
}
