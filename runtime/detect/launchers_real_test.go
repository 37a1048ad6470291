//go:build unix

package detect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// launchersThatInstall lists launchers that install what is asked for, unless a variable
// has a value.
var launchersThatInstall = []struct{ path, variable, value, answer, source string }{
	{".proto/shims/deno", "PROTO_AUTO_INSTALL", "false", "deno 2.0.0 (stable, release, x86_64-unknown-linux-gnu)", "moonrepo/proto 881"},
	{".local/share/aquaproj-aqua/bin/node", "AQUA_DISABLE_LAZY_INSTALL", "true", "v20.11.1", "aquaproj.github.io, docs/reference/lazy-install"},
	{".local/bin/ruby", "PKGX_NO_INSTALL", "1", "ruby 3.3.1", "pkgxdev/pkgx, crates/cli/src/resolve.rs"},
	{".rye/shims/python3", "RYE_NO_AUTO_INSTALL", "1", "Python 3.12.1", "astral-sh/rye, docs/guide/installation.md"},
	{".cargo/bin/rustc", "RUSTUP_AUTO_INSTALL", "0", "rustc 1.80.0 (051478957 2024-07-21)", "rust-lang/rustup, environment-variables.md"},
	{"go/bin/go", "GOTOOLCHAIN", "local", "go version go1.21.0 linux/amd64", "go.dev/doc/toolchain"},
	{"mise/php/php", "MISE_AUTO_INSTALL", "0", "PHP 8.3.1 (cli)", "jdx/mise, settings.toml"},
	{"mise/perl/perl", "MISE_EXEC_AUTO_INSTALL", "0", "This is perl 5, version 36, subversion 0 (v5.36.0)", "jdx/mise, settings.toml"},
	{"mise/lua/lua", "MISE_NOT_FOUND_AUTO_INSTALL", "0", "Lua 5.4.6", "jdx/mise, settings.toml"},
}

// TestRealLaunchersInstallNothing starts launchers that note what they would install.
func TestRealLaunchersInstallNothing(t *testing.T) {
	files := map[string]string{}
	var path []string
	for _, l := range launchersThatInstall {
		files[l.path] = fmt.Sprintf("[ \"${%s:-}\" = %s ] || echo ${0##*/} >>$HOME/installed\necho '%s'", l.variable, l.value, l.answer)
		path = append(path, filepath.Dir(l.path))
	}
	root := tree(t, files)
	h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/" + strings.Join(path, ":"+root+"/")}})
	caps := detectOn(t, h, detect.Config{}, homeless(t)...)
	if len(caps.Detected) != len(launchersThatInstall) {
		t.Errorf("found %d of %d: %v; not found %+v", len(caps.Detected), len(launchersThatInstall), brief(caps, root), caps.Undetected)
	}
	installed, _ := os.ReadFile(filepath.Join(root, "installed"))
	for _, l := range launchersThatInstall {
		if strings.Contains(string(installed), filepath.Base(l.path)+"\n") {
			t.Errorf("%s would have been installed (%s)", filepath.Base(l.path), l.source)
		}
	}
}

// TestRealDotSlashFiles checks that a DotSlash file is not started, because it downloads what it
// describes (facebook/dotslash, dotslash-file.md). On a host without DotSlash its runtime is
// absent.
func TestRealDotSlashFiles(t *testing.T) {
	root := tree(t, map[string]string{
		"dotslash/dotslash": "echo node >>$HOME/installed; echo v18.19.0",
		"real/python3":      "echo Python 3.12.1",
		"links/node":        "->../bin/node",
	})
	file := filepath.Join(root, "bin/node")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/usr/bin/env dotslash\n\n{\"name\": \"node-v18.19.0\"}\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path   string
		want   capability.Outcome
		detail string
	}{
		{"R/bin:R/dotslash:R/real", capability.Error, "it is a DotSlash file, and its start may download the program"},
		{"R/links:R/dotslash:R/real", capability.Error, "it is a DotSlash file, and its start may download the program"},
		{"R/bin:R/real", capability.ExitMismatch, "exit status 127"},
	} {
		h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + strings.ReplaceAll(tt.path, "R/", root+"/")}})
		caps := detectOn(t, h, detect.Config{}, coreOf(t, "core.nodejs"), coreOf(t, "core.python"))
		if diff := cmp.Diff([]string{"3.12.1 real/python3 default"}, brief(caps, root)); diff != "" {
			t.Errorf("PATH %s (-want +got):\n%s", tt.path, diff)
		}
		if got := absence(t, caps, "core.nodejs"); got.Outcome != tt.want || !strings.Contains(got.Detail, tt.detail) || got.Hint == "" {
			t.Errorf("PATH %s: got %s %q with hint %q, want %s with %q", tt.path, got.Outcome, got.Detail, got.Hint, tt.want, tt.detail)
		}
	}
	if installed, err := os.ReadFile(filepath.Join(root, "installed")); err == nil {
		t.Errorf("%s would have been downloaded", installed)
	}
}

// TestRealToolsThatNeedVariables starts tools that fail without a variable of the host.
func TestRealToolsThatNeedVariables(t *testing.T) {
	for _, tt := range []struct{ name, variable, answer, source string }{
		{"pwsh", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "PowerShell 7.4.2", "awslabs/aws-lambda-powershell-runtime 33: no ICU"},
		{"python3", "PYENV_ROOT", "Python 3.12.1", "pyenv/pyenv 2172: shims of another folder"},
		{"ruby", "RBENV_ROOT", "ruby 3.3.1", "rbenv/rbenv, README.md: shims of another folder"},
		{"node", "ASDF_DATA_DIR", "v20.11.1", "asdf-vm/asdf, docs/manage/configuration.md: shims of another folder"},
		{"rustc", "RUSTUP_HOME", "rustc 1.80.0 (051478957 2024-07-21)", "rust-lang/rustup: could not choose a version of rustc to run"},
		{"perl", "PLENV_ROOT", "This is perl 5, version 36, subversion 0 (v5.36.0)", "tokuhirom/plenv, README.md: shims of another folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := tree(t, map[string]string{"bin/" + tt.name: fmt.Sprintf("[ -n \"${%s:-}\" ] || exit 1\necho '%s'", tt.variable, tt.answer)})
			for variable, found := range map[string]int{"UNRELATED=1": 0, tt.variable + "=/srv/it": 1} {
				h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/bin:/usr/bin:/bin", variable}})
				here := 0
				for _, in := range detectOn(t, h, detect.Config{}, homeless(t)...).Detected {
					if strings.HasPrefix(in.Path, root) {
						here++
					}
				}
				if here != found {
					t.Errorf("with %s: found %d, want %d (%s)", variable, here, found, tt.source)
				}
			}
		})
	}
}
