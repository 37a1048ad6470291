package main

import (
	"fmt"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// declared reports whether the service's settings list the runtimes.
func (a *account) declared() bool {
	return a.Source == capability.SourceConfig || a.Source == capability.SourceEnvironment
}

// bySettings reports whether the service's settings cause an outcome: its policy, or
// a declared name without a definition.
func (n *negative) bySettings(declared bool) bool {
	return n.Outcome == capability.DeniedByPolicy || declared && n.Outcome == capability.NoVerification
}

// reload returns how to make a service use changed settings. A refresh does not read
// them.
func (a *account) reload() string {
	role := metadata.Worker
	if a.Worker.Role == string(metadata.Sensor) {
		role = metadata.Sensor
	}
	switch {
	case a.Worker.Stale || !a.Worker.runs():
		return a.Worker.again()
	case a.Source == capability.SourceEnvironment:
		return "after a change in its environment or config file, start the service there again: it reads the variables only then"
	}
	return fmt.Sprintf("after a change in its config file, reload the service there (SIGHUP, `systemctl reload attune-%s`): "+
		"`attune workers refresh` verifies by the settings that it has", role)
}
