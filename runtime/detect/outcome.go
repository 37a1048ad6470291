package detect

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
