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

// scriptDepth bounds the scripts that interpret each other, as in Linux.
const scriptDepth = 5

// firstLine is the number of bytes of a script's first line that Linux reads.
const firstLine = 256

// Program returns what runs when an executable is run.
func (h *LocalHost) Program(path string) Program {
	return Glance(h, func(h *LocalHost) Program { return h.program(path, scriptDepth) })
}

func (h *LocalHost) program(path string, depth int) Program {
	p, known := h.within.seen.programs.get(path)
	if !known {
		p = h.programAnew(path, depth)
		if p.Unknown == "" {
			h.within.seen.programs.put(path, p)
		}
	}
	return p
}

func (h *LocalHost) programAnew(path string, depth int) Program {
	read := try(h, func(l *look) programFile {
		real, err := l.follow("/", path, 0)
		if err == nil {
			err = l.enter(real)
		}
		if err != nil {
			return programFile{Program: Program{Unknown: fmt.Sprintf("%s cannot be looked at (%v)", path, err)}}
		}
		return readProgram(h.info.OS, path)
	})
	p := read.Program
	switch {
	case p.Unknown != "":
	case !p.Native:
		h.script(&p, path, read.head, depth)
	case read.loader != "":
		p.By = []Candidate{h.Resolve(read.loader)}
	}
	return p
}

// A programFile is what a file's contents tell about its program.
type programFile struct {
	Program
	head   []byte
	loader string
}

func readProgram(goos, path string) (p programFile) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		p.Unknown = fmt.Sprintf("%s cannot be looked at (%v)", path, err)
		return p
	}
	p.file = fileID{uint64(st.Dev), uint64(st.Ino)}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		p.Unknown = path + " is not a regular file"
		return p
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		p.Unknown = fmt.Sprintf("the interpreter of %s could not be determined (%v)", path, unwrapPath(err))
		return p
	}
	defer f.Close()
	head := make([]byte, firstLine)
	n, _ := io.ReadFull(f, head)
	p.head = head[:n]
	if native(goos, p.head) {
		p.Native = true
		p.loader = loaderOf(f, p.head)
	}
	return p
}

// native reports whether a file begins like the machine's own programs: ELF of any class,
// on macOS Mach-O of one or several architectures. A file of another format runs only
// through a handler that is registered in the kernel and unknown here.
func native(goos string, head []byte) bool {
	magics := []string{elf.ELFMAG}
	if goos == "darwin" {
		magics = []string{
			"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe",
			"\xca\xfe\xba\xbe", "\xbe\xba\xfe\xca", "\xca\xfe\xba\xbf",
		}
	}
	for _, magic := range magics {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// script adds the interpreters of a script's first line.
func (h *LocalHost) script(p *Program, path string, head []byte, depth int) {
	interpreter, arg, ok := shebang(head)
	switch {
	case !ok:
		p.Unknown = path + " is neither a program for this machine nor a script that begins with #! and an absolute path"
		return
	case depth == 0:
		p.Unknown = path + " is interpreted by too many scripts in turn"
		return
	}
	runs := h.Resolve(interpreter)
	h.by(p, path, runs, depth)
	if filepath.Base(interpreter) != "env" && filepath.Base(runs.RealPath) != "env" {
		return
	}
	name, ok := envRuns(arg)
	if !ok {
		p.Unknown = fmt.Sprintf("the program that env runs for %s could not be determined", path)
		return
	}
	found := []Candidate{h.Resolve(name)}
	if !filepath.IsAbs(name) {
		found = h.Lookup(name)
	}
	for _, c := range found {
		if c.Fault == "" {
			h.by(p, path, c, depth)
			return
		}
	}
	p.Unknown = fmt.Sprintf("the program that env runs for %s was not found", path)
}

// by adds an interpreter of a script and its own interpreters.
func (h *LocalHost) by(p *Program, script string, runs Candidate, depth int) {
	p.By = append(p.By, runs)
	behind := h.program(runs.Path, depth-1)
	p.By = append(p.By, behind.By...)
	if p.Unknown == "" && behind.Unknown != "" {
		p.Unknown = fmt.Sprintf("the interpreter of %s could not be determined", script)
	}
}

// shebang returns the interpreter of a script's first line and, as in the kernel, the rest
// of the line as one argument.
func shebang(head []byte) (interpreter, arg string, ok bool) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", "", false
	}
	line, _, whole := bytes.Cut(line, []byte("\n"))
	text := strings.Trim(string(line), " \t")
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		interpreter, arg = text[:i], strings.Trim(text[i:], " \t")
	} else if interpreter = text; !whole && len(head) == firstLine {
		return "", "", false // cut in the middle of the path
	}
	return interpreter, arg, filepath.IsAbs(interpreter) && !strings.ContainsRune(text, 0)
}

// envRuns returns the program that env runs for the argument of a first line. It handles a
// name, and -S with variables and plain words. ok is false for everything else.
func envRuns(arg string) (name string, ok bool) {
	split := false
	for _, option := range []string{"-S", "--split-string="} {
		if rest, cut := strings.CutPrefix(arg, option); cut && !split {
			arg, split = rest, true
		}
	}
	words := []string{arg}
	if split {
		words = strings.Fields(arg)
	}
	for _, word := range words {
		variable, _, assigned := strings.Cut(word, "=")
		switch {
		case assigned && split && variable != "PATH":
			continue
		case assigned, strings.HasPrefix(word, "-"), strings.ContainsAny(word, " \t\\'\"$#"), word == "":
			return "", false
		}
		return word, isName(word) || filepath.IsAbs(word)
	}
	return "", false
}

func unwrapPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
