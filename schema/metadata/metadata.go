// Package metadata says what a runtime definition is: the row or pack file
// that names a runtime and says how a host verifies that it has it.
//
// The types here are the one source of the document's shape. Keys that they do
// not name are kept, at every level.
package metadata

import (
	"encoding/json"

	"github.com/attune-go/attune/schema/document"
)

// Role says on whose behalf a host is asked: a worker runs actions, a sensor
// watches for triggers.
//
//attune:enum
type Role string

// The roles.
const (
	Worker Role = "worker"
	Sensor Role = "sensor"
)

// Aliases are the other names of a runtime. The first is its capability name.
//
//attune:document column format=alias unique most=64
//attune:guard runtime.aliases
type Aliases []string

// Definition is a runtime as data: a row of the table runtime, or a file in a
// pack's folder runtimes. Columns have the names of the keys; the versions are
// rows of runtime_version.
//
// Lists and texts have bounds, which Go, JSON Schema and both databases judge alike;
// only Go judges the size of an expression's program. A host reads at most 4,000
// definitions of a database, 16 MiB in sum: the core pack's first, then the others by
// ref. What goes beyond is left out, with a warning; on Postgres also what follows after
// 48 MiB have been unpacked. A definition is invalid if a document of it has more than
// 2 MiB, if it has more than 100 versions, or if it takes more than 512 KiB where
// Postgres stores it, or 16 MiB unpacked. That holds for the core pack's rows too.
//
// Values that contradict each other are refused where a pack is loaded, where a
// definition is stored and where code is generated from it, which JSON Schema and
// the databases cannot do: a pack_ref that is not the one of ref, an alias in upper
// and in lower case, a version or a default version that is there twice.
//
//attune:document
type Definition struct {
	// Ref is the runtime's name in the whole installation: the pack's, a dot, and
	// its own, as in core.python.
	Ref string `json:"ref" attune:"required,format=ref"`
	// PackRef is the pack it belongs to; left out, the one that ref names.
	PackRef string `json:"pack_ref,omitempty" attune:"format=pack-ref"`
	// Name is what people read.
	Name string `json:"name" attune:"required,format=name,guard=runtime.name"`
	// Aliases are its other names, in any case. The first is the capability name,
	// under which a host advertises it; without aliases that is the last part of
	// ref.
	Aliases Aliases `json:"aliases,omitempty"`
	// Description says in a few words what it is.
	Description string `json:"description,omitempty"`
	// Distributions says how to verify it.
	Distributions Distributions `json:"distributions,omitzero"`
	// Installation is kept for the platform.
	Installation json.RawMessage `json:"installation,omitempty"`
	// ExecutionConfig says how a script is executed.
	ExecutionConfig ExecutionConfig `json:"execution_config,omitzero"`
	// Versions are those that have their own way to be verified.
	Versions []VersionDefinition `json:"versions,omitempty" attune:"most=100"`
	Unknown  Unknown             `json:"-"`
}

// VersionDefinition is one version that a definition declares, with its own
// way to verify it.
//
//attune:document
type VersionDefinition struct {
	// Version is what its tools print.
	Version string `json:"version" attune:"required,bare,format=version"`
	// IsDefault: the version that is meant where none is named.
	IsDefault bool `json:"is_default,omitempty"`
	// Distributions says how to verify this version.
	Distributions Distributions `json:"distributions,omitzero"`
	// ExecutionConfig says how a script is executed; without an interpreter, the
	// definition's.
	ExecutionConfig ExecutionConfig `json:"execution_config,omitzero"`
	// Meta is kept for the platform.
	Meta    json.RawMessage `json:"meta,omitempty"`
	Unknown Unknown         `json:"-"`
}

// Distributions is the metadata of a runtime.
//
//attune:document column
//attune:guard runtime.distributions runtime_version.distributions
type Distributions struct {
	// Verification says how to verify; without it no host has the runtime.
	Verification *Verification `json:"verification,omitempty"`
	// MinVersion: an installation below it does not count, and that is said.
	MinVersion string `json:"min_version,omitempty" attune:"bare,format=version"`
	// RecommendedVersion: an installation below it counts, with a warning.
	RecommendedVersion string `json:"recommended_version,omitempty" attune:"bare,format=version"`
	// Roles are those that may use the runtime; none is both.
	Roles   []Role  `json:"roles,omitempty" attune:"unique"`
	Unknown Unknown `json:"-"`

	// malformed is the stored document, where it could not be read: one bad row
	// neither hides the others nor is lost.
	malformed document.Malformed
}

