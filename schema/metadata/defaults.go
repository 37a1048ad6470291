package metadata

import "time"

// Defaults and limits of a verification command.
const (
	DefaultPriority = 999
	DefaultTimeout  = Duration(10 * time.Second)
	// MaxTimeout is the longest a command may ask for: a detection waits for
	// its slowest probe.
	MaxTimeout = Duration(5 * time.Minute)
)

// Duration is a time.Duration written as Go writes it: "10s", "1m30s".
type Duration time.Duration

// String is the duration as a document has it.
func (d Duration) String() string { return time.Duration(d).String() }

// PriorityOrDefault is the command's priority; lower is tried first.
func (c Command) PriorityOrDefault() int { return c.Priority.Or(DefaultPriority) }

// TimeoutOrDefault bounds one run of the command.
func (c Command) TimeoutOrDefault() time.Duration { return time.Duration(c.Timeout.Or(DefaultTimeout)) }

// MustCheck reports whether something has to be run to know that the runtime
// is there.
func (v Verification) MustCheck() bool { return !v.AlwaysAvailable && v.CheckRequired.Or(true) }
