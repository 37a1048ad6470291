package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// defsOf reads definitions as JSON, separated by nothing but their braces.
func defsOf(t *testing.T, texts ...string) []metadata.Definition {
	t.Helper()
	var defs []metadata.Definition
	for _, text := range texts {
		var d metadata.Definition
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		defs = append(defs, d)
	}
	return defs
}

// tool returns a definition acme.NAME with the command NAME --version and further keys of
// that command.
func tool(t *testing.T, name, keys string) metadata.Definition {
	t.Helper()
	return defsOf(t, fmt.Sprintf(
		`{"ref": "acme.%s", "name": "%[1]s", "distributions": {"verification": {"commands": [{"binary": "%[1]s", "args": ["--version"]%s}]}}}`, name, keys))[0]
}

// recorded returns the host of a recording.
func recorded(t *testing.T, text string) *host.RecordedHost {
	t.Helper()
	h, err := host.Parse("host", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// withTools returns a recorded host with executables that print NAME 1.0.0.
func withTools(t *testing.T, names ...string) *host.RecordedHost {
	t.Helper()
	var b strings.Builder
	b.WriteString("host: {os: linux, arch: amd64, path: [/usr/bin]}\nbinaries:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - {path: /usr/bin/%s, runs: [{args: [--version], stdout: %[1]s 1.0.0}]}\n", name)
	}
	return recorded(t, b.String())
}

// overridden is a host with replaceable Run and Lookup.
type overridden struct {
	detect.Host
	run    func(ctx context.Context, inv host.Invocation) host.Result
	lookup func(binary string) []host.Candidate
}

func (h overridden) Run(ctx context.Context, inv host.Invocation) host.Result {
	if h.run != nil {
		return h.run(ctx, inv)
	}
	return h.Host.Run(ctx, inv)
}

func (h overridden) Lookup(binary string) []host.Candidate {
	if h.lookup != nil {
		return h.lookup(binary)
	}
	return h.Host.Lookup(binary)
}

// noEnvironment hides the process's variables from a test.
func noEnvironment(string) string { return "" }

// newDetector returns detect.New's detector.
func newDetector(tb testing.TB, defs []metadata.Definition, cfg detect.Config) *detect.Detector {
	tb.Helper()
	d, err := detect.New(defs, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func detectOn(t *testing.T, h detect.Host, cfg detect.Config, defs ...metadata.Definition) *capability.Document {
	t.Helper()
	cfg.Host = h
	if cfg.Getenv == nil {
		cfg.Getenv = noEnvironment
	}
	if cfg.Policy == nil {
		cfg.Policy = corePolicy()
	}
	caps, err := newDetector(t, defs, cfg).Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return caps
}

// corePolicy returns a policy that trusts the core pack.
func corePolicy() *host.Policy {
	return detect.StandardPolicy(detect.Commands(packs.Core().Definitions))
}

// openPolicy returns a policy that allows everything.
func openPolicy(t *testing.T) *host.Policy {
	t.Helper()
	p, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// outcomes returns the outcomes in a document by ref.
func outcomes(caps *capability.Document) map[string]capability.Outcome {
	out := map[string]capability.Outcome{}
	for _, d := range caps.Detected {
		out[d.Ref] = d.Outcome
	}
	for _, a := range caps.Undetected {
		out[a.Ref] = a.Outcome
	}
	return out
}

// absence returns the document's entry of an undetected runtime.
func absence(t *testing.T, caps *capability.Document, ref string) capability.Absence {
	t.Helper()
	i := slices.IndexFunc(caps.Undetected, func(a capability.Absence) bool { return a.Ref == ref })
	if i < 0 {
		t.Fatalf("%s is not among the undetected: %+v", ref, caps.Undetected)
	}
	return caps.Undetected[i]
}

// script writes an executable shell script.
func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// localWith returns this machine with dir before the folders of the basic commands.
func localWith(dir string) *host.LocalHost {
	return host.Local(host.LocalConfig{Environ: []string{"PATH=" + dir + ":/usr/bin:/bin", "HOME=" + dir}})
}
