package service

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
)

// A confirmation decides how long installations are kept that could not be determined.
type confirmation struct {
	at   time.Time
	keep time.Duration
	// files holds the former executables with the errors of looking at them.
	files map[string]error
	// patient keeps executables for which no time was left, without limit.
	patient bool
}

// confirm adds former installations that could not be determined this time to what was found,
// each for a limited time. Installations that are absent, or that no definition looks for,
// are dropped at once.
func confirm(before, found *capability.Document, c confirmation) *capability.Document {
	var kept []capability.Installation
	for _, former := range before.Detected {
		if slices.ContainsFunc(found.Detected, func(d capability.Installation) bool { return sameInstallation(former, d) }) {
			continue
		}
		attempts, open, unreached := c.open(former, found)
		if !open {
			continue
		}
		excused := unreached && c.patient
		if former.UnconfirmedSince.IsZero() && !excused {
			former.UnconfirmedSince = c.at
		}
		if excused || c.at.Sub(former.UnconfirmedSince) < c.keep {
			former.Attempts = attempts
			kept = append(kept, former)
		}
	}
	if kept == nil {
		return found
	}
	return found.With(kept...)
}

// recall returns the document of a process that has ended, for use as the former one. It
// resets UnconfirmedSince if it lies in the future or so far back that nothing would be
// kept: then another clock wrote it, or the service was off for long.
func recall(before *capability.Document, now time.Time, keep time.Duration) *capability.Document {
	if before == nil {
		return &capability.Document{}
	}
	for i := range before.Detected {
		since := &before.Detected[i].UnconfirmedSince
		if since.After(now) || now.Sub(*since) >= keep {
			*since = time.Time{}
		}
	}
	return before
}

// open reports whether a former installation that was not found may still be there, and
// returns the attempts that could not determine it. The result of its own executable
// decides, or else that of its runtime, such as a timeout or invalid metadata. unreached
// means that no time was left to run any of its commands.
func (c *confirmation) open(
	former capability.Installation, found *capability.Document,
) (attempts []capability.Attempt, open, unreached bool) {
	switch err := c.files[former.Path]; {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrPermission):
		return nil, false, false
	case err != nil: // a disk that fails, a server that does not answer
		return nil, true, false
	}
	decided := false
	for i := range found.Failed {
		if f := &found.Failed[i]; detect.Concerns(f, &former) {
			decided = true
			if f.Outcome.CouldNotTell() {
				unreached = f.Unreached && (unreached || !open)
				attempts, open = append(attempts, f.Attempts...), true
			}
		}
	}
	if decided {
		return attempts, open, unreached
	}
	i := slices.IndexFunc(found.Undetected, func(a capability.Absence) bool { return a.Ref == former.Ref && a.Outcome.CouldNotTell() })
	return nil, i >= 0, i >= 0 && found.Undetected[i].Unreached
}

// sameInstallation reports whether two entries describe the same installation. Its version
// may differ.
func sameInstallation(a, b capability.Installation) bool {
	if a.Ref != b.Ref || (a.Ref == "" && a.Name != b.Name) {
		return false
	}
	return a.Path == b.Path || (a.RealPath != "" && a.RealPath == b.RealPath && a.Version == b.Version)
}

// A doubt counts the consecutive full rounds with something that could not be determined.
type doubt struct {
	rounds int
	// kept reports whether the document has something unconfirmed or unreached.
	kept bool
	// unreached is the time since which each round had no time for some commands; zero if
	// the last one ran all.
	unreached time.Time
}

// noteReach notes whether a full round had time for all commands.
func (d *doubt) noteReach(caps *capability.Document, now time.Time) {
	switch {
	case !slices.ContainsFunc(caps.Undetected, func(a capability.Absence) bool { return a.Unreached }) &&
		!slices.ContainsFunc(caps.Failed, func(f capability.Failure) bool { return f.Unreached }):
		d.unreached = time.Time{}
	case d.unreached.IsZero():
		d.unreached = now
	}
}

// patient reports whether unreached installations are kept without limit: until commands have
// been unreached for as long as keep.
func (d *doubt) patient(now time.Time, keep time.Duration) bool {
	return d.unreached.IsZero() || now.Sub(d.unreached) < keep
}

// note counts a full round.
func (d *doubt) note(caps *capability.Document) {
	unconfirmed := func(in capability.Installation) bool { return !in.UnconfirmedSince.IsZero() }
	d.kept = !d.unreached.IsZero() || slices.ContainsFunc(caps.Detected, unconfirmed)
	// Invalid metadata stays invalid until the definition changes.
	passing := func(o capability.Outcome) bool { return o.CouldNotTell() && o != capability.InvalidMetadata }
	if d.kept || slices.ContainsFunc(caps.Undetected, func(a capability.Absence) bool { return passing(a.Outcome) }) ||
		slices.ContainsFunc(caps.Failed, func(f capability.Failure) bool { return passing(f.Outcome) }) {
		d.rounds++
	} else {
		d.rounds = 0
	}
}

// full reports whether a round, numbered since the last regular full one, verifies in full.
// Something unconfirmed makes every round full; something that was never determined makes
// the first, second, fourth and eighth round full.
func (d *doubt) full(round int) bool {
	return d.kept || (d.rounds > 0 && round&(round-1) == 0)
}
