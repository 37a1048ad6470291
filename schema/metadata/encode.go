package metadata

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// The encoders write a document's known keys in the order of its type and then
// the unknown ones as they were read. What is at its default is left out. They
// refuse what the decoders would not read back.

// MarshalJSON writes the definition.
func (d Definition) MarshalJSON() ([]byte, error) { return encode(d.write) }

// MarshalJSON writes the version.
func (v VersionDefinition) MarshalJSON() ([]byte, error) { return encode(v.write) }

// MarshalJSON writes the metadata; a malformed document is given back
// unchanged.
func (d Distributions) MarshalJSON() ([]byte, error) {
	if d.fault != nil {
		return d.raw, nil
	}
	return encode(d.write)
}

// MarshalJSON writes the way to verify.
func (v Verification) MarshalJSON() ([]byte, error) { return encode(v.write) }

// MarshalJSON writes the command.
func (c Command) MarshalJSON() ([]byte, error) { return encode(c.write) }

// MarshalJSON writes where the version is read.
func (f VersionFile) MarshalJSON() ([]byte, error) { return encode(f.write) }

// MarshalJSON writes how a script is executed; a malformed document is given
// back unchanged.
func (e ExecutionConfig) MarshalJSON() ([]byte, error) {
	if e.fault != nil {
		return e.raw, nil
	}
	return encode(e.write)
}

// MarshalJSON writes the interpreter.
func (i Interpreter) MarshalJSON() ([]byte, error) { return encode(i.write) }

// MarshalJSON writes the aliases, none as an empty list; a malformed document
// is given back unchanged.
func (a Aliases) MarshalJSON() ([]byte, error) {
	if raw, ok := a.malformed(); ok {
		return []byte(raw), nil
	}
	return encode(func(w *writer) { w.texts(a) })
}

func (d Definition) write(w *writer) {
	w.open()
	w.key("ref").text(d.Ref)
	w.textIf("pack_ref", d.PackRef)
	w.key("name").text(d.Name)
	if raw, ok := d.Aliases.malformed(); ok {
		w.key("aliases").raw([]byte(raw))
	} else {
		w.textsIf("aliases", d.Aliases)
	}
	w.textIf("description", d.Description)
	if !d.Distributions.IsZero() {
		d.Distributions.write(w.key("distributions"))
	}
	w.rawIf("installation", d.Installation)
	if !d.ExecutionConfig.IsZero() {
		d.ExecutionConfig.write(w.key("execution_config"))
	}
	if len(d.Versions) > 0 {
		writeList(w.key("versions"), d.Versions, VersionDefinition.write)
	}
	w.close(d.Unknown)
}

func (v VersionDefinition) write(w *writer) {
	w.open()
	w.key("version").text(v.Version)
	w.trueIf("is_default", v.IsDefault)
	if !v.Distributions.IsZero() {
		v.Distributions.write(w.key("distributions"))
	}
	if !v.ExecutionConfig.IsZero() {
		v.ExecutionConfig.write(w.key("execution_config"))
	}
	w.rawIf("meta", v.Meta)
	w.close(v.Unknown)
}

func (d Distributions) write(w *writer) {
	if d.fault != nil {
		w.raw(d.raw)
		return
	}
	w.open()
	if d.Verification != nil {
		d.Verification.write(w.key("verification"))
	}
	w.textIf("min_version", d.MinVersion)
	w.textIf("recommended_version", d.RecommendedVersion)
	if len(d.Roles) > 0 {
		writeList(w.key("roles"), d.Roles, func(r Role, w *writer) { w.text(string(r)) })
	}
	w.close(d.Unknown)
}

func (v Verification) write(w *writer) {
	w.open()
	w.trueIf("always_available", v.AlwaysAvailable)
	if v.CheckRequired.Set {
		w.key("check_required").boolean(v.CheckRequired.Value)
	}
	if len(v.Commands) > 0 {
		writeList(w.key("commands"), v.Commands, Command.write)
	}
	w.textsIf("env", v.Env)
	w.textsIf("locations", v.Locations)
	if v.VersionFile != nil {
		v.VersionFile.write(w.key("version_file"))
	}
	w.close(v.Unknown)
}

