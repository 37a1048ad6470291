package detect

import (
	"context"
	"slices"
	"sync"

	"github.com/attune-go/attune/runtime/host"
)

// A Host is the machine to detect on: real, recorded, or being recorded. Its methods are
// called from several goroutines.
type Host interface {
	// Info describes the host.
	Info() host.Info
	// Lookup returns the candidates for binary, in the order of PATH.
	Lookup(binary string) []host.Candidate
	// LookupVersioned returns the candidates in PATH whose names are binary's with a version
	// behind it.
	LookupVersioned(binary string) []host.Candidate
	// Resolve returns the candidate at an absolute path.
	Resolve(path string) host.Candidate
	// Glob returns the existing paths that match a pattern, sorted.
	Glob(pattern string) []string
	// Locate returns the paths that match each pattern, and the patterns that it did not
	// follow completely. It makes at most limit looks.
	Locate(limit int, patterns ...string) host.LocateResult
	// ReadInstalled returns the path and the beginning of a file of an installation.
	ReadInstalled(file host.InstalledFile) (path string, data []byte, err error)
	// Program returns the program that runs when an executable is run.
	Program(path string) host.Program
	// Writable reports whether others could replace an executable, and how.
	Writable(path string) (by string, bad bool)
	// Run runs one command. The command and its children end when ctx does.
	Run(ctx context.Context, inv host.Invocation) host.Result
}

var (
	_ Host = (*host.LocalHost)(nil)
	_ Host = (*host.RecordedHost)(nil)
	_ Host = (*host.Recorder)(nil)
)

// A lookups remembers the candidates for each binary.
type lookups struct {
	host Host
	mu   sync.Mutex
	done map[string]func() []host.Candidate
}

func (l *lookups) find(binary string) []host.Candidate {
	l.mu.Lock()
	find, ok := l.done[binary]
	if !ok {
		find = sync.OnceValue(func() []host.Candidate { return l.host.Lookup(binary) })
		l.done[binary] = find
	}
	l.mu.Unlock()
	return find()
}

// versioned returns the candidates with versioned names for a binary.
func (l *lookups) versioned(binary string) []host.Candidate {
	l.mu.Lock()
	key := host.Stem(binary) + " with a version" // no binary has a blank
	find, ok := l.done[key]
	if !ok {
		find = sync.OnceValue(func() []host.Candidate { return l.host.LookupVersioned(binary) })
		l.done[key] = find
	}
	l.mu.Unlock()
	return slices.Clone(find())
}

// usable returns the first candidate that can be run. Otherwise it returns the first that
// could not be looked at, or else the first, with its Fault. ok is false if there are no
// candidates.
func usable(found []host.Candidate) (c host.Candidate, ok bool) {
	for _, c := range found {
		if c.Fault == "" {
			return c, true
		}
	}
	for _, c := range found {
		if c.Unseen() != nil {
			return c, true
		}
	}
	if len(found) == 0 {
		return host.Candidate{}, false
	}
	return found[0], true
}
