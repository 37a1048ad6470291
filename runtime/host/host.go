// Package host finds executables and runs commands on a host: the real machine, one
// recorded in a file, or the real one while it is recorded. A Policy decides which
// commands may run.
package host

import "time"

// An Info describes a host.
type Info struct {
	// OS and Arch are Go's names: linux, amd64.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	User string `json:"user"`
	// Path lists the folders of PATH in their order, without relative entries.
	Path []string `json:"path"`
	// Root means that the effective user is root. It is false for a recorded host.
	Root bool `json:"-"`
}

// A Candidate is a file that was found in the search for an executable. It may be
// unusable.
type Candidate struct {
	// Path is the path as found.
	Path string
	// RealPath is the file that Path resolves to, or empty.
	RealPath string
	// Fault is the reason why the file cannot be run, such as FaultNotExecutable. It is
	// empty for a usable file.
	Fault string
}

// An Invocation is one command to run.
type Invocation struct {
	// Path is the executable as found, and argv[0].
	Path string
	Args []string
	// Env names variables of the host that the command gets in addition to those that
	// every command gets.
	Env []string
	// Timeout bounds the run. Zero means no bound but the context's.
	Timeout time.Duration
}

// A Result is the outcome of an Invocation.
type Result struct {
	// Stdout and Stderr hold at most OutputLimit bytes each.
	Stdout, Stderr []byte
	// Truncated means that the command printed more than was kept.
	Truncated bool
	// ExitCode is the exit status, or -1 if the command did not exit by itself.
	ExitCode int
	// Signal is the name of the signal that ended the command, or empty.
	Signal string
	// TimedOut means that Timeout ended the command.
	TimedOut bool
	// Duration is the time from start to end.
	Duration time.Duration
	// Err is the reason why the command could not be run or its end could not be seen. A
	// non-zero exit status does not set it.
	Err error
}

// OutputLimit bounds what is kept of each output stream of a command, in bytes. The rest
// is drained.
const OutputLimit = 64 << 10
