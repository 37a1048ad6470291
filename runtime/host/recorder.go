package host

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// A Recorder passes calls on to a local host and records the results, but not the
// environment. WriteTo writes them as a recorded host. NewRecorder returns one; its zero
// value cannot be used.
type Recorder struct {
	local *LocalHost

	mu       sync.Mutex
	binaries map[string]*recordedBinary
	links    map[string]string
	files    map[string]string
	commands map[string]bool // names that are not those of persons
	// variables holds those that a pattern began with.
	variables map[string]string
}

// NewRecorder returns a recorder of local.
func NewRecorder(local *LocalHost) *Recorder {
	return &Recorder{
		local:    local,
		binaries: map[string]*recordedBinary{},
		links:    map[string]string{},
		files:    map[string]string{},
		commands: map[string]bool{},

		variables: map[string]string{},
	}
}

// Info describes the local host.
func (r *Recorder) Info() Info { return r.local.Info() }

// Lookup records the result of LocalHost.Lookup.
func (r *Recorder) Lookup(binary string) []Candidate {
	found := r.local.Lookup(binary)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commands[path.Base(binary)] = true
	for _, c := range found {
		r.note(c)
	}
	return found
}

// LookupVersioned records the result of LocalHost.LookupVersioned.
func (r *Recorder) LookupVersioned(binary string) []Candidate {
	found := r.local.LookupVersioned(binary)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range found {
		r.commands[path.Base(c.Path)] = true
		r.note(c)
	}
	return found
}

// Resolve records the result of LocalHost.Resolve.
func (r *Recorder) Resolve(path string) Candidate {
	c := r.local.Resolve(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(c)
	return c
}

// Glob records the result of LocalHost.Glob.
func (r *Recorder) Glob(pattern string) []string {
	found := r.local.Glob(pattern)
	for _, p := range found {
		r.Resolve(p)
	}
	return found
}

// Locate records the result of LocalHost.Locate.
func (r *Recorder) Locate(limit int, patterns ...string) LocateResult {
	found := r.local.Locate(limit, patterns...)
	for _, pattern := range patterns {
		r.noteVariable(pattern)
	}
	for _, paths := range found.Paths {
		for _, p := range paths {
			r.Resolve(p)
		}
	}
	return found
}

// noteVariable records the variable that a pattern begins with.
func (r *Recorder) noteVariable(pattern string) {
	name, _, _ := strings.Cut(strings.TrimPrefix(pattern, "$"), "/")
	folder, ok := expand("$"+name+"/", "", r.local.vars)
	if !strings.HasPrefix(pattern, "$") || !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.variables[name] = folder
}

// Hanging calls LocalHost.Hanging.
func (r *Recorder) Hanging() []Hang { return r.local.Hanging() }

// ReadInstalled records the result of LocalHost.ReadInstalled.
func (r *Recorder) ReadInstalled(file InstalledFile) (p string, data []byte, err error) {
	p, data, err = r.local.ReadInstalled(file)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.files[path.Clean(p)] = string(data)
	}
	return p, data, err
}

// Program calls LocalHost.Program.
func (r *Recorder) Program(path string) Program { return r.local.Program(path) }

// Writable calls LocalHost.Writable.
func (r *Recorder) Writable(path string) (by string, bad bool) { return r.local.Writable(path) }

// Run records the result of LocalHost.Run, unless ctx ended the command.
func (r *Recorder) Run(ctx context.Context, inv Invocation) Result {
	res := r.local.Run(ctx, inv)
	if res.Err != nil && ctx.Err() != nil {
		return res
	}
	run := recordedRun{
		args: slices.Clone(inv.Args), stdout: string(res.Stdout), stderr: string(res.Stderr),
		truncated: res.Truncated, signal: res.Signal, duration: res.Duration, timeout: res.TimedOut,
	}
	if res.ExitCode > 0 {
		run.exitCode = res.ExitCode
	}
	if res.Err != nil {
		// RecordedHost.Run adds this prefix again.
		run.err = strings.TrimPrefix(res.Err.Error(), fmt.Sprintf("run %s: ", inv.Path))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.note(r.local.Resolve(inv.Path))
	if b == nil {
		return res
	}
	same := func(other recordedRun) bool { return slices.Equal(other.args, run.args) }
	b.runs = append(slices.DeleteFunc(b.runs, same), run)
	return res
}

// note records a candidate and returns its binary, or nil if there is no file.
func (r *Recorder) note(c Candidate) *recordedBinary {
	if c.Fault == FaultNotFound || c.Fault == faultRelative {
		return nil
	}
	p := path.Clean(c.Path)
	if c.RealPath != "" && c.RealPath != p {
		r.links[p] = c.RealPath
	}
	b := r.binaries[p]
	if b == nil {
		b = &recordedBinary{path: p}
		r.binaries[p] = b
	}
	b.fault = c.Fault
	return b
}
