package detect_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

func explainOn(t *testing.T, h detect.Host, cfg detect.Config, name string, defs ...metadata.Definition) *detect.Explanation {
	t.Helper()
	cfg.Host = h
	if cfg.Getenv == nil {
		cfg.Getenv = noEnvironment
	}
	e, err := newDetector(t, defs, cfg).Explain(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Explain tries every command, even after one succeeded, and finds the same installations.
func TestExplainTriesEveryCommand(t *testing.T) {
	d := defsOf(t, `{"ref": "acme.tool", "name": "Tool", "aliases": ["tool"], "distributions": {"verification": {"commands": [
		{"binary": "absent", "args": ["--version"], "priority": 1}, {"binary": "a", "args": ["--version"], "priority": 2},
		{"binary": "b", "args": ["--version"]}, {"binary": "sh", "args": ["-c", "x"]}]}}}`)[0]
	e := explainOn(t, withTools(t, "a", "b"), detect.Config{}, "TOOL", d, tool(t, "a", ""))
	var got []string
	for _, a := range e.Attempts {
		got = append(got, a.Command[0]+" "+string(a.Outcome))
	}
	want := []string{"absent not_found", "a available", "b available", "sh denied_by_policy"}
	if !slices.Equal(got, want) {
		t.Errorf("attempts are %q, want %q", got, want)
	}
	if e.Ref != "acme.tool" || e.Outcome != capability.Available || len(e.Detected) != 1 || e.Detected[0].Path != "/usr/bin/a" || len(e.Warnings) != 0 {
		t.Errorf("got %+v, want the one installation of a", e)
	}
	// A missing name of an available runtime causes no warning.
	if w := e.Detected[0].Warnings; len(w) != 0 {
		t.Errorf("warnings are %q, want none", w)
	}
}

func TestExplainAnAbsence(t *testing.T) {
	h := recorded(t, `
host: {os: linux, arch: amd64, path: [/home/user/.pyenv/shims]}
binaries: [{path: /home/user/.pyenv/shims/python3, runs: [{args: [--version], stderr: "pyenv: python3: command not found", exit_code: 127}]}]`)
	d := tool(t, "python3", `, "pattern": "^Python 3"`)
	e := explainOn(t, h, detect.Config{}, "acme.python3", d)
	if e.Outcome != capability.ExitMismatch || e.Detail == "" || e.Hint == "" || len(e.Detected) != 0 || len(e.Attempts) != 1 {
		t.Fatalf("got %+v", e)
	}
	a := e.Attempts[0]
	if *a.ExitCode != 127 || a.Path != "/home/user/.pyenv/shims/python3" || a.Pattern != "^Python 3" || !strings.Contains(a.Output, "pyenv: python3: command not found") || a.Hint == "" {
		t.Errorf("evidence is %+v", a)
	}
}

// Explain ignores declarations, and warns if Detect answers differently.
func TestExplainSaysWhereDetectDiffers(t *testing.T) {
	sensorOnly := tool(t, "b", "")
	sensorOnly.Distributions.Roles = []metadata.Role{metadata.Sensor}
	defs := []metadata.Definition{tool(t, "a", ""), sensorOnly}
	tests := []struct {
		name, runtime string
		cfg           detect.Config
		want          string
	}{
		{"nothing declared", "a", detect.Config{}, ""},
		{"declared", "a", detect.Config{Declared: []string{"A"}}, "worker.capabilities.runtimes declares it, so detection takes it as available without verifying"},
		{"declared and verified", "a", detect.Config{Declared: []string{"A"}, VerifyDeclared: true}, ""},
		{"not declared", "a", detect.Config{Getenv: func(string) string { return "none" }}, "ATTUNE_WORKER_RUNTIMES does not name it, so detection leaves it out"},
		{"other role", "b", detect.Config{}, "acme.b is not for the role worker: it is detected only where it is declared"},
		{"strict", "a", detect.Config{Declared: []string{"c"}, Strict: true}, `worker.capabilities.runtimes names "c"`},
		{"strict", "a", detect.Config{Declared: []string{"c"}, DeclaredAt: "f:3: key", Strict: true}, `f:3: key names "c"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := explainOn(t, withTools(t, "a", "b"), tt.cfg, tt.runtime, defs...)
			if e.Outcome != capability.Available || len(e.Attempts) != 1 {
				t.Errorf("got %+v, want it verified", e)
			}
			if got := strings.Join(e.Warnings, "; "); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("warnings are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExplainUnknownName(t *testing.T) {
	_, err := newDetector(t, []metadata.Definition{tool(t, "python", "")}, detect.Config{Host: withTools(t)}).Explain(t.Context(), "pyhton")
	if !errors.Is(err, detect.ErrUnknownName) || !strings.Contains(err.Error(), `explain "pyhton"`) || !strings.Contains(err.Error(), `did you mean "python"?`) {
		t.Errorf("error is %v, want ErrUnknownName with a suggestion", err)
	}
}
