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

// confirmation is how long what cannot be told is kept.
type confirmation struct {
	at   time.Time
	keep time.Duration
	// files are the executables from before as they are now.
	files map[string]error
	// patient: that an executable was not reached, as others took all the time, is
	// nothing against it.
	patient bool
}

// confirm adds to what was found the installations from before of which the host
// could not tell this time, each for so long. Those of which it was told that
// they are not there, and those that nothing looks for any more, are gone at once.
func confirm(before, found *capability.Document, c confirmation) *capability.Document {
	var kept []capability.Installation
	for _, was := range before.Detected {
		if slices.ContainsFunc(found.Detected, func(d capability.Installation) bool { return sameInstallation(was, d) }) {
			continue
		}
		attempts, open, unreached := c.open(was, found)
		if !open {
			continue
		}
		excused := unreached && c.patient
		if was.UnconfirmedSince.IsZero() && !excused {
			was.UnconfirmedSince = c.at
		}
		if excused || c.at.Sub(was.UnconfirmedSince) < c.keep {
			was.Attempts = attempts
			kept = append(kept, was)
		}
	}
	if kept == nil {
		return found
	}
	return found.With(kept...)
}

// recall is the document of a process that has ended, as what was there before.
// What it could not tell counts from then; a moment to come, or so long ago that
// nothing would be kept at all, is of another clock or of another time.
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

// open reports whether what was found leaves it open if an installation that it
// does not name is there, with the attempts that could not tell. What became of
// its own executable decides; where nothing is said of that, what became of the
// runtime: its time was over, say, or its definition is rubbish. It is unreached
// where all that is open about it is so because it was not asked.
func (c *confirmation) open(was capability.Installation, found *capability.Document) (attempts []capability.Attempt, open, unreached bool) {
	switch err := c.files[was.Path]; {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrPermission):
		return nil, false, false
	case err != nil: // a disk that fails, a server that does not answer
		return nil, true, false
	}
	told := false
	for i := range found.Failed {
		if f := &found.Failed[i]; detect.Concerns(f, &was) {
			told = true
			if f.Outcome.CouldNotTell() {
				unreached = f.Unreached && (unreached || !open)
				attempts, open = append(attempts, f.Attempts...), true
			}
		}
	}
	if told {
		return attempts, open, unreached
	}
	i := slices.IndexFunc(found.Undetected, func(a capability.Absence) bool { return a.Ref == was.Ref && a.Outcome.CouldNotTell() })
	return nil, i >= 0, i >= 0 && found.Undetected[i].Unreached
}

// sameInstallation reports whether two detections are of one installation,
// perhaps in another version.
func sameInstallation(a, b capability.Installation) bool {
	if a.Ref != b.Ref || (a.Ref == "" && a.Name != b.Name) {
		return false
	}
	return a.Path == b.Path || (a.RealPath != "" && a.RealPath == b.RealPath && a.Version == b.Version)
}

// doubt counts the full rounds that ended with something of which the host could
// not tell.
type doubt struct {
	rounds int
	// kept: something is in the document that is not confirmed, or was not reached.
	kept bool
	// unreached is since when each of them left something that it did not come to
	// asking; the zero time where the last one left nothing.
	unreached time.Time
}

// reach notes whether a full round came to asking for all.
func (d *doubt) reach(caps *capability.Document, now time.Time) {
	switch {
	case !slices.ContainsFunc(caps.Undetected, func(a capability.Absence) bool { return a.Unreached }) &&
		!slices.ContainsFunc(caps.Failed, func(f capability.Failure) bool { return f.Unreached }):
		d.unreached = time.Time{}
	case d.unreached.IsZero():
		d.unreached = now
	}
}

// patient reports whether what was not reached is to be asked another time: not for
// ever.
func (d *doubt) patient(now time.Time, keep time.Duration) bool {
	return d.unreached.IsZero() || now.Sub(d.unreached) < keep
}

func (d *doubt) note(caps *capability.Document) {
	d.kept = !d.unreached.IsZero() || slices.ContainsFunc(caps.Detected, func(in capability.Installation) bool { return !in.UnconfirmedSince.IsZero() })
	// Wrong metadata stays wrong until the definition is another.
	passing := func(o capability.Outcome) bool { return o.CouldNotTell() && o != capability.InvalidMetadata }
	if d.kept || slices.ContainsFunc(caps.Undetected, func(a capability.Absence) bool { return passing(a.Outcome) }) ||
		slices.ContainsFunc(caps.Failed, func(f capability.Failure) bool { return passing(f.Outcome) }) {
		d.rounds++
	} else {
		d.rounds = 0
	}
}

// full reports whether the round of a number since the last regular full one is
// to look again. What is kept is looked at each time; what was never there at
// the first, second, fourth, eighth round.
func (d *doubt) full(round int) bool {
	return d.kept || (d.rounds > 0 && round&(round-1) == 0)
}
