// Package capability holds the capability document: what a host can do, as
// worker.capabilities stores it. Detector, store and readers share its types.
package capability

import (
	"encoding/json"
	"time"
)

// Format is the format number that this release writes.
const Format = 1

// A Document lists the runtimes of one host. It is stored in worker.capabilities and
// printed by detect --json.
type Document struct {
	Format int `json:"format"`
	// Runtimes holds the capability names, sorted and unique.
	Runtimes []string `json:"runtimes"`
	// RuntimeVersions holds the versions by capability name, newest first.
	RuntimeVersions map[string][]string `json:"runtime_versions"`
	Detected        []Installation      `json:"detected"`
	Undetected      []Absence           `json:"undetected"`
	// Failed holds executables that were found and do not count.
	Failed        []Failure `json:"failed,omitempty"`
	Source        Source    `json:"source"`
	Host          Host      `json:"host"`
	AttuneVersion string    `json:"attune_version"`
	// Definitions identifies the definitions that were read from a database. Nil means that every
	// runtime that the host does not have has an entry.
	Definitions *Definitions `json:"definitions,omitempty"`
	Warnings    []string     `json:"warnings,omitempty"`
	// Refreshed is the time of the last refresh request that a finished round has
	// served, by the database's clock. The zero time means none.
	Refreshed time.Time `json:"refreshed,omitzero"`
	// Extra holds the further keys of the config file's capabilities. They are
	// written as members of the document, behind its own keys.
	Extra map[string]json.RawMessage `json:"-"`
}

// A Host describes the machine that a document is about.
type Host struct {
	// OS and Arch are Go's names: linux, amd64.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	User string `json:"user"`
	// Path holds the folders searched for executables, in order. Relative entries
	// of PATH are left out.
	Path []string `json:"path"`
}

// A Source names the tier that produced a document.
type Source string

// The sources of a document.
const (
	SourceEnvironment Source = "environment"
	SourceConfig      Source = "config"
	SourceDatabase    Source = "database"
	// SourcePack means that no database was used.
	SourcePack Source = "pack"
)

// A Basis names how an entry of a document is known.
type Basis string

// How an entry is known.
const (
	Verified        Basis = "verified"
	Declared        Basis = "declared"
	AlwaysAvailable Basis = "always_available"
	Unverified      Basis = "unverified"
)

// An Installation is one executable of a runtime that a host has.
type Installation struct {
	Ref string `json:"ref"`
	// Name is the capability name.
	Name string `json:"name"`
	// Version is canonical, VersionRaw the text that the tool printed. Both are
	// empty if no version is known.
	Version    string `json:"version,omitempty"`
	VersionRaw string `json:"version_raw,omitempty"`
	// Path is the executable as it was found. It may be a link, but not a shim whose
	// executable is known. RealPath is the file behind it.
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	// Shim is the shim in PATH that runs Path, if any.
	Shim string `json:"shim,omitempty"`
	// Default reports whether PATH leads to this installation, directly or by a shim.
	// If what PATH leads to does not count, no installation is the default.
	Default bool     `json:"default,omitempty"`
	Command []string `json:"command,omitempty"`
	Outcome Outcome  `json:"outcome"`
	Source  Basis    `json:"source"`
	// VerifiedAt is the zero time if nothing was verified.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	// Remembered reports that the command was not started for this document, because
	// nothing had changed since VerifiedAt.
	Remembered bool `json:"remembered,omitempty"`
	// UnconfirmedSince is the time of the first round that could not determine whether
	// the installation is still there. The zero time means that it is confirmed. The
	// other fields hold what was known before.
	UnconfirmedSince time.Time `json:"unconfirmed_since,omitzero"`
	// DurationMS is the probe's wall time in milliseconds; 0 if nothing ran.
	DurationMS float64  `json:"duration_ms"`
	Warnings   []string `json:"warnings"`
	// VersionFile is the file that the version was read from, if it was not printed.
	VersionFile string `json:"version_file,omitempty"`
	// Attempts holds the attempts up to this one with their evidence, if the detector
	// was asked to explain.
	Attempts []Attempt `json:"attempts,omitempty"`
}

// An Absence is a runtime that a host does not have, or that could not be determined.
type Absence struct {
	Ref     string  `json:"ref"`
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// Detail is one sentence: what was looked for and what was found instead.
	Detail string `json:"detail,omitempty"`
	// Hint names a remedy: a line of config, a package, a fix.
	Hint string `json:"hint,omitempty"`
	// Attempts holds every attempt with its evidence, if the detector was asked to
	// explain.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Unreached reports that no command of the runtime was run for lack of time.
	Unreached bool `json:"-"`
}

// A Failure is an executable that was found for a runtime and does not count as an
// installation. Without a Path it stands for a version that the definition declares and
// that cannot be verified or was not found, or, without a Declared version too, for
// locations that were not searched to their ends.
type Failure struct {
	Ref string `json:"ref"`
	// Name is the capability name.
	Name string `json:"name"`
	// Path is the executable as it was found, perhaps a link or a shim. RealPath is the
	// file behind it.
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	// Declared is the version that the definition declares; only without a Path.
	Declared string `json:"declared,omitempty"`
	// Version is the version of the executable, which does not count. It is empty if
	// none is known, as for a failing command.
	Version string `json:"version,omitempty"`
	// Outcome is the outcome of the most informative attempt, never Available.
	Outcome Outcome `json:"outcome"`
	// Detail explains the outcome in one sentence; Hint names a remedy.
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
	// VerifiedAt is the zero time if nothing was tried.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	// Remembered reports that no command was started for this document, as for an
	// Installation.
	Remembered bool `json:"remembered,omitempty"`
	// Attempts holds the first few distinct attempts with their evidence, if the
	// detector was asked to explain.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Unreached reports that no command was run for lack of time.
	Unreached bool `json:"-"`
}
