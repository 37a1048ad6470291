//go:build unix

package host

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxInterpreters bounds the scripts that interpret each other, as in the kernel.
const maxInterpreters = 5

// needs describes the files that the kernel opens to execute a file.
type needs struct {
	// what is the file's interpreter or loader for messages, or empty.
	what string
	// hangs is the reason why the file must not be executed, or nil.
	hangs error
	// dotslash means that DotSlash interprets the file.
	dotslash bool
}

// dotSlashLine is the first line of each DotSlash file. DotSlash refuses every other one.
const dotSlashLine = "#!/usr/bin/env dotslash\n"

// startable opens a file, and each file that the kernel opens to execute it, to find out
// whether execve would hang.
//
// execve must not hang: until its end the child has this process's memory, and the thread
// that forked waits for it with the lock of all forks. The garbage collector waits for that
// thread, and all goroutines wait for the garbage collector.
func (l *look) startable(path string) (n needs) {
	for range maxInterpreters {
		real, err := l.follow("/", path, 0)
		if err == nil {
			err = l.enter(real)
		}
		if err != nil {
			if errors.Is(err, ErrHangs) {
				n.hangs = err
			}
			return n
		}
		kind, next, dotslash := interpreterOf(real)
		if next == "" {
			return n
		}
		n.dotslash = n.dotslash || dotslash
		if n.what == "" {
			n.what = fmt.Sprintf("the %s %q", kind, next)
		}
		path = filepath.Join("/", next) // commands run in /
	}
	return n
}

// interpreterOf returns the interpreter of a script's first line, or the loader of an ELF
// file. It returns "" if there is neither, or the file is not readable. dotslash reports
// whether it is a DotSlash file.
func interpreterOf(path string) (kind, program string, dotslash bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", "", false
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.ReadAt(head, 0)
	head = head[:n]
	if rest, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		line, _, _ := strings.Cut(string(rest), "\n")
		if words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' }); len(words) > 0 {
			return "interpreter", words[0], bytes.HasPrefix(head, []byte(dotSlashLine))
		}
		return "", "", false
	}
	if loader := loaderOf(f, head); loader != "" {
		return "loader", loader, false
	}
	return "", "", false
}

// loaderOf returns the loader of an ELF file, or "". It skips the sections at the file's end,
// which would cost more than the rest.
func loaderOf(f io.ReaderAt, head []byte) string {
	program, err := elf.NewFile(withoutSections{f, head})
	if err != nil {
		return ""
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			name, _ := io.ReadAll(io.LimitReader(part.Open(), unix.PathMax))
			return strings.TrimRight(string(name), "\x00")
		}
	}
	return ""
}

// withoutSections is an ELF file without the sections of its header.
type withoutSections struct {
	io.ReaderAt
	head []byte
}

// Offsets of the header's fields for the sections' offset and number. The index of the
// names follows the number.
const (
	shoff32, shnum32 = 0x20, 0x30
	shoff64, shnum64 = 0x28, 0x3c
)

func (w withoutSections) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(b, off)
	if len(w.head) <= elf.EI_CLASS {
		return n, err
	}
	offset, size, number := int64(shoff32), int64(4), int64(shnum32)
	if elf.Class(w.head[elf.EI_CLASS]) == elf.ELFCLASS64 {
		offset, size, number = shoff64, 8, shnum64
	}
	for i := range b[:n] {
		at := off + int64(i)
		if at >= offset && at < offset+size || at >= number && at < number+4 {
			b[i] = 0
		}
		if at > number+4 {
			break
		}
	}
	return n, err
}
