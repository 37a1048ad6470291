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
//attune:document column format=alias unique=fold
type Aliases []string

// Definition is a runtime as data: a row of runtime, or a file of a pack.
//
//attune:document check
type Definition struct {
	// Ref is pack.name, lower case: core.python.
	Ref             string              `json:"ref" attune:"required,format=ref"`
	PackRef         string              `json:"pack_ref,omitempty"`
	Name            string              `json:"name" attune:"required,format=name"`
	Aliases         Aliases             `json:"aliases,omitempty"`
	Description     string              `json:"description,omitempty"`
	Distributions   Distributions       `json:"distributions,omitzero"`
	Installation    json.RawMessage     `json:"installation,omitempty"`
	ExecutionConfig ExecutionConfig     `json:"execution_config,omitzero"`
	Versions        []VersionDefinition `json:"versions,omitempty" attune:"check=checkVersions"`
	Unknown         Unknown             `json:"-"`
}

// VersionDefinition is one version that a definition declares, with its own
// way to verify it.
//
//attune:document
type VersionDefinition struct {
	Version         string          `json:"version" attune:"required,format=version"`
	IsDefault       bool            `json:"is_default,omitempty"`
	Distributions   Distributions   `json:"distributions,omitzero"`
	ExecutionConfig ExecutionConfig `json:"execution_config,omitzero"`
	Meta            json.RawMessage `json:"meta,omitempty"`
	Unknown         Unknown         `json:"-"`
}

// Distributions is the metadata of a runtime: the document in
// runtime.distributions.
//
//attune:document column
//attune:guard runtime.distributions runtime_version.distributions
type Distributions struct {
	// Verification says how to verify; nil is a definition without it.
	Verification *Verification `json:"verification,omitempty"`
	// MinVersion: an installation below it does not count. Empty is no limit.
	MinVersion string `json:"min_version,omitempty" attune:"format=version"`
	// RecommendedVersion: an installation below it counts, with a warning.
	RecommendedVersion string `json:"recommended_version,omitempty" attune:"format=version"`
	// Roles that may use the runtime; empty is both.
	Roles   []Role  `json:"roles,omitempty" attune:"unique"`
	Unknown Unknown `json:"-"`

	// malformed is the stored document, where it could not be read: one bad row
	// neither hides the others nor is lost.
	malformed document.Malformed
}

// Verification says how a host verifies that it has a runtime.
//
//attune:document
type Verification struct {
	// AlwaysAvailable: available, and nothing is run.
	AlwaysAvailable bool `json:"always_available,omitempty"`
	// CheckRequired set to false: taken as available, unverified. Default true.
	CheckRequired Optional[bool] `json:"check_required,omitzero" attune:"default=true"`
	// Commands in the order they were written; Ordered gives the order in
	// which they are tried.
	Commands []Command `json:"commands,omitempty" attune:"order=priority"`
	// Env names variables of the host that are passed through to the probe.
	Env []string `json:"env,omitempty" attune:"format=env-name"`
	// Locations are globs of further executables that PATH does not show; a
	// leading ~ is the home folder.
	Locations []string `json:"locations,omitempty" attune:"format=location"`
	// VersionFile says where an executable's version is read without running
	// it.
	VersionFile *VersionFile `json:"version_file,omitempty"`
	Unknown     Unknown      `json:"-"`
}

// Command is one verification command.
//
//attune:document
type Command struct {
	// Binary is a name looked up in PATH, or an absolute path; required.
	Binary string   `json:"binary" attune:"required,format=binary"`
	Args   []string `json:"args,omitempty"`
	// ExitCode is the expected exit status, 0 to 255.
	ExitCode int `json:"exit_code,omitempty" attune:"min=0,max=255"`
	// Pattern is an RE2 expression that standard output, a newline and standard
	// error, taken together, must match. Empty matches everything.
	Pattern string `json:"pattern,omitempty" attune:"format=regexp"`
	// Priority: lower is tried first. Default DefaultPriority.
	Priority Optional[int] `json:"priority,omitzero" attune:"default=999"`
	// Optional: its failure is not worth a warning.
	Optional bool `json:"optional,omitempty"`
	// VersionPattern is an RE2 expression whose group "version", else first
	// group, is the version. Empty means the built-in extraction.
	VersionPattern string `json:"version_pattern,omitempty" attune:"format=version-pattern"`
	// Timeout bounds one run. Default DefaultTimeout.
	Timeout Optional[Duration] `json:"timeout,omitzero" attune:"default=10s,above=0s,max=5m"`
	Unknown Unknown            `json:"-"`
}

// VersionFile names the file beside an executable that says its version.
//
//attune:document
type VersionFile struct {
	// Path is relative to the executable's real folder.
	Path string `json:"path" attune:"required,format=relative-path"`
	// Pattern is an RE2 expression whose group "version", else first group, is
	// the version.
	Pattern string  `json:"pattern" attune:"required,format=version-pattern"`
	Unknown Unknown `json:"-"`
}

// ExecutionConfig says how a script of the runtime is executed: the document
// in runtime.execution_config.
//
//attune:document column
type ExecutionConfig struct {
	Interpreter  *Interpreter    `json:"interpreter,omitempty"`
	Environment  json.RawMessage `json:"environment,omitempty"`
	Dependencies json.RawMessage `json:"dependencies,omitempty"`
	EnvVars      json.RawMessage `json:"env_vars,omitempty"`
	Unknown      Unknown         `json:"-"`

	malformed document.Malformed
}

// Interpreter is the program that executes a script.
//
//attune:document
type Interpreter struct {
	Binary        string   `json:"binary,omitempty"`
	Args          []string `json:"args,omitempty"`
	FileExtension string   `json:"file_extension,omitempty"`
	Unknown       Unknown  `json:"-"`
}
