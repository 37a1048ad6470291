package detect

import (
	"slices"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// addFinding adds the finding about one runtime to a document.
func addFinding(c *capability.Document, f finding, explain bool) {
	c.Warnings = append(c.Warnings, f.warnings...)
	for _, in := range f.installations {
		if !explain {
			in.Attempts = nil
		}
		c.Detected = append(c.Detected, in)
	}
	for _, failed := range f.failed {
		if !explain {
			failed.Attempts = nil
		}
		c.Failed = append(c.Failed, failed)
	}
	if f.absence != nil {
		a := *f.absence
		if !explain {
			a.Attempts = nil
		}
		c.Undetected = append(c.Undetected, a)
	}
}

// mostInformative returns the first attempt with the most informative outcome. attempts
// must not be empty.
func mostInformative(attempts []capability.Attempt) capability.Attempt {
	return slices.MinFunc(attempts, func(a, b capability.Attempt) int { return a.Outcome.Compare(b.Outcome) })
}

// unreached reports whether a runtime is undetermined only because attempts were not
// reached.
func unreached(attempts []capability.Attempt) bool {
	some := false
	for _, a := range attempts {
		if a.Outcome.CouldNotTell() && !a.Unreached {
			return false
		}
		some = some || a.Unreached
	}
	return some
}

// documentHost converts a host's description for a document.
func documentHost(info host.Info) capability.Host {
	return capability.Host{OS: info.OS, Arch: info.Arch, User: info.User, Path: info.Path}
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
