// Package packs loads packs: folders of runtime definitions in YAML. It embeds the
// core pack, reports every fault of a pack with its file, line and column, and writes
// the skeleton of a new pack.
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

// A Pack is a folder of definitions under one ref.
type Pack struct {
	// PackFile is the content of pack.yaml. Label defaults to the ref.
	metadata.PackFile
	// Definitions holds the definitions without an error, sorted by ref.
	Definitions []metadata.Definition
	// Files maps the ref of each definition to its file.
	Files map[string]string
	// Places maps the ref of each definition to the position of that ref in its file.
	Places map[string]Place
}

// A Config controls how a pack is loaded.
type Config struct {
	// Strict turns unknown keys into errors. By default they are warnings.
	Strict bool
	// Core permits the ref of the core pack, for the programs that build it. By
	// default that ref is an error: every host trusts the embedded core pack, and
	// its names come first.
	Core bool
	// Protected makes LoadDir refuse a folder or file that anybody but root and the
	// effective user could change, by itself or through a folder above it. By
	// default owners and modes do not matter.
	Protected bool
}

//go:embed core
var coreFiles embed.FS

// Core returns the embedded core pack. All callers share it; do not change it.
func Core() *Pack { return core() }

var core = sync.OnceValue(func() *Pack {
	files, err := fs.Sub(coreFiles, "core")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	l := load(files, Config{Strict: true, Core: true})
	if err := l.faults.Err(); err != nil {
		panic(err) // a test loads it
	}
	return l.result()
})

// LoadDir loads the pack in the folder dir, as Load does. It follows symbolic links
// that stay inside dir.
func LoadDir(dir string, cfg Config) (*Pack, Faults) {
	files, closer, err := openDir(dir, cfg)
	if err != nil {
		return &Pack{}, Faults{{File: filepath.ToSlash(dir), Severity: Error,
			Message: fmt.Sprintf("open the pack's folder: %v", reason(err))}}
	}
	defer func() { _ = closer.Close() }()
	pack, faults := Load(files, cfg)
	for ref, file := range pack.Files {
		pack.Files[ref] = path.Join(filepath.ToSlash(dir), file)
	}
	for i := range faults {
		faults[i].File = path.Join(filepath.ToSlash(dir), faults[i].File)
	}
	return pack, faults
}

// Load loads the pack whose folder is the root of files, and returns all its faults.
// The pack holds everything that could be read; use it only if Faults.Err returns nil.
func Load(files fs.FS, cfg Config) (*Pack, Faults) {
	l := load(files, cfg)
	if l.pack.Ref != metadata.CorePack {
		l.sharedNames()
		l.standardMode()
	}
	l.faults.sort()
	return l.result(), l.faults
}

// load does the part of Load that the core pack needs too: no comparison with itself.
func load(files fs.FS, cfg Config) *loader {
	l := &loader{files: files, cfg: cfg, pack: &Pack{Files: map[string]string{}, Places: map[string]Place{}}}
	l.packFile()
	l.coreRef()
	for _, name := range l.runtimeFiles() {
		l.runtimeFile(name)
	}
	l.duplicates()
	return l
}

// result returns the pack with the definitions that have no error.
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

// A loader collects a pack and its faults.
type loader struct {
	files fs.FS
	cfg   Config
	pack  *Pack
	// described holds pack.yaml; nil if it could not be read.
	described *loadedDefinition
	loaded    []*loadedDefinition
	faults    Faults
}

// A loadedDefinition is one definition with its file.
type loadedDefinition struct {
	file   string
	doc    *document
	def    metadata.Definition
	failed bool
}

// file reports a fault of a whole file.
func (l *loader) file(name string, s Severity, format string, args ...any) {
	l.faults = append(l.faults, Fault{File: name, Severity: s, Message: fmt.Sprintf(format, args...)})
}

// add reports a fault of a definition. An error keeps the definition out of the pack.
func (l *loader) add(d *loadedDefinition, f Fault) {
	f.File, f.Ref = d.file, d.def.Ref
	l.faults = append(l.faults, f)
	if f.Severity == Error {
		d.failed = true
	}
}

// value reports a fault of the value at pointer.
func (l *loader) value(d *loadedDefinition, s Severity, pointer, message string) {
	at, _ := d.doc.locate(pointer)
	l.add(d, Fault{Line: at.Line, Column: at.Column, Pointer: pointer, Severity: s, Message: message})
}

// key reports a fault of the key at pointer.
func (l *loader) key(d *loadedDefinition, s Severity, pointer, message string) {
	_, at := d.doc.locate(pointer)
	l.add(d, Fault{Line: at.Line, Column: at.Column, Pointer: pointer, Severity: s, Message: message})
}
