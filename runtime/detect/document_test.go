package detect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/hosts"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The document as it is stored, whole, for one installation and one absence.
func TestDocument(t *testing.T) {
	now := time.Date(2026, 2, 3, 12, 0, 0, 5e8, time.FixedZone("", 7200))
	caps := detectOn(t, withTools(t, "tool"), detect.Config{
		Now:   func() time.Time { return now },
		Extra: map[string]json.RawMessage{"max_concurrent_executions": json.RawMessage("10"), "a<b": json.RawMessage(`"&"`)},
	}, tool(t, "tool", ""), tool(t, "absent", ""))
	want := `{"format":1,"runtimes":["tool"],"runtime_versions":{"tool":["1.0.0"]},` +
		`"detected":[{"ref":"acme.tool","name":"tool","version":"1.0.0","version_raw":"tool 1.0.0","path":"/usr/bin/tool","real_path":"/usr/bin/tool","default":true,` +
		`"command":["tool","--version"],"outcome":"available","source":"verified","verified_at":"2026-02-03T10:00:00Z","duration_ms":0,"warnings":[]}],` +
		`"undetected":[{"ref":"acme.absent","name":"absent","outcome":"not_found","detail":"absent is in none of the 1 folders of PATH",` +
		`"hint":"install absent, or add its folder to this service's PATH"}],` +
		`"source":"database","host":{"os":"linux","arch":"amd64","user":"user","path":["/usr/bin"]},"attune_version":"0.1.0",` +
		`"a<b":"&","max_concurrent_executions":10}`
	raw, err := caps.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	var back capability.Document
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*caps, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestEmptyDocumentHasNoNull(t *testing.T) {
	want := `{"format":0,"runtimes":[],"runtime_versions":{},"detected":[],"undetected":[],"source":"","host":{"os":"","arch":"","user":"","path":[]},"attune_version":""}`
	if got := marshal(t, capability.Document{}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDocumentOfOthers(t *testing.T) {
	tests := []struct{ name, text, fault string }{
		{"of a platform before attune", `{"runtimes": ["python", "shell"], "max_concurrent_executions": 10}`, ""},
		{"of a later release", `{"format": 2, "runtimes": []}`, "format must be at most 1, got 2"},
		{"of another shape", `{"runtimes": {"python": true}}`, "read capability document"},
		{"no object", `["python"]`, "read capability document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var caps capability.Document
			err := json.Unmarshal([]byte(tt.text), &caps)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("error is %v, want one with %q", err, tt.fault)
				}
				return
			}
			if err != nil || !slices.Equal(caps.Runtimes, []string{"python", "shell"}) || string(caps.Extra["max_concurrent_executions"]) != "10" {
				t.Errorf("got %+v and error %v", caps, err)
			}
		})
	}
}

// The document of each recorded host survives JSON, can be stored in Postgres, and has a
// detail and a hint for each failure.
func TestDocumentsOfRecordedHosts(t *testing.T) {
	files, err := hosts.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	troubles := []metadata.Definition{}
	for _, name := range []string{"hangs", "crashes", "fails", "latin1", "rubbish", "floods", "escapes", "mute", "wrong-machine", "folder", "dangling", "not-mine"} {
		troubles = append(troubles, tool(t, name, `, "pattern": "[0-9]"`))
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".yaml")
		t.Run(name, func(t *testing.T) {
			h, err := hosts.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			caps := detectOn(t, h, detect.Config{Explain: true}, append(troubles, packs.Core().Definitions...)...)
			text := marshal(t, caps)
			var back capability.Document
			if err := json.Unmarshal([]byte(text), &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*caps, back); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
			if strings.Contains(text, `\u0000`) {
				t.Error("the document has a NUL, which Postgres refuses")
			}
			for _, gone := range caps.Undetected {
				if gone.Detail == "" || gone.Hint == "" || len(gone.Attempts) == 0 {
					t.Errorf("%s: %s without detail or attempts", gone.Ref, gone.Outcome)
				}
				for _, a := range gone.Attempts {
					if a.Detail == "" || a.Hint == "" || a.Outcome == capability.Available || len(a.Output) > capability.ExcerptLimit {
						t.Errorf("%s: attempt %+v", gone.Ref, a)
					}
				}
			}
		})
	}
}

