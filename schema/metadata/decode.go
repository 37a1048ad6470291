package metadata

import (
	"fmt"
	"time"
)

// The decoders read documents strictly: UTF-8, no duplicate keys, no NUL in
// text, at most MaxDepth deep and MaxSize long. null is the same as leaving a
// known key out; 1.0 is a whole number. What a type does not name is kept in
// Unknown. The error is Faults and lists every fault; what could be read is in
// the receiver even then.

// UnmarshalJSON reads a definition.
func (d *Definition) UnmarshalJSON(data []byte) error { *d = Definition{}; return decode(data, d.read) }

// UnmarshalJSON reads one version of a definition.
func (v *VersionDefinition) UnmarshalJSON(data []byte) error {
	*v = VersionDefinition{}
	return decode(data, v.read)
}

// UnmarshalJSON reads metadata. Unlike Scan it refuses a malformed document.
func (d *Distributions) UnmarshalJSON(data []byte) error {
	*d = Distributions{}
	return decode(data, d.read)
}

// UnmarshalJSON reads the way to verify.
func (v *Verification) UnmarshalJSON(data []byte) error {
	*v = Verification{}
	return decode(data, v.read)
}

// UnmarshalJSON reads one command.
func (c *Command) UnmarshalJSON(data []byte) error { *c = Command{}; return decode(data, c.read) }

// UnmarshalJSON reads where a version is read without running anything.
func (f *VersionFile) UnmarshalJSON(data []byte) error {
	*f = VersionFile{}
	return decode(data, f.read)
}

// UnmarshalJSON reads how a script is executed. Unlike Scan it refuses a
// malformed document.
func (e *ExecutionConfig) UnmarshalJSON(data []byte) error {
	*e = ExecutionConfig{}
	return decode(data, e.read)
}

// UnmarshalJSON reads an interpreter.
func (i *Interpreter) UnmarshalJSON(data []byte) error {
	*i = Interpreter{}
	return decode(data, i.read)
}

// UnmarshalJSON reads a list of aliases. Unlike Scan it refuses a malformed
// document.
func (a *Aliases) UnmarshalJSON(data []byte) error {
	*a = nil
	return decode(data, func(r *reader) { *a = r.texts() })
}

func (d *Definition) read(r *reader) {
	r.object(&d.Unknown, func(key string) bool {
		switch key {
		case "ref":
			d.Ref = r.text()
		case "pack_ref":
			d.PackRef = r.text()
		case "name":
			d.Name = r.text()
		case "aliases":
			d.Aliases = r.texts()
		case "description":
			d.Description = r.text()
		case "distributions":
			d.Distributions.read(r)
		case "installation":
			d.Installation = r.rawUnlessNull()
		case "execution_config":
			d.ExecutionConfig.read(r)
		case "versions":
			r.list(func(int) {
				d.Versions = append(d.Versions, VersionDefinition{})
				r.notNull("an object", d.Versions[len(d.Versions)-1].read)
			})
		default:
			return false
		}
		return true
	})
}

func (v *VersionDefinition) read(r *reader) {
	r.object(&v.Unknown, func(key string) bool {
		switch key {
		case "version":
			v.Version = r.text()
		case "is_default":
			v.IsDefault, _ = r.boolean()
		case "distributions":
			v.Distributions.read(r)
		case "execution_config":
			v.ExecutionConfig.read(r)
		case "meta":
			v.Meta = r.rawUnlessNull()
		default:
			return false
		}
		return true
	})
}

func (d *Distributions) read(r *reader) {
	r.object(&d.Unknown, func(key string) bool {
		switch key {
		case "verification":
			if !r.null() {
				d.Verification = new(Verification)
				d.Verification.read(r)
			}
		case "min_version":
			d.MinVersion = r.text()
		case "recommended_version":
			d.RecommendedVersion = r.text()
		case "roles":
			r.list(func(int) { d.Roles = append(d.Roles, Role(r.element())) })
		default:
			return false
		}
		return true
	})
}

func (v *Verification) read(r *reader) {
	r.object(&v.Unknown, func(key string) bool {
		switch key {
		case "always_available":
			v.AlwaysAvailable, _ = r.boolean()
		case "check_required":
			v.CheckRequired.Value, v.CheckRequired.Set = r.boolean()
		case "commands":
			r.list(func(int) {
				v.Commands = append(v.Commands, Command{})
				r.notNull("an object", v.Commands[len(v.Commands)-1].read)
			})
		case "env":
			v.Env = r.texts()
		case "locations":
			v.Locations = r.texts()
		case "version_file":
			if !r.null() {
				v.VersionFile = new(VersionFile)
				v.VersionFile.read(r)
			}
		default:
			return false
		}
		return true
	})
}

func (c *Command) read(r *reader) {
	r.object(&c.Unknown, func(key string) bool {
		switch key {
		case "binary":
			c.Binary = r.text()
		case "args":
			c.Args = r.texts()
		case "exit_code":
			code, _ := r.integer(0, 255)
			c.ExitCode = int(code)
		case "pattern":
			c.Pattern = r.text()
		case "priority":
			// 32 bits, so that every database and every reader agrees.
			priority, ok := r.integer(-1<<31, 1<<31-1)
			c.Priority = Optional[int]{int(priority), ok}
		case "optional":
			c.Optional, _ = r.boolean()
		case "version_pattern":
			c.VersionPattern = r.text()
		case "timeout":
			c.Timeout = r.duration()
		default:
			return false
		}
		return true
	})
}

func (f *VersionFile) read(r *reader) {
	r.object(&f.Unknown, func(key string) bool {
		switch key {
		case "path":
			f.Path = r.text()
		case "pattern":
			f.Pattern = r.text()
		default:
			return false
		}
		return true
	})
}

func (e *ExecutionConfig) read(r *reader) {
	r.object(&e.Unknown, func(key string) bool {
		switch key {
		case "interpreter":
			if !r.null() {
				e.Interpreter = new(Interpreter)
				e.Interpreter.read(r)
			}
		case "environment":
			e.Environment = r.rawUnlessNull()
		case "dependencies":
			e.Dependencies = r.rawUnlessNull()
		case "env_vars":
			e.EnvVars = r.rawUnlessNull()
		default:
			return false
		}
		return true
	})
}

func (i *Interpreter) read(r *reader) {
	r.object(&i.Unknown, func(key string) bool {
		switch key {
		case "binary":
			i.Binary = r.text()
		case "args":
			i.Args = r.texts()
		case "file_extension":
			i.FileExtension = r.text()
		default:
			return false
		}
		return true
	})
}

// duration reads a Duration such as "10s".
func (r *reader) duration() Optional[Duration] {
	if r.null() {
		return Optional[Duration]{}
	}
	at := len(r.faults)
	s := r.element()
	if len(r.faults) > at {
		return Optional[Duration]{}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		r.fault(fmt.Sprintf("must be a duration such as %q, not %q", DefaultTimeout, excerpt(s)))
		return Optional[Duration]{}
	}
	return Some(Duration(d))
}

// notNull reads an element of a list with read; there null has no meaning.
func (r *reader) notNull(want string, read func(*reader)) {
	if r.peek() == 'n' {
		r.wrong(want)
		return
	}
	read(r)
}
