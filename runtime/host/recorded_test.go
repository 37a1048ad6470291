//go:build unix

package host_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/host"
)

const sample = `
host: {os: linux, arch: amd64, path: [/usr/local/bin, /usr/bin]}
binaries:
  - path: /usr/bin/python3
    runs:
      - {args: ["--version"], stdout: "Python 3.11.7\n", stderr: "", exit_code: 0, duration: 9ms}
      - {args: [-c, 3.10], stdout: 3.10, exit_code: 7}
      - {args: [hang], stdout: "so far", timeout: true}
      - {args: [crash], signal: SIGSEGV}
      - {args: [foreign], error: "not a program for this machine"}
      - {args: [binary], stdout: !!binary /w==, truncated: true}
  - path: /usr/lib/jvm/java-17/bin/java
  - path: /home/user/.pyenv/versions/3.12.1/bin/python3
  - {path: /usr/local/bin/broken, fault: is not executable}
links: {/usr/bin/python3: /usr/bin/python3.11, /usr/bin/java: /etc/alternatives/java, /etc/alternatives/java: ../../usr/lib/jvm/java-17/bin/java}
files: {/usr/lib/jvm/java-17/release: "JAVA_VERSION=\"17.0.15\"\n"}
`

func TestRecordedRun(t *testing.T) {
	r := recorded(t, sample)
	run := func(path string, args ...string) host.Result {
		return r.Run(t.Context(), host.Invocation{Path: path, Args: args, Timeout: time.Hour})
	}
	for _, tt := range []struct {
		args []string
		want host.Result
	}{
		{[]string{"--version"}, host.Result{Stdout: []byte("Python 3.11.7\n"), Stderr: []byte{}, Duration: 9 * time.Millisecond}},
		{[]string{"-c", "3.10"}, host.Result{Stdout: []byte("3.10"), Stderr: []byte{}, ExitCode: 7}},
		{[]string{"hang"}, host.Result{Stdout: []byte("so far"), Stderr: []byte{}, ExitCode: -1, TimedOut: true, Duration: time.Hour}},
		{[]string{"crash"}, host.Result{Stdout: []byte{}, Stderr: []byte{}, ExitCode: -1, Signal: "SIGSEGV"}},
		{[]string{"binary"}, host.Result{Stdout: []byte{0xff}, Stderr: []byte{}, Truncated: true}},
	} {
		if diff := cmp.Diff(tt.want, run("/usr/bin/python3", tt.args...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.args, diff)
		}
	}
	for want, res := range map[string]host.Result{
		"run /usr/bin/python3: not a program for this machine":                   run("/usr/bin/python3", "foreign"),
		"run /usr/bin/python3 -V: the recording lacks this command":              run("/usr/bin/python3", "-V"),
		"run /usr/bin/python3: the recording lacks this command":                 run("/usr/bin/python3"),
		"run /usr/lib/jvm/java-17/bin/java -v: the recording lacks this command": run("/usr/lib/jvm/java-17/bin/java", "-v"),
		"run /usr/bin/node: the recording lacks this executable":                 run("/usr/bin/node", "--version"),
		"run /usr/bin/python3.11: the recording lacks this executable":           run("/usr/bin/python3.11", "--version"),
	} {
		if res.Err == nil || !strings.HasPrefix(res.Err.Error(), want) || res.ExitCode != -1 {
			t.Errorf("got %v, want an error that begins %q", brief(res), want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if res := r.Run(ctx, host.Invocation{Path: "/usr/bin/python3", Args: []string{"--version"}}); !errors.Is(res.Err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", brief(res))
	}
}

func TestRecordedFiles(t *testing.T) {
	r := recorded(t, sample)
	if diff := cmp.Diff(host.Info{OS: "linux", Arch: "amd64", User: "user", Path: []string{"/usr/local/bin", "/usr/bin"}}, r.Info()); diff != "" {
		t.Errorf("Info (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		binary string
		want   []host.Candidate
	}{
		{"python3", []host.Candidate{{Path: "/usr/bin/python3", RealPath: "/usr/bin/python3.11"}}},
		{"python3.11", nil},
		{"/usr/bin/python3", []host.Candidate{{Path: "/usr/bin/python3", RealPath: "/usr/bin/python3.11"}}},
		{"java", []host.Candidate{{Path: "/usr/bin/java", RealPath: "/usr/lib/jvm/java-17/bin/java"}}},
		{"broken", []host.Candidate{{Path: "/usr/local/bin/broken", RealPath: "/usr/local/bin/broken", Fault: host.FaultNotExecutable}}},
		{"node", nil},
		{"/usr/bin/node", nil},
		{"bin/python3", nil},
		{"", nil},
	} {
		if diff := cmp.Diff(tt.want, r.Lookup(tt.binary)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", tt.binary, diff)
		}
	}
	for pattern, want := range map[string][]string{
		"/usr/lib/jvm/*/bin/java":         {"/usr/lib/jvm/java-17/bin/java"},
		"~/.pyenv/versions/*/bin/python3": {"/home/user/.pyenv/versions/3.12.1/bin/python3"},
		"/usr/lib/jvm/*":                  {"/usr/lib/jvm/java-17"},
		"/usr/lib/jvm/java-17/release/*":  nil,
		"/usr/bin/*":                      {"/usr/bin/java", "/usr/bin/python3"},
		"usr/*":                           nil,
	} {
		if diff := cmp.Diff(want, r.Glob(pattern)); diff != "" {
			t.Errorf("Glob(%q) (-want +got):\n%s", pattern, diff)
		}
	}
	java := host.InstalledFile{Executable: "/usr/lib/jvm/java-17/bin/java", Path: "../release", Public: true}
	if path, got, err := r.ReadInstalled(java); err != nil || path != "/usr/lib/jvm/java-17/release" || string(got) != "JAVA_VERSION=\"17.0.15\"\n" {
		t.Errorf("got %q, %v", got, err)
	}
	java.Path = "none"
	if _, _, err := r.ReadInstalled(java); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	java.Path = "../../java-17/release"
	if _, got, err := r.ReadInstalled(java); err != nil {
		t.Errorf("got %q, %v, want what is inside whatever way leads there", got, err)
	}
	java.Path = "../../java-8/release"
	if _, _, err := r.ReadInstalled(java); !errors.Is(err, host.ErrOutside) {
		t.Errorf("got %v, want host.ErrOutside", err)
	}
	if by, bad := r.Writable("/tmp"); bad {
		t.Errorf("got %q, want no fault: the checks of files do not apply", by)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"not YAML", "host: [", "host.yaml: line 1"},
		{"empty", "", "host.yaml: empty document"},
		{"a comment", "# nothing\n", "host.yaml: empty document"},
		{"a list", "- x\n", "host.yaml: line 1: cannot unmarshal !!seq"},
		{"two documents", "host: {}\n---\nhost: {}\n", "must have one document"},
		{"unknown key", "hosts: {}\n", "host.yaml: line 1: field hosts not found"},
		{"unknown key of a run", "binaries:\n- path: /x\n  runs:\n  - {stdot: x}\n", "host.yaml: line 4: field stdot not found"},
		{"same key twice", "links: {}\nlinks: {}\n", `host.yaml: line 2: mapping key "links" already defined at line 1`},
		{"relative path", "host: {path: [bin]}\n", `host.yaml: line 1: must be an absolute path, got "bin"`},
		{"binary without path", "binaries:\n- {runs: []}\n", "host.yaml: binary 1 has no path"},
		{"binary twice", "binaries: [{path: /x}, {path: //x}]\n", "duplicate binary /x"},
		{"run twice", "binaries: [{path: /x, runs: [{args: [a]}, {args: [a]}]}]\n", `duplicate run of /x with args ["a"]`},
		{"exit code", "binaries: [{path: /x, runs: [{exit_code: 256}]}]\n", `line 1: must be an exit status from 0 to 255, got "256"`},
		{"duration", "binaries: [{path: /x, runs: [{duration: 9}]}]\n", "line 1: cannot unmarshal !!int `9` into time.Duration"},
		{"negative duration", "binaries: [{path: /x, runs: [{duration: -9ms}]}]\n", "must be at least 0s, got -9ms"},
		{"timeout", "binaries: [{path: /x, runs: [{timeout: 10s}]}]\n", "line 1: cannot unmarshal !!str `10s` into bool"},
		{"args as text", "binaries: [{path: /x, runs: [{args: --version}]}]\n", "line 1: cannot unmarshal !!str `--version` into []string"},
		{"text as list", "binaries: [{path: /x, runs: [{stdout: [a]}]}]\n", "line 1: cannot unmarshal !!seq"},
		{"base64", "files: {/x: !!binary '%'}\n", "invalid base64"},
		{"relative link", "links: {x: /y}\n", `line 1: must be an absolute path, got "x"`},
	} {
		_, err := host.Parse("host.yaml", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	_, err := host.Parse("host.yaml", []byte("hosts: {}\nbinary: {}\nfiles: 3\n"))
	for _, want := range []string{"host.yaml: line 1", "host.yaml: line 2", "host.yaml: line 3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want every fault, also %s", err, want)
		}
	}
	if _, err := host.Open(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("a: &a [*a]\n")
	f.Add("binaries: &b [{path: /x}]\nlinks: *b\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := host.Parse("f", []byte(text))
		if (r == nil) != (err != nil) {
			t.Errorf("got %v and %v", r, err)
		}
		if r != nil {
			r.Lookup("x")
			r.Glob("~/*")
		}
	})
}
