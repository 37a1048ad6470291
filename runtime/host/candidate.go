package host

import (
	"errors"
	"strings"
)

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

// Faults of a Candidate. Others are free text.
const (
	FaultNotFound      = "not found"
	faultDirectory     = "is a directory"
	faultNotRegular    = "is not a regular file"
	FaultNotExecutable = "is not executable"
	faultRelative      = "is a relative path"
	// danglingPrefix begins the fault of a dangling link.
	danglingPrefix = "is a dangling link to "
	// These begin the fault of a place that could not be looked at.
	unseenPrefix = "cannot be looked at: "
	hangsPrefix  = "cannot be reached: "
	// FaultStub is the fault of a program that would open an installer's window.
	FaultStub = "is a stub of macOS that opens an installer instead of answering"
	// FaultInstaller is the fault of juliaup's launcher before its first run, which would
	// install Julia. No variable prevents that.
	FaultInstaller = "is juliaup's launcher, which would install Julia"
	// FaultHermit is the fault of a program in the bin folder of a Hermit environment (cashapp/hermit).
	// Each is a link to Hermit's script, which installs the program when it is started. No variable
	// prevents that.
	FaultHermit = "is a link to Hermit, which would install the program"
)

// unseen returns the candidate of a place that could not be looked at.
func unseen(path string, err error) Candidate {
	prefix := unseenPrefix
	if errors.Is(err, ErrHangs) {
		prefix = hangsPrefix
	}
	return Candidate{Path: path, Fault: prefix + err.Error()}
}

// Unseen returns the reason why the candidate could not be looked at, or nil. Such a
// candidate may not exist. The error wraps ErrHangs if the place does not answer.
func (c Candidate) Unseen() error {
	switch {
	case strings.HasPrefix(c.Fault, hangsPrefix):
		return unseenError{c.Path + " " + c.Fault, ErrHangs}
	case strings.HasPrefix(c.Fault, unseenPrefix):
		return unseenError{c.Path + " " + c.Fault, nil}
	}
	return nil
}

// An unseenError is the error of an unseen candidate, which may be a recorded one.
type unseenError struct {
	text  string
	cause error
}

func (e unseenError) Error() string { return e.text }
func (e unseenError) Unwrap() error { return e.cause }

func isName(binary string) bool {
	return binary != "" && binary != "." && binary != ".." && !strings.ContainsAny(binary, "/\x00")
}
