package detect

import "slices"

// Outcome is how a probe, an installation or a runtime ended.
type Outcome string

// The outcomes. Absent and could-not-tell are different everywhere.
const (
	Available Outcome = "available"

	// Absent: the host was asked and does not have it.
	NotFound           Outcome = "not_found"
	NotExecutable      Outcome = "not_executable"
	ExitMismatch       Outcome = "exit_mismatch"
	PatternMismatch    Outcome = "pattern_mismatch"
	BelowMinVersion    Outcome = "below_min_version"
	InterpreterMissing Outcome = "interpreter_missing"
	DeniedByPolicy     Outcome = "denied_by_policy"
	NoVerification     Outcome = "no_verification"

	// Could not tell: the host did not answer, or not readably.
	Timeout           Outcome = "timeout"
	OutputUnreadable  Outcome = "output_unreadable"
	InvalidMetadata   Outcome = "invalid_metadata"
	Error             Outcome = "error"
	VersionUnreadable Outcome = "version_unreadable"
)

// CouldNotTell reports whether the outcome says nothing about the host: the
// runtime may be there.
func (o Outcome) CouldNotTell() bool {
	switch o {
	case Timeout, OutputUnreadable, InvalidMetadata, Error, VersionUnreadable:
		return true
	}
	return false
}

// telling orders the outcomes of a runtime's attempts: without a success, the
// runtime has the outcome that comes first here. Could-not-tell comes before
// absent, as one attempt of which nothing is known leaves the runtime open; in
// each half, the attempt that came furthest tells most: a command that was
// found and answered otherwise than expected says more than one not found.
var telling = []Outcome{
	Available,
	InvalidMetadata, VersionUnreadable, OutputUnreadable, Timeout, Error,
	InterpreterMissing, BelowMinVersion, PatternMismatch, ExitMismatch, DeniedByPolicy, NotExecutable, NotFound, NoVerification,
}

// rank is the outcome's place in telling; an unknown one comes last.
func (o Outcome) rank() int {
	if i := slices.Index(telling, o); i >= 0 {
		return i
	}
	return len(telling)
}

// mostTelling is the attempt that says why a runtime has no success: the first
// of those with the first outcome in telling. There must be one attempt.
func mostTelling(attempts []Attempt) Attempt {
	return slices.MinFunc(attempts, func(a, b Attempt) int { return a.Outcome.rank() - b.Outcome.rank() })
}
