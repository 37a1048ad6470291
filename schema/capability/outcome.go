package capability

import "slices"

// An Outcome is the result of a probe, an installation or a runtime.
type Outcome string

// The outcomes. Absent and could not be determined are different everywhere.
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

	// Could not be determined: the host did not answer, or not readably.
	Timeout           Outcome = "timeout"
	OutputUnreadable  Outcome = "output_unreadable"
	InvalidMetadata   Outcome = "invalid_metadata"
	Error             Outcome = "error"
	VersionUnreadable Outcome = "version_unreadable"
)

// CouldNotTell reports whether the runtime may be there although the probe did not
// succeed.
func (o Outcome) CouldNotTell() bool {
	switch o {
	case Timeout, OutputUnreadable, InvalidMetadata, Error, VersionUnreadable:
		return true
	}
	return false
}

// byInformation orders the outcomes of a runtime's attempts, the most informative
// first. Undetermined outcomes precede absent ones, because a single undetermined
// attempt leaves the runtime undetermined. Within each half, the attempt that got
// furthest is the most informative.
var byInformation = []Outcome{
	Available,
	InvalidMetadata, VersionUnreadable, OutputUnreadable, Timeout, Error,
	InterpreterMissing, BelowMinVersion, PatternMismatch, ExitMismatch, DeniedByPolicy, NotExecutable, NotFound, NoVerification,
}

// Compare orders outcomes by how much they explain: it returns a negative number if o
// explains more than other, and 0 if they are equal. A runtime without a success has the
// outcome that comes first.
func (o Outcome) Compare(other Outcome) int { return o.rank() - other.rank() }

func (o Outcome) rank() int {
	if i := slices.Index(byInformation, o); i >= 0 {
		return i
	}
	return len(byInformation)
}
