package host

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A RecordedHost is a host that a file describes. It does not run commands.
type RecordedHost struct {
	info     Info
	home     string
	binaries map[string]*recordedBinary
	links    map[string]string
	files    map[string]string
	// variables holds the variables that locations may begin with.
	variables map[string]string
}

// A recordedBinary is an executable of a recording.
type recordedBinary struct {
	path  string
	fault string
	runs  []recordedRun
}

// A recordedRun is one command and its result.
type recordedRun struct {
	args           []string
	stdout, stderr string
	truncated      bool
	exitCode       int
	signal         string
	duration       time.Duration
	timeout        bool
	err            string
}

// defaultHome is the home folder of recordings. Recorders replace the real one by it.
const defaultHome = "/home/user"

// Info describes the recorded host.
func (r *RecordedHost) Info() Info {
	info := r.info
	info.Path = slices.Clone(info.Path)
	return info
}

// Lookup returns the recorded candidates for binary in the order of PATH, or for an
// absolute path.
func (r *RecordedHost) Lookup(binary string) []Candidate {
	var found []Candidate
	if filepath.IsAbs(binary) {
		if c := r.Resolve(binary); c.Fault != FaultNotFound {
			found = append(found, c)
		}
		return found
	}
	if !isName(binary) {
		return nil
	}
	for _, dir := range r.info.Path {
		if c := r.Resolve(path.Join(dir, binary)); c.Fault != FaultNotFound {
			found = append(found, c)
		}
	}
	return found
}

// LookupVersioned returns the recorded candidates whose names are binary's with a version
// behind it.
func (r *RecordedHost) LookupVersioned(binary string) (found []Candidate) {
	for _, dir := range r.info.Path {
		var names []string
		for p := range r.binaries {
			if path.Dir(p) == dir {
				names = append(names, path.Base(p))
			}
		}
		for p := range r.links {
			if path.Dir(p) == dir {
				names = append(names, path.Base(p))
			}
		}
		names = versionedNames(names)[Stem(binary)]
		for _, name := range slices.Compact(names) {
			if c := r.Resolve(path.Join(dir, name)); name != binary && c.Fault != FaultNotFound {
				found = append(found, c)
			}
		}
	}
	return found
}

// Resolve returns the recorded candidate at a path, or a link to one.
func (r *RecordedHost) Resolve(p string) Candidate {
	if !filepath.IsAbs(p) {
		return Candidate{Path: p, Fault: faultRelative}
	}
	real := r.follow(p)
	for _, at := range []string{p, real} {
		if b := r.binaries[path.Clean(at)]; b != nil {
			c := Candidate{Path: p, RealPath: real, Fault: b.fault}
			if strings.HasPrefix(b.fault, danglingPrefix) {
				c.RealPath = ""
			}
			return c
		}
	}
	return Candidate{Path: p, Fault: FaultNotFound}
}

// follow returns the target of the recorded links at p.
func (r *RecordedHost) follow(p string) string {
	p = path.Clean(p)
	for range len(r.links) { // a circle ends too
		target, ok := r.links[p]
		if !ok {
			break
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(p), target)
		}
		p = path.Clean(target)
	}
	return p
}

// Glob returns the recorded binaries, links, files and their folders that match a pattern of
// LocalHost.Glob.
func (r *RecordedHost) Glob(pattern string) []string {
	pattern, ok := expand(pattern, r.home, r.variables)
	if !ok {
		return nil
	}
	segments := splitSlash(pattern)
	paths := slices.Concat(slices.Collect(maps.Keys(r.binaries)), slices.Collect(maps.Keys(r.links)), slices.Collect(maps.Keys(r.files)))
	var found []string
	for _, p := range paths {
		names := splitSlash(p)
		if len(names) < len(segments) {
			continue
		}
		names = names[:len(segments)]
		if slices.EqualFunc(segments, names, matchSegment) {
			found = append(found, "/"+strings.Join(names, "/"))
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return found[:min(len(found), globMatches)]
}

// Locate returns the result of Glob for each pattern. It ignores the limit.
func (r *RecordedHost) Locate(_ int, patterns ...string) LocateResult {
	out := LocateResult{Paths: make([][]string, len(patterns))}
	for i, pattern := range patterns {
		out.Paths[i] = r.Glob(pattern)
	}
	return out
}

// ReadInstalled returns a recorded file of an installation. Its error wraps ErrOutside or
// fs.ErrNotExist.
func (r *RecordedHost) ReadInstalled(file InstalledFile) (string, []byte, error) {
	p, err := file.place(r.home)
	if err != nil {
		return p, nil, err
	}
	if text, ok := r.files[p]; ok {
		return p, []byte(text[:min(len(text), fileLimit)]), nil
	}
	return p, nil, &fs.PathError{Op: "read recorded file", Path: p, Err: fs.ErrNotExist}
}

// Program returns a native program: recordings do not hold interpreters.
func (r *RecordedHost) Program(string) Program { return Program{Native: true} }

// Writable returns false: recordings do not hold permissions.
func (r *RecordedHost) Writable(string) (by string, bad bool) { return "", false }

// Run returns the recorded result. A command that was not recorded is an error, and does
// not mean absence.
func (r *RecordedHost) Run(ctx context.Context, inv Invocation) Result {
	res := Result{ExitCode: -1}
	if ctx.Err() != nil {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))
		return res
	}
	listed := false
	for _, at := range []string{path.Clean(inv.Path), r.follow(inv.Path)} {
		b := r.binaries[at]
		if b == nil {
			continue
		}
		listed = true
		for i := range b.runs {
			if slices.Equal(b.runs[i].args, inv.Args) {
				return b.runs[i].result(inv)
			}
		}
	}
	if !listed {
		res.Err = fmt.Errorf("run %s: the recording lacks this executable", inv.Path)
		return res
	}
	res.Err = fmt.Errorf("run %s: the recording lacks this command; record the host again", CommandLine(inv.Path, inv.Args))
	return res
}

// A recordedError is the text of an error that a command could not be run for.
type recordedError string

func (e recordedError) Error() string { return string(e) }

// Is reports whether the text ends with target's. Outcomes and hints depend on these targets only.
func (e recordedError) Is(target error) bool {
	switch target {
	case ErrNoInterpreter:
		return strings.Contains(string(e), target.Error())
	case syscall.ENOEXEC, syscall.EACCES, ErrDownloads:
		return strings.HasSuffix(string(e), target.Error())
	}
	return false
}

func (run *recordedRun) result(inv Invocation) Result {
	res := Result{
		Stdout: []byte(run.stdout), Stderr: []byte(run.stderr),
		Truncated: run.truncated, ExitCode: run.exitCode, Signal: run.signal, Duration: run.duration,
	}
	if run.timeout {
		res.TimedOut = true
		if res.Duration == 0 {
			res.Duration = inv.Timeout
		}
	}
	if run.err != "" {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, recordedError(run.err))
	}
	if run.timeout || run.signal != "" || run.err != "" {
		res.ExitCode = -1
	}
	return res
}
