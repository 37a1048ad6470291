package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
)

// Supported returns an error that wraps [errors.ErrUnsupported] on a system whose hosts attune
// cannot look at, such as Windows, and otherwise nil. Recorded hosts can be read everywhere.
func Supported() error { return supported(runtime.GOOS) }

func supported(goos string) error {
	switch goos {
	case "linux", "darwin", "freebsd":
		return nil
	}
	return unsupportedSystem(goos)
}

// An unsupportedSystem is a system, by Go's name, that attune cannot look at.
type unsupportedSystem string

func (u unsupportedSystem) Error() string { return "not supported on " + string(u) }

func (u unsupportedSystem) Unwrap() error { return errors.ErrUnsupported }

// An unsupportedHost answers for a host that attune cannot look at: no executable could be
// determined. Its methods are those of a LocalHost.
type unsupportedHost struct{ system unsupportedSystem }

func (h unsupportedHost) Info() Info { return Info{OS: string(h.system), Arch: runtime.GOARCH} }

func (h unsupportedHost) Lookup(binary string) []Candidate {
	return []Candidate{unseen(binary, h.system)}
}

func (h unsupportedHost) LookupVersioned(string) []Candidate { return nil }

func (h unsupportedHost) Resolve(path string) Candidate { return unseen(path, h.system) }

func (h unsupportedHost) Glob(string) []string { return nil }

func (h unsupportedHost) Locate(_ int, patterns ...string) LocateResult {
	out := LocateResult{Paths: make([][]string, len(patterns))}
	for _, p := range patterns {
		out.Unseen = append(out.Unseen, UnseenPattern{p, h.system})
	}
	return out
}

func (h unsupportedHost) ReadInstalled(file InstalledFile) (path string, data []byte, err error) {
	return file.Path, nil, fmt.Errorf("read %s: %w", file.Path, h.system)
}

func (h unsupportedHost) Program(string) Program { return Program{Unknown: h.system.Error()} }

func (h unsupportedHost) Writable(path string) (by string, bad bool) {
	return path + ": " + h.system.Error(), true
}

func (h unsupportedHost) Run(_ context.Context, inv Invocation) Result {
	return Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, h.system)}
}

func (h unsupportedHost) Stat(path string) (fs.FileInfo, error) {
	return nil, &fs.PathError{Op: "stat", Path: path, Err: h.system}
}

func (h unsupportedHost) Hanging() []Hang { return nil }

func (h unsupportedHost) Withheld() []string { return nil }