func (c Command) write(w *writer) {
	w.open()
	w.key("binary").text(c.Binary)
	w.textsIf("args", c.Args)
	if c.ExitCode != 0 {
		w.key("exit_code").integer(c.ExitCode)
	}
	w.textIf("pattern", c.Pattern)
	if c.Priority.Set {
		w.key("priority").integer(c.Priority.Value)
	}
	w.trueIf("optional", c.Optional)
	w.textIf("version_pattern", c.VersionPattern)
	if c.Timeout.Set {
		w.key("timeout").text(c.Timeout.Value.String())
	}
	w.close(c.Unknown)
}

func (f VersionFile) write(w *writer) {
	w.open()
	w.key("path").text(f.Path)
	w.key("pattern").text(f.Pattern)
	w.close(f.Unknown)
}

func (e ExecutionConfig) write(w *writer) {
	if e.fault != nil {
		w.raw(e.raw)
		return
	}
	w.open()
	if e.Interpreter != nil {
		e.Interpreter.write(w.key("interpreter"))
	}
	w.rawIf("environment", e.Environment)
	w.rawIf("dependencies", e.Dependencies)
	w.rawIf("env_vars", e.EnvVars)
	w.close(e.Unknown)
}

func (i Interpreter) write(w *writer) {
	w.open()
	w.textIf("binary", i.Binary)
	w.textsIf("args", i.Args)
	w.textIf("file_extension", i.FileExtension)
	w.close(i.Unknown)
}

// writer appends one JSON document to buf.
type writer struct{ buf []byte }

// encode writes a document, and reads it again: text that is not UTF-8, an
// unknown key that doubles a known one or a raw value that is no JSON come
// from Go code, and would make a row that nobody can read.
func encode(write func(*writer)) ([]byte, error) {
	w := &writer{buf: make([]byte, 0, 512)}
	write(w)
	if err := decode(w.buf, (*reader).skip); err != nil {
		return nil, err
	}
	return w.buf, nil
}

func (w *writer) open() { w.buf = append(w.buf, '{') }

// close writes the unknown members and ends the object.
func (w *writer) close(unknown Unknown) {
	for _, m := range unknown {
		w.key(m.Key).raw(m.Value)
	}
	w.buf = append(w.buf, '}')
}

// comma separates what follows from what is there already.
func (w *writer) comma() {
	if n := len(w.buf); n > 0 && w.buf[n-1] != '{' && w.buf[n-1] != '[' {
		w.buf = append(w.buf, ',')
	}
}

func (w *writer) key(k string) *writer {
	w.comma()
	w.text(k)
	w.buf = append(w.buf, ':')
	return w
}

func (w *writer) raw(v json.RawMessage) {
	if v == nil {
		v = json.RawMessage("null")
	}
	w.buf = append(w.buf, v...)
}

func (w *writer) boolean(v bool) { w.buf = strconv.AppendBool(w.buf, v) }
func (w *writer) integer(v int)  { w.buf = strconv.AppendInt(w.buf, int64(v), 10) }

func (w *writer) textIf(key, s string) {
	if s != "" {
		w.key(key).text(s)
	}
}

func (w *writer) trueIf(key string, v bool) {
	if v {
		w.key(key).boolean(true)
	}
}

func (w *writer) rawIf(key string, v json.RawMessage) {
	if len(v) > 0 {
		w.key(key).raw(v)
	}
}

func (w *writer) textsIf(key string, list []string) {
	if len(list) > 0 {
		w.key(key).texts(list)
	}
}

func (w *writer) texts(list []string) {
	writeList(w, list, func(s string, w *writer) { w.text(s) })
}

func writeList[T any](w *writer, list []T, write func(T, *writer)) {
	w.buf = append(w.buf, '[')
	for _, v := range list {
		w.comma()
		write(v, w)
	}
	w.buf = append(w.buf, ']')
}

// text writes s in quotes. Only what JSON demands is escaped: a pattern's < and
// > stay readable.
func (w *writer) text(s string) {
	const hex = "0123456789abcdef"
	w.buf = append(w.buf, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.buf = append(w.buf, '\\', c)
		case c == '\n':
			w.buf = append(w.buf, '\\', 'n')
		case c == '\t':
			w.buf = append(w.buf, '\\', 't')
		case c < ' ' || c == utf8.RuneSelf-1:
			w.buf = append(w.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			w.buf = append(w.buf, c)
		}
	}
	w.buf = append(w.buf, '"')
}
