package detect_test

import (
	"os"
	"os/exec"
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

// Each case is a script that a detection really runs, in a folder before those of PATH.
func TestRealExecutables(t *testing.T) {
	soon := `, "timeout": "300ms"`
	tests := []struct {
		name, script, keys string
		want               capability.Outcome
		detail             string
	}{
		{"answers", `echo "answers 1.2.3"`, "", capability.Available, ""},
		{"standard error", `echo "tool 1.2.3" >&2`, `, "pattern": "^\ntool"`, capability.Available, ""},
		{"hangs", `exec sleep 1000`, soon, capability.Timeout, "300ms"},
		{"ignores SIGTERM", `trap "" TERM INT HUP; while :; do sleep 1; done`, soon, capability.Timeout, "300ms"},
		{"floods", `exec yes`, soon, capability.Timeout, "300ms"},
		{"floods and ends", `yes | head -c 3000000; echo tool 1.2.3`, `, "pattern": "tool"`, capability.OutputUnreadable, "64 KiB"},
		{"floods after its answer", `echo tool 1.2.3; yes | head -c 3000000`, `, "pattern": "tool"`, capability.Available, ""},
		{"leaves a grandchild that holds the pipe", `sleep 1000 & echo tool 1.2.3`, "", capability.Available, ""},
		{"leaves a process in a session of its own", `setsid sleep 20 & echo tool 1.2.3`, "", capability.Available, ""},
		{"is ended by a signal", `echo tool 1.2.3; kill -SEGV $$`, "", capability.Error, "SIGSEGV"},
		{"prints what is not UTF-8", `printf '\377\000\376 tool\n'`, `, "pattern": "^tool"`, capability.OutputUnreadable, "UTF-8"},
		{"prints escapes", `printf '\033[2Jtool 1.2.3\033]0;x\007\n'`, "", capability.Available, ""},
		{"needs a terminal", `read -r line </dev/tty && echo tool 1.2.3`, "", capability.ExitMismatch, "exit status"},
		{"waits for input", `read -r line || exit 3`, "", capability.ExitMismatch, "exit status 3"},
		{"prints another thing", `echo other 1.2.3`, `, "pattern": "^tool"`, capability.PatternMismatch, "other 1.2.3"},
		{"works in a neutral folder", `[ "$(pwd)" = / ] && echo tool 1.2.3`, "", capability.Available, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			script(t, dir, "tool", tt.script)
			caps := detectOn(t, localWith(dir), detect.Config{Policy: openPolicy(t), Explain: true}, tool(t, "tool", tt.keys))
			if got := outcomes(caps)["acme.tool"]; got != tt.want {
				t.Fatalf("outcome is %s, want %s: %+v %+v", got, tt.want, caps.Detected, caps.Undetected)
			}
			if tt.want != capability.Available {
				if got := absence(t, caps, "acme.tool").Detail; !strings.Contains(got, tt.detail) {
					t.Errorf("detail is %q, want one with %q", got, tt.detail)
				}
				return
			}
			if got := caps.RuntimeVersions["tool"]; !slices.Equal(got, []string{"1.2.3"}) {
				t.Errorf("versions are %v, want 1.2.3", got)
			}
		})
	}
}

