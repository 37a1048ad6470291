package main

import (
	"fmt"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// declared reports whether the service's settings say which runtimes there are.
func (a *account) declared() bool {
	return a.Source == capability.SourceConfig || a.Source == capability.SourceEnvironment
}

// bySettings reports whether an outcome comes of the service's settings: its
// policy, or a name that they declare and nothing defines.
func (n *negative) bySettings(declared bool) bool {
	return n.Outcome == capability.DeniedByPolicy || declared && n.Outcome == capability.NoVerification
}

// reload is how a service comes to heed settings that were changed: verifying anew
// reads none.
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