func TestExcerptIsBounded(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "tool", `printf '\n'; i=0; while [ $i -lt 300 ]; do printf 'äöü€'; i=$((i+1)); done`)
	caps := detectOn(t, localWith(dir), detect.Config{Policy: openPolicy(t), Explain: true}, tool(t, "tool", ""))
	if len(caps.Detected) != 1 || len(caps.Detected[0].Attempts) != 1 {
		t.Fatalf("got %+v", caps)
	}
	got := caps.Detected[0].Attempts[0].Output
	if len(got) > capability.ExcerptLimit || len(got) < capability.ExcerptLimit-8 || !strings.HasPrefix(got, "äöü€") || !strings.HasSuffix(got, "…") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("excerpt of %d bytes is %q", len(got), got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	tests := map[string]detect.Config{
		"role":        {Role: "hybrid"},
		"source":      {Source: "environment"},
		"parallelism": {Parallelism: -1},
		"timeout":     {Timeout: -time.Second},
		"extra":       {Extra: map[string]json.RawMessage{"extra": json.RawMessage("{")}},
	}
	for word, cfg := range tests {
		d, err := detect.New(nil, cfg)
		if d != nil || !errors.Is(err, detect.ErrConfig) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: New returns %v and error %v, want ErrConfig that names it", word, d, err)
		}
	}
}

// The zero value reads the process's environment, as a worker.
func TestEnvironmentOfTheProcess(t *testing.T) {
	t.Setenv("ATTUNE_WORKER_RUNTIMES", "none")
	t.Setenv("ATTUNE_SENSOR_RUNTIMES", "tool")
	defs := []metadata.Definition{tool(t, "tool", "")}
	for role, want := range map[metadata.Role][]string{"": {}, metadata.Worker: {}, metadata.Sensor: {"tool"}} {
		caps, err := newDetector(t, defs, detect.Config{Role: role}).Detect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(caps.Runtimes, want) || caps.Source != capability.SourceEnvironment {
			t.Errorf("role %q: got %v from %s, want %v from the environment", role, caps.Runtimes, caps.Source, want)
		}
	}
}

func TestWarningsAreLogged(t *testing.T) {
	var log bytes.Buffer
	detectOn(t, withTools(t, "tool"), detect.Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Getenv: func(string) string { return "cobol" },
		Extra:  map[string]json.RawMessage{"host": json.RawMessage("1")},
	})
	for _, want := range []string{"capabilities.host of the config file", `ATTUNE_WORKER_RUNTIMES names \"cobol\"`, "level=WARN"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}

// Detection links neither a database driver nor Docker nor a command line, and of other
// libraries only these.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	libraries := []string{"github.com/go-json-experiment/json", "github.com/hbollon/go-edlib", "go.yaml.in/yaml/v3", "golang.org/x/sys/unix"}
	ours := []string{"runtime/detect", "runtime/host", "schema/version", "schema/capability", "schema/document", "schema/metadata"}
	for _, dep := range deps {
		first, _, _ := strings.Cut(dep, "/")
		ok := slices.ContainsFunc(libraries, func(l string) bool { return dep == l || strings.HasPrefix(dep, l+"/") })
		if !strings.Contains(first, ".") { // the standard library
			ok = dep != "net" && dep != "net/http"
		} else if sub, own := strings.CutPrefix(dep, "github.com/attune-go/attune"); own {
			ok = sub == "" || slices.Contains(ours, sub[1:])
		}
		if !ok {
			t.Errorf("detect imports %s", dep)
		}
	}
	if len(deps) < 10 || !slices.Contains(deps, "github.com/attune-go/attune/runtime/detect") {
		t.Errorf("go list -deps lists only %v", deps)
	}
}

func TestCommandsOfDefinitions(t *testing.T) {
	defs := defsOf(t, `{"ref": "acme.tool", "name": "Tool",
		"distributions": {"verification": {"commands": [{"binary": "tool", "args": ["-v"]}], "locations": ["/opt/*/tool"]}},
		"versions": [{"version": "1.0", "distributions": {"verification": {"commands": [{"binary": "tool1"}]}}}]}`,
		`{"ref": "acme.bare", "name": "Bare"}`)
	var got []string
	for _, c := range detect.Commands(defs) {
		got = append(got, strings.Join(append([]string{c.Location, c.Binary}, c.Args...), " "))
	}
	want := []string{" tool -v", "/opt/*/tool tool -v", " tool1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