func TestRealFilesThatCannotRun(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func(file string) error{
		"folder":   func(file string) error { return os.Mkdir(file, 0o755) },
		"dangling": func(file string) error { return os.Symlink("/no/such/file", file) },
		"plain":    func(file string) error { return os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644) },
		"needs":    func(file string) error { return os.WriteFile(file, []byte("#!/no/such/interpreter\n"), 0o755) },
		"empty":    func(file string) error { return os.WriteFile(file, nil, 0o755) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	caps := detectOn(t, localWith(dir), detect.Config{Policy: openPolicy(t)},
		tool(t, "folder", ""), tool(t, "dangling", ""), tool(t, "plain", ""), tool(t, "needs", ""), tool(t, "empty", ""), tool(t, "absent-everywhere", ""))
	for _, want := range []struct {
		ref     string
		outcome capability.Outcome
		detail  string
	}{
		{"acme.folder", capability.NotExecutable, "is a directory"},
		{"acme.dangling", capability.NotExecutable, "/no/such/file"},
		{"acme.plain", capability.NotExecutable, "is not executable"},
		{"acme.needs", capability.NotExecutable, "/no/such/interpreter"},
		{"acme.empty", capability.NotExecutable, "not a program"},
		{"acme.absent-everywhere", capability.NotFound, "is in none of the"},
	} {
		got := absence(t, caps, want.ref)
		if got.Outcome != want.outcome || !strings.Contains(got.Detail, want.detail) || got.Hint == "" {
			t.Errorf("%s: got %s %q with hint %q, want %s with %q and a hint", want.ref, got.Outcome, got.Detail, got.Hint, want.outcome, want.detail)
		}
	}
}

// A version file proves nothing: each JDK is started once, and the one that fails does not
// count. The evidence has the start and the file.
func TestRealVersionFileIsNoProof(t *testing.T) {
	const count = `echo "$0" >>"$HOME/started"; `
	root := tree(t, map[string]string{
		".sdkman/candidates/java/17.0.11-tem/bin/java": count + `echo 'openjdk version "17.0.11" 2024-04-16' >&2`,
		".sdkman/candidates/java/21.0.3-tem/bin/java":  count + "echo 'Error: missing `server'\"'\"' JVM' >&2; exit 4",
		".sdkman/candidates/java/current":              "->17.0.11-tem",
	})
	for _, v := range []string{"17.0.11", "21.0.3"} {
		file := filepath.Join(root, ".sdkman/candidates/java", v+"-tem", "release")
		if err := os.WriteFile(file, []byte("JAVA_VERSION=\""+v+"\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := host.Local(host.LocalConfig{Environ: []string{"PATH=/usr/bin:/bin", "HOME=" + root}})
	caps := detectOn(t, h, detect.Config{Explain: true}, coreOf(t, "core.java"))
	i := slices.IndexFunc(caps.Detected, func(in capability.Installation) bool { return strings.HasPrefix(in.Path, root) })
	if i < 0 || caps.Detected[i].Version != "17.0.11" {
		t.Fatalf("got %+v, want 17.0.11", caps.Detected)
	}
	in := caps.Detected[i]
	last := in.Attempts[len(in.Attempts)-1]
	if in.VersionFile == "" || last.VersionFile != in.VersionFile || last.ExitCode == nil || !strings.Contains(last.Output, "openjdk version") {
		t.Errorf("got %+v, want evidence of the start and of the file", last)
	}
	j := slices.IndexFunc(caps.Failed, func(f capability.Failure) bool { return strings.Contains(f.Path, "21.0.3-tem") })
	if j < 0 || caps.Failed[j].Outcome != capability.ExitMismatch || caps.Failed[j].Version != "" {
		t.Errorf("got %+v, want a failure without a version of 21.0.3-tem", caps.Failed)
	}
	started, err := os.ReadFile(filepath.Join(root, "started"))
	if err != nil || strings.Count(string(started), "\n") != 2 {
		t.Errorf("started %q (%v), want each once", started, err)
	}
}

// Each detection looks at the host again.
func TestRealRuntimeComesAndGoes(t *testing.T) {
	dir := t.TempDir()
	d := newDetector(t, []metadata.Definition{tool(t, "tool", "")}, detect.Config{Host: localWith(dir), Policy: openPolicy(t), Getenv: noEnvironment})
	before, err := d.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := script(t, dir, "tool", "echo tool 1.2.3")
	there, err := d.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	after, err := d.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := capability.Compare(before, there); !slices.Equal(diff.Gained, []string{"tool"}) || len(diff.Lost) > 0 {
		t.Errorf("after it was installed: %+v, want tool gained", diff)
	}
	if diff := capability.Compare(there, after); !slices.Equal(diff.Lost, []string{"tool"}) || len(diff.Gained) > 0 {
		t.Errorf("after it was removed: %+v, want tool lost", diff)
	}
}

// Under the default policy an executable that others can replace is not run. The document
// has the entry that would allow it.
func TestRealPolicyLooksAtTheFile(t *testing.T) {
	dir := t.TempDir()
	ran := filepath.Join(dir, "ran")
	file := script(t, dir, "tool", "touch "+ran+"; echo tool 1.2.3")
	if err := os.Chmod(file, 0o777); err != nil {
		t.Fatal(err)
	}
	got := absence(t, detectOn(t, localWith(dir), detect.Config{}, tool(t, "tool", "")), "acme.tool")
	if got.Outcome != capability.DeniedByPolicy || !strings.Contains(got.Detail, file) || !strings.Contains(got.Hint, "policy.allow: "+file+" --version") {
		t.Errorf("got %+v, want denied_by_policy that names %s and the line for policy.allow", got, file)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("it was run all the same")
	}
}

// The core pack's findings on this machine agree with the tools' output.
func TestRealHostAgreesWithItsTools(t *testing.T) {
	caps, err := newDetector(t, packs.Core().Definitions, detect.Config{Getenv: noEnvironment, Explain: true}).Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(caps.Runtimes, "native") {
		t.Errorf("runtimes are %v, want native among them", caps.Runtimes)
	}
	for _, in := range caps.Detected {
		if in.Source != capability.Verified || in.Command == nil {
			continue
		}
		cmd := exec.Command(in.Path, in.Command[1:]...)
		cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %s: %v", in.Ref, cmd, err)
		}
		if in.VersionRaw == "" || !strings.Contains(string(out), in.VersionRaw) {
			t.Errorf("%s: %s says\n%s\nand detection says %q", in.Ref, cmd, out, in.VersionRaw)
		}
	}
}
