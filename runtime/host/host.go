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

// A Program describes what runs when a file is executed.
type Program struct {
	// Native means that the file has the machine's own format and is not a script.
	Native bool
	// By holds the interpreters: the one in a script's first line, the program that env
	// finds, their own interpreters, and the loader of a native program.
	By []Candidate
	// Unknown is the reason why the interpreters could not be determined, or empty.
	// Untrusted definitions get it, so it has no contents of the file.
	Unknown string

	file fileID
}

// A fileID identifies a file on a host. It is zero if the host does not have it.
type fileID struct{ device, inode uint64 }

// A LocalConfig configures a LocalHost.
type LocalConfig struct {
	// Environ is the environment, in the form of os.Environ, for PATH, HOME and the
	// variables of commands. Defaults to the environment of the process.
	Environ []string
}
