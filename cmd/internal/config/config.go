// Package config reads attune's config file.
//
// The file may belong to a platform: sections of other programs are passed
// over, keys of ours that do not exist are warned of.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// File is a config file.
type File struct {
	// Path is the file that was read; empty when there is none.
	Path string `config:"-"`
	// Warnings name the keys that were not understood, each with its place, and
	// what was found and is not heeded.
	Warnings []string `config:"-"`
	// Note is for people who might expect another file to be read; usually empty.
	Note string `config:"-"`
	// Origins say where each value comes from, by key: "worker.name". A key with
	// its default has none.
	Origins map[string]Origin `config:"-"`

	Database Database `config:"database"`
	Worker   Service  `config:"worker"`
	Sensor   Service  `config:"sensor"`
	Policy   Policy   `config:"policy"`
}

// Database says where the rows are.
type Database struct {
	// URL is postgres://… or sqlite:PATH. Empty: none.
	URL string `config:"url"`
	// Schema of a Postgres database. Empty: the one that holds the tables.
	Schema string `config:"schema"`
	// IdleTimeout is that of service.Config; 0: connections are always given back.
	// Nil: the default of service.Config.
	IdleTimeout *time.Duration `config:"idle_timeout"`
}

// Service is the section of a worker or a sensor.
type Service struct {
	// Name of the row in worker. Empty: the host's name.
	Name string `config:"name"`
	// Type is local, remote or container. Empty: local.
	Type string `config:"type"`
	// Host and Port say how the platform reaches the worker. Empty: not said.
	Host string `config:"host"`
	Port int    `config:"port"`
	// VerifyDeclared verifies declared runtimes too. Zero trusts them.
	VerifyDeclared bool         `config:"verify_declared"`
	Capabilities   Capabilities `config:"capabilities"`
	// Labels are carried into the capability document. Nil: none.
	Labels map[string]string `config:"labels"`
	// MaxConcurrentExecutions is carried into the capability document. Zero: not
	// said.
	MaxConcurrentExecutions int `config:"max_concurrent_executions"`

	// HeartbeatInterval, VerifyInterval, UnconfirmedFor and FullEvery are those
	// of service.Config. Zero: its defaults.
	HeartbeatInterval time.Duration `config:"heartbeat_interval"`
	VerifyInterval    time.Duration `config:"verify_interval"`
	FullEvery         int           `config:"full_every"`
	UnconfirmedFor    time.Duration `config:"unconfirmed_for"`
	// KeepHistory is how long changes are kept; 0: for ever. Nil: the default of
	// service.Config.
	KeepHistory *time.Duration `config:"keep_history"`
	// Listen is the address of /healthz, /readyz and /metrics. Empty: none.
	Listen string `config:"listen"`
}

// Capabilities are what the file says about the host.
type Capabilities struct {
	// Runtimes are declared. Nil is unset; an empty list declares none.
	Runtimes []string
	// Extra are the other keys.
	Extra map[string]json.RawMessage
}

// Keys of the capability document that have a key of their own in the section.
// Under capabilities they follow the same rules.
const (
	LabelsKey        = "labels"
	MaxConcurrentKey = "max_concurrent_executions"
)

// MaxPort is the greatest port.
const MaxPort = 65535

// CheckLabel says why a worker cannot have a label.
func CheckLabel(key, value string) error {
	switch {
	case key == "":
		return errors.New("a label needs a name")
	case !utf8.ValidString(key + value), strings.ContainsFunc(key+value, unicode.IsControl):
		return errors.New("a label is text without control characters")
	}
	return nil
}

// Policy says what may run on this host.
type Policy struct {
	// Mode is standard, strict or open. Empty: standard.
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

// Error is everything that is wrong with a config file.
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
