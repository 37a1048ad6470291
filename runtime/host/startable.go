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

// maxInterpreters is how many scripts may lead to one another, as in the kernel.
const maxInterpreters = 5

// needs is what the kernel opens to execute a file, as far as it can be read.
type needs struct {
	// what is the program that the file names, for messages; empty is none.
	what string
	// hangs is why the file must not be executed.
	hangs error
}

// startable opens a file, and each file that the kernel opens to execute it, as
// the kernel would: what opens here does not hang there.
//
// It must not hang there. From fork to the end of execve the child has this
// process's memory, and the thread that forked waits for it holding the lock of
// all forks. The garbage collector waits for that thread, and every goroutine
// for the garbage collector.
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
		kind, next := interpreterOf(real)
		if next == "" {
			return n
		}
		if n.what == "" {
			n.what = fmt.Sprintf("the %s %q", kind, next)
		}
		path = filepath.Join("/", next) // commands run in /
	}
	return n
}

// interpreterOf returns the program that a file needs to be executed: the one of a
// script's first line, or the loader of an ELF file. Empty is none, or not
// readable.
func interpreterOf(path string) (kind, program string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", ""
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.ReadAt(head, 0)
	head = head[:n]
	if rest, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		line, _, _ := strings.Cut(string(rest), "\n")
		if words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' }); len(words) > 0 {
			return "interpreter", words[0]
		}
		return "", ""
	}
	if loader := loaderOf(f, head); loader != "" {
		return "loader", loader
	}
	return "", ""
}

// loaderOf returns the loader that an ELF file names. Its sections are left out,
// which lie at its end and would cost more than all the rest.
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

// withoutSections is an ELF file whose header names no sections.
type withoutSections struct {
	io.ReaderAt
	head []byte
}

// Fields of the header: where the sections are, and how many of them. The number
// and the index of the names lie side by side.
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
