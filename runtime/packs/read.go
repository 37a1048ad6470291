package packs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/schema/metadata"
)

// packKeys are the keys of pack.yaml that are not other people's. Those after
// description are columns of table pack that no definition needs.
var packKeys = []string{"ref", "label", "version", "description",
	"conf_schema", "config", "meta", "tags", "runtime_deps", "is_standard"}

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
	if !l.parse(d, data) {
		return
	}
	// The pack's own keys are read as those of a definition would be: its ref,
	// description and the rest are text.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(d.doc.json, &members); err != nil {
		l.value(d, Error, "", "must be an object with the keys ref, label, version and description")
		return
	}
	texts := map[string]*string{"ref": &l.pack.Ref, "label": &l.pack.Label, "version": &l.pack.Version, "description": &l.pack.Description}
	for _, m := range (&converter{active: map[*yaml.Node]bool{}}).members(deref(d.doc.root)) {
		raw, at := members[m.key], pointer([]string{m.key})
		if to := texts[m.key]; to != nil {
			if err := json.Unmarshal(raw, to); err != nil {
				l.value(d, Error, at, "must be text")
			}
			continue
		}
		l.pack.Unknown = append(l.pack.Unknown, metadata.Member{Key: m.key, Value: raw})
		if !slices.Contains(packKeys, m.key) {
			l.unknown(d, at, m.key, packKeys)
		}
	}
	if message := metadata.ValidPackRef(l.pack.Ref); message != "" && !d.failed {
		l.value(d, Error, "/ref", message)
	}
	if l.pack.Version == "" && !d.failed {
		l.value(d, Error, "/version", `is required: the pack's version, such as "1.0.0"`)
	}
	if l.pack.Label == "" {
		l.pack.Label = l.pack.Ref
	}
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
	if !l.parse(d, data) {
		return
	}
	l.loaded = append(l.loaded, d)
	told := map[string]bool{}
	for _, p := range l.problems {
		if p.File == name {
			told[p.Pointer] = true
		}
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
	report(d.def.UnmarshalJSON(d.doc.json))
	if told[""] {
		return // it is no object; whatever else could be said is noise
	}
	report(d.def.Validate())
	l.packRef(d)
	for _, u := range d.def.UnknownKeys() {
		l.unknown(d, u.Pointer, u.Key, u.Known)
	}
	l.advice(d)
}

// parse brings d's file to JSON; false where there is nothing to go on with.
func (l *loader) parse(d *loaded, data []byte) bool {
	doc, flaws := parse(data)
	d.doc = doc
	for _, f := range flaws {
		l.at(d, Error, Place{f.line, f.column}, f.pointer, f.message)
	}
	return doc != nil
}

// inYAML adds to a message about JSON types what to do in YAML.
func inYAML(message string) string {
	switch message {
	case "must be text, not a number", "must be text, not true or false":
		return message + ": put it in quotes"
	}
	return message
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
