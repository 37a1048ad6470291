package metadata

import "time"

// Defaults of a verification command.
const (
	DefaultPriority = 999
	DefaultTimeout  = Duration(10 * time.Second)
)

// Duration is a time.Duration written as Go writes it: "10s", "1m30s".
type Duration time.Duration
