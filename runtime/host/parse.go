package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// recordingLimit bounds the file of a recording, in bytes.
const recordingLimit = 64 << 20

// Open reads a recorded host from a YAML file.
func Open(file string) (*RecordedHost, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open recorded host: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recordingLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read recorded host: %w", err)
	}
	return Parse(file, data)
}

// Parse reads a recorded host from YAML. Unknown keys are faults. Its error lists every
// fault as name: line N: fault.
func Parse(name string, data []byte) (*RecordedHost, error) {
	r, faults := parse(data)
	if len(faults) > 0 {
		return nil, fmt.Errorf("read recorded host %s: %s", name, strings.Join(faults, "\n"+name+": "))
	}
	return r, nil
}

func parse(data []byte) (*RecordedHost, []string) {
	if len(data) > recordingLimit {
		return nil, []string{fmt.Sprintf("must have at most %d bytes, got %d", recordingLimit, len(data))}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var rec recording
	var wrong *yaml.TypeError
	switch err := dec.Decode(&rec); {
	case errors.Is(err, io.EOF):
		return nil, []string{"empty document"}
	case errors.As(err, &wrong):
		return nil, wrong.Errors
	case err != nil:
		return nil, []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, []string{"must have one document"}
	}
	return rec.host()
}

// host returns the host of a recording, or its faults.
func (rec *recording) host() (*RecordedHost, []string) {
	r := &RecordedHost{
		info:      Info{OS: rec.Host.OS, Arch: rec.Host.Arch, User: rec.Host.User},
		home:      string(rec.Host.Home),
		binaries:  map[string]*recordedBinary{},
		links:     map[string]string{},
		files:     map[string]string{},
		variables: map[string]string{},
	}
	if r.home == "" {
		r.home = defaultHome
	}
	if r.info.User == "" {
		r.info.User = path.Base(defaultHome)
	}
	for _, dir := range rec.Host.Path {
		if !slices.Contains(r.info.Path, string(dir)) {
			r.info.Path = append(r.info.Path, string(dir))
		}
	}
	for name, folder := range rec.Host.Variables {
		r.variables[string(name)] = string(folder)
	}
	for from, to := range rec.Links {
		r.links[string(from)] = to
	}
	for file, text := range rec.Files {
		r.files[string(file)] = string(text)
	}
	var faults []string
	for i := range rec.Binaries {
		b := rec.Binaries[i].binary()
		switch {
		case b.path == "":
			faults = append(faults, fmt.Sprintf("binary %d has no path", i+1))
		case r.binaries[b.path] != nil:
			faults = append(faults, fmt.Sprintf("duplicate binary %s", b.path))
		}
		for j, run := range b.runs {
			if slices.ContainsFunc(b.runs[:j], func(o recordedRun) bool { return slices.Equal(o.args, run.args) }) {
				faults = append(faults, fmt.Sprintf("duplicate run of %s with args %q", b.path, run.args))
			}
			if run.duration < 0 {
				faults = append(faults, fmt.Sprintf("duration of %s with args %q: must be at least 0s, got %v", b.path, run.args, run.duration))
			}
		}
		r.binaries[b.path] = b
	}
	return r, faults
}

func (w *writtenBinary) binary() *recordedBinary {
	b := &recordedBinary{path: string(w.Path), fault: w.Fault}
	for _, run := range w.Runs {
		b.runs = append(b.runs, recordedRun{
			args: run.Args, stdout: string(run.Stdout), stderr: string(run.Stderr), truncated: run.Truncated,
			exitCode: int(run.ExitCode), signal: run.Signal, duration: run.Duration, timeout: run.Timeout, err: run.Error,
		})
	}
	return b
}

// An absolutePath is a clean absolute path.
type absolutePath string

// UnmarshalYAML cleans the path. It returns a *yaml.TypeError if it is not absolute, so that
// the decoder goes on to the next fault.
func (p *absolutePath) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || !path.IsAbs(n.Value) {
		return faultAt(n, "must be an absolute path, got %q", n.Value)
	}
	*p = absolutePath(path.Clean(n.Value))
	return nil
}

// A locationVariable is a variable that a location may begin with.
type locationVariable string

// UnmarshalYAML returns a *yaml.TypeError if no location begins with the variable.
func (v *locationVariable) UnmarshalYAML(n *yaml.Node) error {
	if !locates(n.Value) {
		return faultAt(n, "unknown variable %q", n.Value)
	}
	*v = locationVariable(n.Value)
	return nil
}

// An exitStatus is a number from 0 to 255.
type exitStatus int

// UnmarshalYAML returns a *yaml.TypeError for other numbers.
func (s *exitStatus) UnmarshalYAML(n *yaml.Node) error {
	var code int
	if err := n.Decode(&code); err != nil || code < 0 || code > 255 {
		return faultAt(n, "must be an exit status from 0 to 255, got %q", n.Value)
	}
	*s = exitStatus(code)
	return nil
}

func faultAt(n *yaml.Node, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, fmt.Sprintf(format, args...))}}
}
