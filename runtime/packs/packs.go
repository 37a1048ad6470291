// Package packs loads packs: folders of runtime definitions in YAML. It embeds
// the core pack, says everything that is wrong with a pack and where, and
// writes the skeleton of a new one.
package packs

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/attune-go/attune/schema/metadata"
)

// Names in a pack's folder.
const (
	packFile       = "pack.yaml"
	runtimesFolder = "runtimes"
)

// Pack is a folder of definitions under one ref.
type Pack struct {
	// PackFile is what pack.yaml says. Label is never empty.
	metadata.PackFile
	// Definitions are those without an error, sorted by ref.
	Definitions []metadata.Definition
	// Files is the file of each definition, by ref.
	Files map[string]string
	// Places is where in that file the definition's ref stands, by ref.
	Places map[string]Place
}

// Config says how a pack is loaded.
type Config struct {
	// Strict makes an unknown key an error. False: a warning.
	Strict bool
	// Core lets the pack be the core pack itself, for the programs that build it.
	// False: a pack of that ref is an error, as the embedded one is always trusted
	// and its names come first.
	Core bool
	// Protected makes it an error of LoadDir that somebody other than root and
	// the effective user could change the folder, a folder above it, or what is
	// read of it. False: anybody may.
	Protected bool
}

//go:embed core
var coreFiles embed.FS

// Core is the embedded core pack. It is read once, and is the same for every
// caller: nobody may change it.
func Core() *Pack { return core() }

var core = sync.OnceValue(func() *Pack {
	files, err := fs.Sub(coreFiles, "core")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	l := load(files, Config{Strict: true, Core: true})
	if err := l.problems.Err(); err != nil {
		panic(err) // a test loads it
	}
	return l.result()
})

// LoadDir loads the pack in the folder dir, as Load does. Symbolic links count
// as long as they stay inside dir.
func LoadDir(dir string, cfg Config) (*Pack, Problems) {
	files, closer, err := openDir(dir, cfg)
	if err != nil {
		return &Pack{}, Problems{{File: filepath.ToSlash(dir), Severity: Error,
			Message: fmt.Sprintf("open the pack's folder: %v", reason(err))}}
	}
	defer func() { _ = closer.Close() }()
	pack, problems := Load(files, cfg)
	for ref, file := range pack.Files {
		pack.Files[ref] = path.Join(filepath.ToSlash(dir), file)
	}
	for i := range problems {
		problems[i].File = path.Join(filepath.ToSlash(dir), problems[i].File)
	}
	return pack, problems
}

// Load loads the pack whose folder is the root of files, and reports all its
// problems. The pack holds what could be read; use it only if the problems'
// Err is nil.
func Load(files fs.FS, cfg Config) (*Pack, Problems) {
	l := load(files, cfg)
	if l.pack.Ref != metadata.CorePack {
		l.sharedNames()
	}
	l.problems.sort()
	return l.result(), l.problems
}

// load is Load without the comparison with the core pack, which is loaded with
// it too.
func load(files fs.FS, cfg Config) *loader {
	l := &loader{files: files, cfg: cfg, pack: &Pack{Files: map[string]string{}, Places: map[string]Place{}}}
	l.packFile()
	l.core()
	for _, name := range l.runtimeFiles() {
		l.runtimeFile(name)
	}
	l.duplicates()
	return l
}

// result is the pack with the definitions that have no error.
func (l *loader) result() *Pack {
	for _, d := range l.loaded {
		if d.failed {
			continue
		}
		l.pack.Definitions = append(l.pack.Definitions, d.def)
		l.pack.Files[d.def.Ref] = d.file
		l.pack.Places[d.def.Ref], _ = d.doc.locate("/ref")
	}
	slices.SortFunc(l.pack.Definitions, func(a, b metadata.Definition) int { return cmp.Compare(a.Ref, b.Ref) })
	return l.pack
}

// loader collects a pack and its problems.
type loader struct {
	files fs.FS
	cfg   Config
	pack  *Pack
	// described is the file pack.yaml, once it is read.
	described *loaded
	loaded    []*loaded
	problems  Problems
}

// loaded is one definition with the file it came from.
type loaded struct {
	file   string
	doc    *document
	def    metadata.Definition
	failed bool
}

// file reports a problem of a file as a whole.
func (l *loader) file(name string, s Severity, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: name, Severity: s, Message: fmt.Sprintf(format, args...)})
}

// at reports a problem of a definition; one of severity Error keeps it out of
// the pack.
func (l *loader) at(d *loaded, s Severity, where Place, pointer, message string) {
	l.problems = append(l.problems, Problem{File: d.file, Line: where.Line, Column: where.Column, Ref: d.def.Ref,
		Pointer: pointer, Severity: s, Message: message})
	if s == Error {
		d.failed = true
	}
}

// value reports a problem of the value at pointer, and key one of its key.
func (l *loader) value(d *loaded, s Severity, pointer, message string) {
	where, _ := d.doc.locate(pointer)
	l.at(d, s, where, pointer, message)
}

func (l *loader) key(d *loaded, s Severity, pointer, message string) {
	_, where := d.doc.locate(pointer)
	l.at(d, s, where, pointer, message)
}