// Verification says how a host verifies that it has a runtime. Where something
// must be checked and there are no commands, the runtime is not available.
//
//attune:document
type Verification struct {
	// AlwaysAvailable: available, and nothing is run.
	AlwaysAvailable bool `json:"always_available,omitempty"`
	// CheckRequired set to false: taken as available, unverified.
	CheckRequired Optional[bool] `json:"check_required,omitzero" attune:"default=true"`
	// Commands are tried by ascending priority, ties in the order in which they
	// are written; the first success wins.
	Commands []Command `json:"commands,omitempty" attune:"order=priority,most=64"`
	// Env names variables of the host that are passed through to the probe, as far
	// as a trusted pack asks for them or the host's policy.env names them.
	Env []string `json:"env,omitempty" attune:"format=env-name,most=64"`
	// Locations are globs of further executables that PATH does not show, of
	// which those are taken that are named as a command is, but for a version at
	// the end. A leading ~ is the home folder, and a leading $NAME the folder in a
	// version manager's variable, such as PYENV_ROOT; without it the glob is skipped.
	Locations []string `json:"locations,omitempty" attune:"format=location,most=128"`
	// VersionFile says where the version of an executable is read that was started and
	// answered. Hosts read it for trusted packs only.
	VersionFile *VersionFile `json:"version_file,omitempty"`
	Unknown     Unknown      `json:"-"`
}

// Command is one verification command. It is never given to a shell.
//
//attune:document
type Command struct {
	// Binary is a name that is looked up in PATH, or an absolute path; never a
	// shell line.
	Binary string `json:"binary" attune:"required,format=binary"`
	// Args are its arguments.
	Args []string `json:"args,omitempty" attune:"most=64,length=8192"`
	// ExitCode is the exit status that is expected.
	ExitCode int `json:"exit_code,omitempty" attune:"min=0,max=255"`
	// Pattern must match standard output, a newline and standard error, taken
	// together; none matches everything.
	Pattern string `json:"pattern,omitempty" attune:"format=regexp,length=1000"`
	// Priority: lower is tried first.
	Priority Optional[int] `json:"priority,omitzero" attune:"default=999"`
	// Optional: its failure is not worth a warning.
	Optional bool `json:"optional,omitempty"`
	// VersionPattern finds the version in the output: its group "version", else
	// its first group. None: the version is found by itself.
	VersionPattern string `json:"version_pattern,omitempty" attune:"format=version-pattern,length=1000"`
	// AllVersions: each match of version_pattern is an installation, as for a program
	// that has several versions behind one executable; at most 64.
	AllVersions bool `json:"all_versions,omitempty"`
	// VersionedNames: executables in PATH count too whose names have a version behind
	// the binary's: python3.12, php84, lua-5.1, ruby.ruby3.2 and pwsh-preview, at most
	// 16 in each folder. They must answer as the binary does.
	VersionedNames bool `json:"versioned_names,omitempty"`
	// Timeout bounds one run.
	Timeout Optional[Duration] `json:"timeout,omitzero" attune:"default=10s,above=0s,max=5m"`
	Unknown Unknown            `json:"-"`
}

// VersionFile names the file of an installation that says its version. The
// installation is the folder in which the executable really lies, and where that
// is named bin the folder above: all of /usr/lib/jvm/java-17 for its bin/java. A
// folder that programs of all kinds share, such as /usr, /usr/local, /etc, /opt or
// a home folder, is no installation. No part of the path may be a link, and
// everybody must be able to read the file. A file is no proof: the command is run, and
// its output gives the version where the file cannot be read.
//
//attune:document
type VersionFile struct {
	// Path is relative to the folder in which the executable really lies:
	// ../release. It must not lead out of the installation.
	Path string `json:"path" attune:"required,format=relative-path"`
	// Pattern finds the version in the file: its group "version", else its first
	// group.
	Pattern string  `json:"pattern" attune:"required,format=version-pattern,length=1000"`
	Unknown Unknown `json:"-"`
}

// ExecutionConfig says how a script of the runtime is executed. Platforms keep
// their own things in it, so it is judged only as far as it must be read.
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

// Interpreter is the program that executes a script. It must be the installation
// that a command verified, or that installation does not count.
//
//attune:document
type Interpreter struct {
	// Binary is its name or path.
	Binary string `json:"binary,omitempty"`
	// Args stand before the script.
	Args []string `json:"args,omitempty" attune:"most=64,length=8192"`
	// FileExtension is that of its scripts, such as .py.
	FileExtension string  `json:"file_extension,omitempty"`
	Unknown       Unknown `json:"-"`
}
