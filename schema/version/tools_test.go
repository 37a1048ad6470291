package version_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

const pythonVersion = `import sys
v = sys.version_info
pre = {'alpha': 'a', 'beta': 'b', 'candidate': 'rc'}
print('%d.%d.%d' % v[:3] + ('' if v[3] == 'final' else '-' + pre[v[3]] + str(v[4])))`

// TestToolsOfThisMachine asks each tool that is here for its version in words,
// and for the same in another way that needs no reading.
func TestToolsOfThisMachine(t *testing.T) {
	tests := []struct{ ask, answer []string }{
		{[]string{"python3", "--version"}, []string{"python3", "-c", pythonVersion}},
		{[]string{"node", "--version"}, []string{"node", "-p", "process.versions.node"}},
		{[]string{"perl", "-v"}, []string{"perl", "-e", "printf '%vd', $^V"}},
		{[]string{"bash", "--version"}, []string{"bash", "-c", "IFS=.; echo \"${BASH_VERSINFO[*]:0:3}\""}},
		{[]string{"go", "version"}, []string{"go", "env", "GOVERSION"}},
		{[]string{"gcc", "--version"}, []string{"gcc", "-dumpfullversion"}},
		{[]string{"ruby", "--version"}, []string{"ruby", "-e", "puts RUBY_VERSION"}},
		{[]string{"php", "--version"}, []string{"php", "-r", "echo PHP_VERSION;"}},
		{[]string{"julia", "--version"}, []string{"julia", "-e", "print(VERSION)"}},
		{[]string{"deno", "--version"}, []string{"deno", "eval", "console.log(Deno.version.deno)"}},
		{[]string{"bun", "--version"}, []string{"bun", "-e", "console.log(Bun.version)"}},
		{[]string{"Rscript", "--version"}, []string{"Rscript", "-e", "cat(as.character(getRversion()))"}},
		{[]string{"pwsh", "--version"}, []string{"pwsh", "-NoProfile", "-Command", "\"$($PSVersionTable.PSVersion)\""}},
		{[]string{"zsh", "--version"}, []string{"zsh", "-c", "echo $ZSH_VERSION"}},
		{[]string{"elixir", "--version"}, []string{"elixir", "-e", "IO.puts System.version"}},
		{[]string{"sqlite3", "--version"}, []string{"sqlite3", ":memory:", "SELECT sqlite_version()"}},
		{[]string{"make", "--version"}, []string{"make", "-s", "-f", "/dev/null", "--eval", "$(info $(MAKE_VERSION))", "--eval", "all:;"}},
	}
	home, _ := os.UserHomeDir()
	pythons, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin/python"))
	for _, python := range pythons {
		tests = append(tests, struct{ ask, answer []string }{[]string{python, "--version"}, []string{python, "-c", pythonVersion}})
	}
	questions := 0
	for _, tt := range tests {
		t.Run(tt.ask[0], func(t *testing.T) {
			if _, err := exec.LookPath(tt.ask[0]); err != nil {
				t.Skip(err)
			}
			questions++
			got, raw, ok := version.Extract(both(t, tt.ask))
			fields := strings.Fields(both(t, tt.answer))
			if len(fields) == 0 {
				t.Fatalf("%q says nothing", tt.answer)
			}
			want := parse(t, fields[0])
			if !ok || got != want {
				t.Errorf("got %s (%v) from %q, want %s", got, ok, raw, want)
			}
		})
	}
	t.Run("java", func(t *testing.T) {
		if _, err := exec.LookPath("java"); err != nil {
			t.Skip(err)
		}
		got, raw, _ := version.Extract(both(t, []string{"java", "-version"}))
		properties := both(t, []string{"java", "-XshowSettings:properties", "-version"})
		_, after, _ := strings.Cut(properties, "java.version = ")
		line, _, _ := strings.Cut(after, "\n")
		if want := parse(t, line); got != want {
			t.Errorf("got %s from %q, want %s", got, raw, want)
		}
	})
	if questions == 0 {
		t.Error("no tool was found, not even go")
	}
}

// TestShellWithoutVersion: dash cannot say which one it is.
func TestShellWithoutVersion(t *testing.T) {
	if _, err := exec.LookPath("dash"); err != nil {
		t.Skip(err)
	}
	var out bytes.Buffer
	cmd := exec.Command("dash", "--version")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil {
		t.Skip("this dash knows --version")
	}
	if v, raw, ok := version.Extract(out.String()); ok {
		t.Errorf("got %s from %q", v, raw)
	}
}

// both returns what a command prints, as a probe hands it to Extract.
func both(t *testing.T, argv []string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8")
	if err := cmd.Run(); err != nil {
		t.Skipf("%q: %v: %s", argv, err, stderr.String())
	}
	return stdout.String() + "\n" + stderr.String()
}
