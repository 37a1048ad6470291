package detect

import (
	"context"
	"sync"

	"github.com/attune-go/attune/runtime/host"
)

// Host is the machine that is asked: a real one, a recorded one, or a real one
// that is being recorded. Its methods are called from several goroutines.
type Host interface {
	// Info describes the host.
	Info() host.Info
	// Lookup is every place where binary is found, in the order of PATH.
	Lookup(binary string) []host.Candidate
	// Resolve looks at one absolute path.
	Resolve(path string) host.Candidate
	// Glob is the existing paths that match a pattern, sorted.
	Glob(pattern string) []string
	// Locate is Glob of each of patterns, with at most limit looks for all of them,
	// and the patterns that were not followed to their ends.
	Locate(limit int, patterns ...string) host.Located
	// ReadInstalled reads a file of an installation, possibly cut, and returns
	// where it lies.
	ReadInstalled(file host.InstalledFile) (path string, data []byte, err error)
	// Program finds out what runs when an executable is run.
	Program(path string) host.Program
	// Writable says whether others could replace an executable, and by what.
	Writable(path string) (by string, bad bool)
	// Run runs one command; it ends, and what it ran with it, when ctx does.
	Run(ctx context.Context, inv host.Invocation) host.Result
}

var (
	_ Host = (*host.LocalHost)(nil)
	_ Host = (*host.Recorded)(nil)
	_ Host = (*host.Recorder)(nil)
)

// lookups remembers where the host found each binary.
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

// usable is the first candidate that can be run. Where none can, it is the first
// that could not be looked at, else the first one, with its Fault; where there is none at all, ok is false.
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
