//go:build unix

package host_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/host"
)

// probeEnv returns the environment of a probe on a host with environ.
func probeEnv(t *testing.T, environ, names []string) map[string]string {
	t.Helper()
	res := host.Local(host.LocalConfig{Environ: environ}).Run(t.Context(), host.Invocation{Path: "/usr/bin/env", Args: []string{"-0"}, Env: names})
	if res.Err != nil || res.ExitCode != 0 {
		t.Fatalf("got %+v", res)
	}
	seen := map[string]string{}
	for _, e := range strings.Split(strings.TrimSuffix(string(res.Stdout), "\x00"), "\x00") {
		k, v, _ := strings.Cut(e, "=")
		if _, twice := seen[k]; twice {
			t.Errorf("%s is set twice", k)
		}
		seen[k] = v
	}
	return seen
}

func TestEnvIsBuilt(t *testing.T) {
	environ := []string{
		"HOME=/home/alice/", "PATH=bin:/usr/bin::/bin:/usr/bin", "USER=somebody else",
		"LANG=de_DE.UTF-8", "LC_ALL=de_DE.UTF-8", "LANGUAGE=de", "GOTOOLCHAIN=auto", "TERM=xterm",
		"PYENV_ROOT=/opt/pyenv", "CARGO_HOME=", "VOLTA_HOME=https://user:secret@example.org/",
		"ATTUNE_DATABASE_URL=postgres://u:p@db/x", "DATABASE_URL=x", "AWS_SECRET_ACCESS_KEY=x",
		"JAVA_TOOL_OPTIONS=-javaagent:x", "PYENV_VERSION=3.6", "NODE_OPTIONS=--require x", "LD_PRELOAD=/x.so",
		"MY_TOOL_HOME=/opt/tool", "=C:=x", "broken",
	}
	got := probeEnv(t, environ, nil)
	want := map[string]string{
		"HOME": "/home/alice", "PATH": "/usr/bin:/bin", "PYENV_ROOT": "/opt/pyenv",
		"LC_ALL": "C.UTF-8", "GOTOOLCHAIN": "local", "RUSTUP_AUTO_INSTALL": "0", "TERM": "dumb",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if got["USER"] == "somebody else" || got["USER"] == "" || got["USER"] != got["LOGNAME"] {
		t.Errorf("USER is %q and LOGNAME %q, want the effective user", got["USER"], got["LOGNAME"])
	}
	known := append([]string{"HOME", "PATH", "USER", "LOGNAME"}, append(host.SetVars(), host.PassVars()...)...)
	for k := range got {
		if !slices.Contains(known, k) {
			t.Errorf("%s=%s was inherited", k, got[k])
		}
	}
	for _, k := range []string{"CARGO_HOME", "VOLTA_HOME"} {
		if v, ok := got[k]; ok {
			t.Errorf("%s=%s was passed", k, v)
		}
	}
}

func TestEnvOfDefinition(t *testing.T) {
	environ := []string{
		"HOME=/", "MY_TOOL_HOME=/opt/tool", "EMPTY=", "R_HOME=/usr/lib/R", "PYENV_ROOT=/opt/pyenv", "HTTPS_PROXY=http://me:secret@proxy:3128",
		"DB_URL=postgres://h/db?user=a&password=x", "SLASH_URL=amqp://me:sec/ret@mq", "MY_DSN_LIKE=host=h Password = x",
		"PLAIN_PROXY=http://proxy:3128", "ATTUNE_DATABASE_URL=x", "attune_token=x", "PGPASSWORD=x", "GITHUB_TOKEN=x", "MYSQL_PWD=x",
		"LD_LIBRARY_PATH=/x", "DYLD_INSERT_LIBRARIES=/x", "BASH_ENV=/x", "JAVA_TOOL_OPTIONS=x", "PYENV_VERSION=3.6", "ASDF_NODEJS_VERSION=1", "GOTOOLCHAIN=auto", "PATH=/usr/bin",
	}
	var names []string
	for _, e := range environ {
		k, _, _ := strings.Cut(e, "=")
		names = append(names, k, k)
	}
	base, got := probeEnv(t, environ, nil), probeEnv(t, environ, append(names, "UNSET", "", "A=B"))
	added := map[string]string{}
	for k, v := range got {
		if before, ok := base[k]; !ok {
			added[k] = v
		} else if before != v {
			t.Errorf("%s became %q, was %q", k, v, before)
		}
	}
	want := map[string]string{"MY_TOOL_HOME": "/opt/tool", "EMPTY": "", "R_HOME": "/usr/lib/R", "PLAIN_PROXY": "http://proxy:3128"}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("what is passed through (-want +got):\n%s", diff)
	}
}

func TestRefusedEnv(t *testing.T) {
	refused := []string{
		"ATTUNE_X", "attune_x", "APP_DATABASE_URL", "SENTRY_DSN", "PGPASSFILE", "VAULT_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"OPENAI_API_KEY", "DB_PASSWORD", "DB_PASS", "BORG_PASSPHRASE", "GITHUB_PAT", "MYKEY", "KUBECONFIG", "APP_SESSION", "SSH_AUTH_SOCK", "LD_PRELOAD", "DYLD_X", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT", "_JAVA_OPTIONS",
		"PYENV_VERSION", "RBENV_VERSION", "MISE_NODE_VERSION", "RUSTUP_TOOLCHAIN", "LC_MESSAGES", "PATH", "HOME", "GOTOOLCHAIN", "", "A=B", "A-B", "A B", "1A", "$A", "ENV",
	}
	for _, name := range refused {
		if host.RefusedEnv(name) == "" {
			t.Errorf("%q is passed through", name)
		}
	}
	for _, name := range []string{"JAVA_HOME", "R_HOME", "GOPATH", "PYTHONPATH", "TZ", "KEYBOARD", "PYENV_ROOT"} {
		if why := host.RefusedEnv(name); why != "" {
			t.Errorf("%s is refused: %s", name, why)
		}
	}
}

// TestGoLeavesNothing runs a real go, which would count its starts in the user's files.
func TestGoLeavesNothing(t *testing.T) {
	path, err := exec.LookPath("go")
	if err != nil {
		t.Skip("go is not in PATH")
	}
	home := t.TempDir()
	h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}})
	if res := h.Run(t.Context(), host.Invocation{Path: path, Args: []string{"version"}}); !strings.HasPrefix(string(res.Stdout), "go version") {
		t.Fatalf("got %s", brief(res))
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) > 0 {
		t.Errorf("the home folder has %v, %v", left, err)
	}
}
