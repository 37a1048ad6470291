// Package metadata defines the definition of a runtime: the row or pack file that names a
// runtime and describes how a host verifies it.
//
// The types of this package are the only source of the document's shape. Unknown keys are
// kept at every level.
package metadata

import (
	"encoding/json"

	"github.com/attune-go/attune/schema/document"
)

// A Role is the kind of program that uses a host's runtimes. A worker runs actions, and a
// sensor watches for triggers.
//
//attune:enum
type Role string

// The roles.
const (
	Worker Role = "worker"
	Sensor Role = "sensor"
)

// Aliases holds the names of a runtime. The first one is its capability name.
//
//attune:document column format=alias unique most=64
//attune:guard runtime.aliases
type Aliases []string

// A Definition describes a runtime: a row of the table runtime, or a file in the folder
// runtimes of a pack. Columns have the names of the keys. Versions are rows of
// runtime_version.
//
// Lists and texts have bounds that Go, JSON Schema and both databases check alike. Only Go
// checks the compiled size of an expression. A host reads at most 4,000 definitions, 16,000
// commands or 16 MiB of a database: the core pack's first, then the others by ref. It leaves out
// the rest with a warning, on Postgres also what follows after 48 MiB have been unpacked. A
// definition is invalid if one of its documents has more than 2 MiB, if it has more than 100
// versions, or if Postgres stores it in more than 512 KiB or unpacks it to more than 16 MiB.
// These limits apply to the rows of the core pack too.
//
// Values must not contradict each other: a pack_ref that differs from the pack in ref, an alias
// in two cases, or a duplicate version or default version. Loading a pack, storing a
// definition and generating code refuse them. JSON Schema and the databases cannot.
//
//attune:document
type Definition struct {
	// Ref is the runtime's unique name: the name of the pack, a dot, and its own name, as in
	// core.python.
	Ref string `json:"ref" attune:"required,format=ref"`
	// PackRef is the pack of the runtime. Defaults to the pack in ref.
	PackRef string `json:"pack_ref,omitempty" attune:"format=pack-ref"`
	// Name is the name for people.
	Name string `json:"name" attune:"required,format=name,guard=runtime.name"`
	// Aliases are the runtime's other names, in any case. The first is the capability name, under
	// which a host advertises the runtime. Without aliases, that is the last part of ref.
	Aliases Aliases `json:"aliases,omitempty"`
	// Description describes the runtime in a few words.
	Description string `json:"description,omitempty"`
	// Distributions describes how to verify the runtime.
	Distributions Distributions `json:"distributions,omitzero"`
	// Installation is kept for the platform.
	Installation json.RawMessage `json:"installation,omitempty"`
	// ExecutionConfig describes how to execute a script.
	ExecutionConfig ExecutionConfig `json:"execution_config,omitzero"`
	// Versions are the versions with their own verification.
	Versions []VersionDefinition `json:"versions,omitempty" attune:"most=100"`
	Unknown  Unknown             `json:"-"`
}

// A VersionDefinition is one version of a definition, with its own verification.
//
//attune:document
type VersionDefinition struct {
	// Version is the version as its tools print it.
	Version string `json:"version" attune:"required,bare,format=version"`
	// IsDefault marks the version for uses that name no version.
	IsDefault bool `json:"is_default,omitempty"`
	// Distributions describes how to verify this version.
	Distributions Distributions `json:"distributions,omitzero"`
	// ExecutionConfig describes how to execute a script. Without an interpreter, the definition's
	// interpreter is used.
	ExecutionConfig ExecutionConfig `json:"execution_config,omitzero"`
	// Meta is kept for the platform.
	Meta    json.RawMessage `json:"meta,omitempty"`
	Unknown Unknown         `json:"-"`
}

// Distributions describes how to verify a runtime, and which versions and roles it is for.
//
//attune:document column
//attune:guard runtime.distributions runtime_version.distributions
type Distributions struct {
	// Verification describes how to verify the runtime. Without it no host has the runtime.
	Verification *Verification `json:"verification,omitempty"`
	// MinVersion is the least version that counts. Lower ones are reported as absent.
	MinVersion string `json:"min_version,omitempty" attune:"bare,format=version"`
	// RecommendedVersion is the least version without a warning.
	RecommendedVersion string `json:"recommended_version,omitempty" attune:"bare,format=version"`
	// Roles are the roles that may use the runtime. Defaults to both.
	Roles   []Role  `json:"roles,omitempty" attune:"unique"`
	Unknown Unknown `json:"-"`

	// malformed keeps a stored document that could not be read, so that one bad row neither hides
	// the others nor is lost.
	malformed document.Malformed
}

