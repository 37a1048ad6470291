// Package host is the machine as the detector sees it: the real one, one
// recorded in a file, or a real one while it is being recorded. It finds
// executables, runs one command safely, and decides by policy what may run.
package host

import (
	"time"
)

// Info describes a host.
type Info struct {
	// OS and Arch are Go's names: linux, amd64.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	User string `json:"user"`
	// Path are the folders searched for executables, in order; relative entries
	// of PATH are left out.
	Path []string `json:"path"`
	// Root: the effective user is root. A recorded host has none.
	Root bool `json:"-"`
}

// Candidate is one place where an executable was looked for and something was
// found, usable or not.
type Candidate struct {
	// Path as found, and the file it resolves to. RealPath is empty when it
	// resolves to nothing.
	Path     string
	RealPath string
	// Fault says why the file cannot be run: a directory, a dangling link, not
	// executable. Empty is usable.
	Fault string
}

// Invocation is one command to run.
type Invocation struct {
	// Path is the executable as found; it is also argv[0].
	Path string
	Args []string
	// Env names variables of the host that are passed through besides the
	// ones every probe gets.
	Env []string
	// Timeout bounds the run; zero means no bound but the context's.
	Timeout time.Duration
}

// Result is what one run of a command gave.
type Result struct {
	// Stdout and Stderr hold at most OutputLimit bytes each.
	Stdout, Stderr []byte
	// Truncated says that the command printed more than was kept.
	Truncated bool
	// ExitCode is the exit status; -1 when the command did not exit by itself.
	ExitCode int
	// Signal is the name of the signal that ended the command, or empty.
	Signal string
	// TimedOut says that Timeout ended the command.
	TimedOut bool
	// Duration is from start to end.
	Duration time.Duration
	// Err is why the command could not be run or its end not be seen; a
	// non-zero exit status is no error.
	Err error
}

// OutputLimit is how many bytes of each of a command's streams are kept; the
// rest is drained.
const OutputLimit = 64 << 10
