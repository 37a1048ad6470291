// Package config reads attune's config file.
//
// The file may belong to a platform: sections of other programs are passed
// over, and unknown keys in our sections are warnings.
package config

import (
	"encoding/json"
	"fmt"
	"time"
)

// A File is a config file.
type File struct {
	// Path is the file that was read, or empty.
	Path string `config:"-"`
	// Warnings name the unknown keys, each with its place, and what was found but is
	// not heeded.
	Warnings []string `config:"-"`
	// Note is for people who might expect another file to be read; usually empty.
	Note string `config:"-"`
	// Origins say where each value comes from, by key: "worker.name". A key with
	// its default is left out.
	Origins map[string]Origin `config:"-"`

	Database Database `config:"database"`
	Worker   Service  `config:"worker"`
	Sensor   Service  `config:"sensor"`
	Policy   Policy   `config:"policy"`
}

// A Database says where the rows are.
type Database struct {
	// URL is postgres://… or sqlite:PATH. Defaults to the embedded file.
	URL string `config:"url"`
	// Schema is the schema of a Postgres database. Defaults to the one that holds the
	// tables.
	Schema string `config:"schema"`
	// IdleTimeout is service.Config.IdleTimeout. 0 always gives connections back; nil
	// is the default of service.Config.
	IdleTimeout *time.Duration `config:"idle_timeout"`
}

// A Service is the section of a worker or a sensor.
type Service struct {
	// Name is the name of the row in worker. Defaults to the host's name.
	Name string `config:"name"`
	// Type is local, remote or container. Defaults to local.
	Type string `config:"type"`
	// Host and Port say how the platform reaches the worker. Zero values keep what
	// the row has.
	Host string `config:"host"`
	Port int    `config:"port"`
	// VerifyDeclared verifies declared runtimes instead of trusting them.
	VerifyDeclared bool         `config:"verify_declared"`
	Capabilities   Capabilities `config:"capabilities"`
	// Labels are carried into the capability document.
	Labels map[string]string `config:"labels"`
	// Taints are carried into the capability document, each as KEY[=VALUE][:EFFECT].
	Taints []string `config:"taints"`
	// MaxConcurrentExecutions is carried into the capability document, unless it is
	// zero.
	MaxConcurrentExecutions int `config:"max_concurrent_executions"`

	// HeartbeatInterval, VerifyInterval, UnconfirmedFor and FullEvery are the fields
	// of service.Config. Zero values are its defaults.
	HeartbeatInterval time.Duration `config:"heartbeat_interval"`
	VerifyInterval    time.Duration `config:"verify_interval"`
	FullEvery         int           `config:"full_every"`
	UnconfirmedFor    time.Duration `config:"unconfirmed_for"`
	// KeepHistory is how long changes are kept. 0 keeps them for ever; nil is the
	// default of service.Config.
	KeepHistory *time.Duration `config:"keep_history"`
	// MaxAge is how old remembered answers may be. 0 starts every command; nil is the
	// default of detect.MemoryConfig.
	MaxAge *time.Duration `config:"max_age"`
	// ReportOnly keeps executions of a platform away: true, false or auto, its default,
	// which does where the platform has executions.
	ReportOnly string `config:"report_only"`
	// Listen is the address of /healthz, /readyz and /metrics. Empty disables them.
	Listen string `config:"listen"`
}

// Capabilities holds what the file declares about the host.
type Capabilities struct {
	// Runtimes are the declared runtimes. Nil verifies all definitions; an empty list
	// declares that the host has no runtimes.
	Runtimes []string
	// Extra are the other keys.
	Extra map[string]json.RawMessage
}

// Keys of the capability document that have a key of their own in the section.
// Under capabilities they follow the same rules.
const (
	LabelsKey        = "labels"
	TaintsKey        = "taints"
	MaxConcurrentKey = "max_concurrent_executions"
)

// ReportOnly lists the values of report_only.
var ReportOnly = []string{"auto", "true", "false"}

// MaxPort is the greatest port.
const MaxPort = 65535

// A Policy says what may run on this host.
type Policy struct {
	// Mode is standard, strict or open. Defaults to standard.
	Mode string `config:"mode"`
	// Allow and Deny are command lines.
	Allow []string `config:"allow"`
	Deny  []string `config:"deny"`
	// Env names variables that definitions outside the trusted packs may ask for.
	Env []string `config:"env"`
	// TrustedPacks are pack folders whose commands may run. In a file, a relative
	// one is relative to the file's folder.
	TrustedPacks []string `config:"trusted_packs"`
}

// An Error holds all faults of a config file.
type Error struct {
	Path string
	// Faults are one line each, with file and line.
	Faults []string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("read config file %s", e.Path)
	for _, f := range e.Faults {
		text += "\n  " + f
	}
	return text
}
