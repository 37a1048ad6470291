package packs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/attune-go/attune/schema/metadata"
)

// packFile reads pack.yaml.
func (l *loader) packFile() {
	d := &loaded{file: packFile}
	data, err := read(l.files, packFile)
	if errors.Is(err, fs.ErrNotExist) {
		l.file(packFile, Error, "is missing: a pack's folder holds it, and the folder %s", runtimesFolder)
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

// core refuses a pack that calls itself as the embedded one does.
func (l *loader) core() {
	if l.pack.Ref != metadata.CorePack || l.cfg.Core {
		return
	}
	l.value(l.described, Error, "/ref", fmt.Sprintf("%q is the pack that the program comes with, and no folder replaces it; give this pack another ref", l.pack.Ref))
}

// runtimeFiles lists the definitions' files.
func (l *loader) runtimeFiles() []string {
	entries, err := fs.ReadDir(l.files, runtimesFolder)
	if errors.Is(err, fs.ErrNotExist) {
		l.file(runtimesFolder, Warning, "there is no such folder, so the pack has no definitions")
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
			l.file(name, Warning, "a folder in %s is not read", runtimesFolder)
		case metadata.Nearest(ext, []string{".yaml"}) != "":
			l.file(name, Warning, "is not read: the name of a definition's file ends in .yaml")
		}
	}
	if len(out) == 0 {
		l.file(runtimesFolder, Warning, "holds no .yaml file, so the pack has no definitions")
	}
	return out
}

// runtimeFile reads one definition.
func (l *loader) runtimeFile(name string) {
	d := &loaded{file: name}
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

// content is what a file holds: a definition, or what is said of the pack.
type content interface {
	UnmarshalJSON(data []byte) error
	Validate() error
	UnknownKeys() []metadata.UnknownKey
	Bare(path []string) bool
}

// document reads d's file into v, and reports what is wrong with it; false where
// whatever else could be said is noise.
func (l *loader) document(d *loaded, data []byte, v content) bool {
	doc, flaws := parse(data, v.Bare)
	d.doc = doc
	told := map[string]bool{}
	for _, f := range flaws {
		l.at(d, Error, Place{f.line, f.column}, f.pointer, f.message)
		told[f.pointer] = true
	}
	if doc == nil {
		return false
	}
	// What could not be read is zero, and would be reported again as missing.
	report := func(err error) {
		var faults metadata.Faults
		errors.As(err, &faults)
		for _, f := range faults {
			if !told[f.Pointer] {
				l.value(d, Error, f.Pointer, inYAML(f.Message))
				told[f.Pointer] = true
			}
		}
	}
	report(v.UnmarshalJSON(doc.json))
	if told[""] {
		return false // it is no object
	}
	report(v.Validate())
	for _, u := range v.UnknownKeys() {
		l.unknown(d, u.Pointer, u.Key, u.Known)
	}
	return true
}

// inYAML adds to a message about JSON types what to do in YAML.
func inYAML(message string) string {
	switch message {
	case "must be text, not a number", "must be text, not true or false":
		return message + ": put it in quotes"
	}
	return message
}

func (l *loader) contradictions(d *loaded) {
	var faults metadata.Faults
	errors.As(d.def.Contradictions(), &faults) // its only kind of error
	for _, f := range faults {
		l.value(d, Error, f.Pointer, f.Message)
	}
}

// packRef checks that the definition belongs to this pack.
func (l *loader) packRef(d *loaded) {
	if l.pack.Ref == "" || d.def.Ref == "" {
		return
	}
	if of := metadata.PackOf(d.def.Ref); of != l.pack.Ref {
		l.value(d, Error, "/ref", fmt.Sprintf("is of pack %q, but %s says that this pack is %q", of, packFile, l.pack.Ref))
	}
	if d.def.PackRef == "" {
		d.def.PackRef = l.pack.Ref
	}
}

func (l *loader) unknown(d *loaded, pointer, key string, known []string) {
	severity, message := Warning, fmt.Sprintf("unknown key %q", key)
	if near := metadata.Nearest(key, known); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	if l.cfg.Strict {
		severity = Error
	}
	l.key(d, severity, pointer, message)
}

// read reads a whole file, but not one that is no file: opening a pipe would
// wait for whoever writes to it.
func read(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	// One byte more than is allowed is enough to see that it is too large.
	return io.ReadAll(io.LimitReader(f, metadata.MaxSize+1))
}

// reason is an error without the operation and the path that it names: the
// problem has its file already.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
