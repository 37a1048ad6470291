package detect

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// ExcerptLimit is how many bytes of a probe's output its evidence keeps.
const ExcerptLimit = 1 << 10

// Format is the format number of the capability document.
const Format = 1

// Capabilities is the capability document: what a host can do, as stored in
// worker.capabilities and printed by detect --json.
type Capabilities struct {
	Format int `json:"format"`
	// Runtimes are the capability names, sorted and unique.
	Runtimes []string `json:"runtimes"`
	// RuntimeVersions are the versions by capability name, newest first.
	RuntimeVersions map[string][]string `json:"runtime_versions"`
	Detected        []Detection         `json:"detected"`
	Undetected      []Absence           `json:"undetected"`
	// Failed are executables that were found and do not count.
	Failed        []Failure `json:"failed,omitempty"`
	Source        Source    `json:"source"`
	Host          host.Info `json:"host"`
	AttuneVersion string    `json:"attune_version"`
	Warnings      []string  `json:"warnings,omitempty"`
	// Refreshed is the last request to verify everything anew that a service had
	// seen when it began with a round that has ended, by the database's clock; the
	// zero time where it had seen none.
	Refreshed time.Time `json:"refreshed,omitzero"`
	// Extra are the further keys of the config file's capabilities; they are
	// members of the document itself, after its own keys.
	Extra map[string]json.RawMessage `json:"-"`
}

// Source says which tier answered.
type Source string

// The sources of a document.
const (
	SourceEnvironment Source = "environment"
	SourceConfig      Source = "config"
	SourceDatabase    Source = "database"
	// SourcePack: no database was used.
	SourcePack Source = "pack"
)

// Basis says how an entry of the document is known.
type Basis string

// How an entry is known.
const (
	Verified        Basis = "verified"
	Declared        Basis = "declared"
	AlwaysAvailable Basis = "always_available"
	Unverified      Basis = "unverified"
)

// Detection is one installation of a runtime that a host has.
type Detection struct {
	Ref string `json:"ref"`
	// Name is the capability name.
	Name string `json:"name"`
	// Version is canonical and VersionRaw as the tool printed it; both are
	// empty where none is known.
	Version    string `json:"version,omitempty"`
	VersionRaw string `json:"version_raw,omitempty"`
	// Path is the executable that answers, as it was found: perhaps a link, never
	// a shim whose executable is known. RealPath is the file that it is.
	Path     string `json:"path,omitempty"`
	RealPath string `json:"real_path,omitempty"`
	// Shim is the shim along PATH that runs Path; empty where there is none.
	Shim string `json:"shim,omitempty"`
	// Default: this is the one of the runtime's installations that PATH gives,
	// by a shim or not. Where what PATH gives does not count, none is.
	Default bool     `json:"default,omitempty"`
	Command []string `json:"command,omitempty"`
	Outcome Outcome  `json:"outcome"`
	Source  Basis    `json:"source"`
	// VerifiedAt is the zero time where nothing was verified.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	// UnconfirmedSince is when a service that verifies again and again could
	// first not tell any more whether it is there; the zero time while it can.
	// What else is said is from before.
	UnconfirmedSince time.Time `json:"unconfirmed_since,omitzero"`
	// DurationMS is the probe's wall time in milliseconds; 0 where nothing ran.
	DurationMS float64  `json:"duration_ms"`
	Warnings   []string `json:"warnings"`
	// VersionFile is the file the version was read from, where nothing was run.
	VersionFile string `json:"version_file,omitempty"`
	// Attempts are the attempts up to this one, with their evidence; only where
	// they were asked for (Config.Explain).
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Absence is a runtime that is not there, or of which the host could not tell.
type Absence struct {
	Ref     string  `json:"ref"`
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// Detail is one sentence: what was looked for and what was found instead.
	Detail string `json:"detail,omitempty"`
	// Hint is what would help: a line of config, a package, a fix.
	Hint string `json:"hint,omitempty"`
	// Attempts are every attempt with its evidence; only where they were asked
	// for (Config.Explain).
	Attempts []Attempt `json:"attempts,omitempty"`
	// Unreached: the host could not tell as it did not come to asking; see Attempt.
	Unreached bool `json:"-"`
}

// Attempt is one probe with its evidence.
type Attempt struct {
	Command  []string `json:"command"`
	Path     string   `json:"path,omitempty"`
	RealPath string   `json:"real_path,omitempty"`
	// ExitCode is nil when the command did not exit by itself.
	ExitCode   *int    `json:"exit_code,omitempty"`
	Signal     string  `json:"signal,omitempty"`
	DurationMS float64 `json:"duration_ms"`
	// VersionFile is the file the version was read from; nothing was run then.
	VersionFile string `json:"version_file,omitempty"`
	// Output is an excerpt of standard output, a newline and standard error, at
	// most ExcerptLimit bytes of valid UTF-8; control characters are kept, so a
	// terminal must be shielded from them.
	Output         string  `json:"output,omitempty"`
	Pattern        string  `json:"pattern,omitempty"`
	PatternMatched *bool   `json:"pattern_matched,omitempty"`
	Version        string  `json:"version,omitempty"`
	VersionRaw     string  `json:"version_raw,omitempty"`
	Optional       bool    `json:"optional,omitempty"`
	Outcome        Outcome `json:"outcome"`
	// Detail is one sentence on the outcome.
	Detail string `json:"detail,omitempty"`
	// Hint is what would help: a line of config, a package, a fix.
	Hint string `json:"hint,omitempty"`
	// Unreached: the command was never run, as others took all the time that the
	// detection had. It ended as Timeout, which says nothing against it.
	Unreached bool `json:"-"`
}

// unreached reports whether attempts leave a runtime open only as some were not
// reached.
func unreached(attempts []Attempt) bool {
	some := false
	for _, a := range attempts {
		if a.Outcome.CouldNotTell() && !a.Unreached {
			return false
		}
		some = some || a.Unreached
	}
	return some
}