// Verification describes how a host verifies that it has a runtime. If a check is required
// and there are no commands, the runtime is not available.
//
//attune:document
type Verification struct {
	// AlwaysAvailable makes the runtime available without running a command.
	AlwaysAvailable bool `json:"always_available,omitempty"`
	// CheckRequired set to false makes the runtime available and unverified.
	CheckRequired Optional[bool] `json:"check_required,omitzero" attune:"default=true"`
	// Commands are tried by ascending priority, and in the written order for the same priority.
	// The first success wins.
	Commands []Command `json:"commands,omitempty" attune:"order=priority,most=64"`
	// Env names variables of the host that are passed to the commands. The pack must be trusted, or
	// the host's policy.env must name the variable.
	Env []string `json:"env,omitempty" attune:"format=env-name,most=64"`
	// Locations are globs of executables that PATH does not show. The file must have the name
	// of a command, which may end with a version. A leading ~ is the home folder. A leading
	// $NAME is the folder in a version manager's variable, such as PYENV_ROOT; a host without
	// the variable skips the glob.
	Locations []string `json:"locations,omitempty" attune:"format=location,most=128"`
	// VersionFile is the file that contains the version of an executable that was started and
	// answered. Hosts read it for trusted packs only.
	VersionFile *VersionFile `json:"version_file,omitempty"`
	Unknown     Unknown      `json:"-"`
}

// A Command is one verification command. It is never given to a shell.
//
//attune:document
type Command struct {
	// Binary is a name that is looked up in PATH, or an absolute path. It must not be a shell line.
	Binary string `json:"binary" attune:"required,format=binary"`
	// Args are the arguments.
	Args []string `json:"args,omitempty" attune:"most=64,length=8192"`
	// ExitCode is the expected exit status.
	ExitCode int `json:"exit_code,omitempty" attune:"min=0,max=255"`
	// Pattern must match the standard output, a newline and the standard error together. Defaults
	// to a pattern that matches everything.
	Pattern string `json:"pattern,omitempty" attune:"format=regexp,length=1000"`
	// Priority is the order of the commands. Lower ones are tried first.
	Priority Optional[int] `json:"priority,omitzero" attune:"default=999"`
	// Optional suppresses the warning about a failure.
	Optional bool `json:"optional,omitempty"`
	// VersionPattern matches the version in the output. The version is the group "version", else
	// the first group. Without a pattern the version is found automatically.
	VersionPattern string `json:"version_pattern,omitempty" attune:"format=version-pattern,length=1000"`
	// AllVersions makes each match of version_pattern an installation, for a program that has
	// several versions behind one executable. At most 64 count.
	AllVersions bool `json:"all_versions,omitempty"`
	// VersionedNames makes executables in PATH count whose names are the binary's with a version:
	// python3.12, php84, lua-5.1, ruby.ruby3.2 and pwsh-preview. At most 16 in each folder
	// count, and none in a folder shims. They must answer like the binary.
	VersionedNames bool `json:"versioned_names,omitempty"`
	// Timeout is the greatest duration of one run.
	Timeout Optional[Duration] `json:"timeout,omitzero" attune:"default=10s,above=0s,max=5m"`
	Unknown Unknown            `json:"-"`
}

// A VersionFile is a file of an installation that contains its version.
//
// The installation is the folder of the real executable, or the folder above if that is named
// bin: all of /usr/lib/jvm/java-17 for its bin/java. A folder that unrelated programs share
// does not count as an installation, such as /usr, /usr/local, /etc, /opt or a home folder. No
// part of the path may be a link, and everybody must be able to read the file. The file proves
// nothing: the command is run, and its output has the version if the file cannot be read.
//
//attune:document
type VersionFile struct {
	// Path is relative to the folder of the real executable, such as ../release. It must not lead
	// out of the installation.
	Path string `json:"path" attune:"required,format=relative-path"`
	// Pattern matches the version in the file. The version is the group "version", else the first
	// group.
	Pattern string  `json:"pattern" attune:"required,format=version-pattern,length=1000"`
	Unknown Unknown `json:"-"`
}

// ExecutionConfig describes how to execute a script of the runtime. Platforms keep keys of
// their own in it, so only the keys below are checked.
//
//attune:document column
//attune:guard runtime.execution_config runtime_version.execution_config
type ExecutionConfig struct {
	// Interpreter is the program that executes a script.
	Interpreter *Interpreter `json:"interpreter,omitempty"`
	// Environment is kept for the platform.
	Environment json.RawMessage `json:"environment,omitempty"`
	// Dependencies is kept for the platform.
	Dependencies json.RawMessage `json:"dependencies,omitempty"`
	// EnvVars is kept for the platform.
	EnvVars json.RawMessage `json:"env_vars,omitempty"`
	Unknown Unknown         `json:"-"`

	malformed document.Malformed
}

// An Interpreter is the program that executes a script. It must be the installation that a
// command verified. Otherwise that installation does not count.
//
//attune:document
type Interpreter struct {
	// Binary is the name or path of the program.
	Binary string `json:"binary,omitempty"`
	// Args are the arguments before the script.
	Args []string `json:"args,omitempty" attune:"most=64,length=8192"`
	// FileExtension is the extension of script files, such as .py.
	FileExtension string  `json:"file_extension,omitempty"`
	Unknown       Unknown `json:"-"`
}
