package metadata

// The keys of each type, in the order they are documented. The decoders and
// encoders follow them; a test keeps them equal.
var (
	definitionKeys = []string{"ref", "pack_ref", "name", "aliases", "description", "distributions",
		"installation", "execution_config", "versions"}
	versionKeys       = []string{"version", "is_default", "distributions", "execution_config", "meta"}
	distributionsKeys = []string{"verification", "min_version", "recommended_version", "roles"}
	verificationKeys  = []string{"always_available", "check_required", "commands", "env", "locations", "version_file"}
	commandKeys       = []string{"binary", "args", "exit_code", "pattern", "priority", "optional", "version_pattern", "timeout"}
	versionFileKeys   = []string{"path", "pattern"}
	executionKeys     = []string{"interpreter", "environment", "dependencies", "env_vars"}
	interpreterKeys   = []string{"binary", "args", "file_extension"}
)

// UnknownKey is a key that no type names. It is kept; it may be another
// program's, or a typing error.
type UnknownKey struct {
	// Pointer is the JSON pointer to it.
	Pointer string
	// Key is its last part, and Known the keys that its place has.
	Key   string
	Known []string
}

// UnknownKeys lists the keys of the definition, at every level, that its types
// do not name.
func (d *Definition) UnknownKeys() []UnknownKey {
	var out unknownKeys
	out.add("", d.Unknown, definitionKeys)
	out.distributions("/distributions", &d.Distributions)
	out.execution("/execution_config", &d.ExecutionConfig)
	for i := range d.Versions {
		v, at := &d.Versions[i], index("/versions", i)
		out.add(at, v.Unknown, versionKeys)
		out.distributions(at+"/distributions", &v.Distributions)
		out.execution(at+"/execution_config", &v.ExecutionConfig)
	}
	return out
}

type unknownKeys []UnknownKey

func (u *unknownKeys) add(at string, unknown Unknown, known []string) {
	for _, m := range unknown {
		*u = append(*u, UnknownKey{string(appendPointer([]byte(at), m.Key)), m.Key, known})
	}
}

func (u *unknownKeys) distributions(at string, d *Distributions) {
	u.add(at, d.Unknown, distributionsKeys)
	v := d.Verification
	if v == nil {
		return
	}
	at += "/verification"
	u.add(at, v.Unknown, verificationKeys)
	for i := range v.Commands {
		u.add(index(at+"/commands", i), v.Commands[i].Unknown, commandKeys)
	}
	if v.VersionFile != nil {
		u.add(at+"/version_file", v.VersionFile.Unknown, versionFileKeys)
	}
}

func (u *unknownKeys) execution(at string, e *ExecutionConfig) {
	u.add(at, e.Unknown, executionKeys)
	if e.Interpreter != nil {
		u.add(at+"/interpreter", e.Interpreter.Unknown, interpreterKeys)
	}
}
