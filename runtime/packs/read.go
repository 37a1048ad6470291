package packs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
)

// packFile reads pack.yaml.
func (l *loader) packFile() {
	d := &loadedDefinition{file: packFile}
	data, err := read(l.files, packFile)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(l.files, "pack.yml"); err == nil {
			l.file("pack.yml", Error, "must be named %s", packFile)
			return
		}
		l.file(packFile, Error, "missing: a pack's folder needs this file, beside the folder %s", runtimesFolder)
		return
	}
	if err != nil {
		l.file(packFile, Error, "%v", reason(err))
		return
	}
	l.described = d
	l.document(d, data, &l.pack.PackFile)
	if l.pack.Label == "" {
		l.pack.Label = l.pack.Ref
	}
}

// coreRef refuses another pack with the ref of the embedded one.
func (l *loader) coreRef() {
	if l.pack.Ref != metadata.CorePack || l.cfg.Core {
		return
	}
	l.value(l.described, Error, "/ref",
		fmt.Sprintf("%q is the ref of the embedded core pack, which no folder can replace; choose another ref", l.pack.Ref))
}

// runtimeFiles lists the files of definitions.
func (l *loader) runtimeFiles() []string {
	entries, err := fs.ReadDir(l.files, runtimesFolder)
	if errors.Is(err, fs.ErrNotExist) {
		l.file(runtimesFolder, Warning, "missing: without this folder the pack has no definitions")
		return nil
	}
	if err != nil {
		l.file(runtimesFolder, Error, "%v", reason(err))
		return nil
	}
	var out []string
	for _, e := range entries {
		name := path.Join(runtimesFolder, e.Name())
		switch ext := path.Ext(e.Name()); {
		case strings.HasPrefix(e.Name(), "."):
		case ext == ".yaml" || ext == ".yml":
			out = append(out, name)
		case e.IsDir():
			l.file(name, Warning, "not read: definitions are files directly in %s", runtimesFolder)
		case metadata.Nearest(ext, []string{".yaml"}) != "":
			l.file(name, Warning, "not read: a definition's file name must end in .yaml or .yml")
		}
	}
	if len(out) == 0 {
		l.file(runtimesFolder, Warning, "the pack has no definitions: this folder has no .yaml or .yml file")
	}
	return out
}

// runtimeFile reads one definition.
func (l *loader) runtimeFile(name string) {
	d := &loadedDefinition{file: name}
	data, err := read(l.files, name)
	if err != nil {
		l.file(name, Error, "%v", reason(err))
		return
	}
	if l.document(d, data, &d.def) {
		l.contradictions(d)
		l.packRef(d)
		l.advice(d)
	}
	if d.doc != nil {
		l.loaded = append(l.loaded, d)
	}
}

// A Document is a type whose methods attune-gen made.
type Document interface {
	UnmarshalJSON(data []byte) error
	Validate() error
	UnknownKeys() []metadata.UnknownKey
}

// ReadYAML reads one YAML document, strictly and as the files of packs are read. The faults
// name the file, and have the positions in the text. An unknown key is a warning, and
// Faults.Err returns the errors. A document with errors may be filled in part.
func ReadYAML(file string, text []byte, to Document) Faults {
	l := &loader{}
	l.document(&loadedDefinition{file: file}, text, to)
	l.faults.sort()
	return l.faults
}

// document reads d's file into v and reports its faults. It returns false if further
// checks would only repeat them.
func (l *loader) document(d *loadedDefinition, data []byte, v Document) bool {
	bare := func([]string) bool { return false }
	if some, ok := v.(interface{ Bare(path []string) bool }); ok {
		bare = some.Bare
	}
	doc, faults := parse(data, bare)
	d.doc = doc
	reported := map[string]bool{}
	for _, f := range faults {
		l.add(d, f)
		reported[f.Pointer] = true
	}
	if doc == nil {
		return false
	}
	// A value that could not be read is zero, and would be reported again as missing.
	report := func(err error) {
		var faults metadata.Faults
		errors.As(err, &faults)
		for _, f := range faults {
			if !reported[f.Pointer] {
				l.value(d, Error, f.Pointer, d.doc.inYAML(f))
				reported[f.Pointer] = true
			}
		}
	}
	report(v.UnmarshalJSON(doc.json))
	if reported[""] {
		return false // the document is not an object
	}
	report(v.Validate())
	var places []place
	if v == Document(&d.def) {
		places = definitionPlaces()
	}
	for _, u := range v.UnknownKeys() {
		l.unknown(d, u, places)
	}
	return true
}

// inYAML returns a fault's message with what to write in YAML, if the message is about
// JSON types.
func (d *document) inYAML(f metadata.Fault) string {
	value, _ := d.find(f.Pointer)
	switch f.Message {
	case "must be text, got a number":
		if strings.HasSuffix(f.Pointer, "/timeout") {
			return fmt.Sprintf("must be a duration such as 10s, got %s", value.Value)
		}
		return f.Message + ": put it in quotes"
	case "must be text, got true or false":
		return f.Message + ": put it in quotes"
	case "must be text, got a list", "must be text, got an object":
		if value.Style&yaml.FlowStyle != 0 {
			return f.Message + ": write it in single quotes"
		}
	}
	return f.Message
}

func (l *loader) contradictions(d *loadedDefinition) {
	var faults metadata.Faults
	errors.As(d.def.Contradictions(), &faults) // its only kind of error
	for _, f := range faults {
		l.value(d, Error, f.Pointer, f.Message)
	}
}

// packRef checks that the definition belongs to this pack.
func (l *loader) packRef(d *loadedDefinition) {
	if l.pack.Ref == "" || d.def.Ref == "" {
		return
	}
	if owner := metadata.PackOf(d.def.Ref); owner != l.pack.Ref {
		l.value(d, Error, "/ref", fmt.Sprintf("belongs to pack %q, but %s has ref %q", owner, packFile, l.pack.Ref))
	}
	if d.def.PackRef == "" {
		d.def.PackRef = l.pack.Ref
	}
}

// read reads a whole regular file. It does not open a pipe: that would wait for a writer.
func read(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	// One byte more than the limit shows that the file is too large.
	return io.ReadAll(io.LimitReader(f, metadata.MaxSize+1))
}

// reason returns err without the operation and path that an fs.PathError adds: a fault
// names its file already.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
