package detect_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// homeless returns the core pack's definitions without the locations that can exist on this
// machine: those that begin with neither ~ nor a variable.
func homeless(t *testing.T) []metadata.Definition {
	t.Helper()
	var defs []metadata.Definition
	for _, d := range packs.Core().Definitions {
		if d.Distributions.Verification != nil && len(d.Distributions.Verification.Commands) > 0 {
			v := *d.Distributions.Verification
			v.Locations = slices.DeleteFunc(slices.Clone(v.Locations), func(l string) bool { return strings.HasPrefix(l, "/") })
			d.Distributions.Verification = &v
			defs = append(defs, d)
		}
	}
	return defs
}

// A version manager's folder is found by its own variable, and beside its folder of shims
// in PATH.
func TestRealManagerRoots(t *testing.T) {
	root := tree(t, map[string]string{
		"pyenv/versions/3.11.7/bin/python3":   "echo Python 3.11.7",
		"pyenv/versions/3.12.1/bin/python3":   "echo Python 3.12.1",
		"pyenv/shims/python3":                 `exec "${0%/*}/../versions/3.11.7/bin/python3" "$@"`,
		"uv/cpython-3.12.4-linux/bin/python3": "echo Python 3.12.4",

		"asdf/installs/python/3.9.18/bin/python3": "echo Python 3.9.18",
		"asdf/installs/nodejs/20.11.1/bin/node":   "echo v20.11.1",
		"asdf/shims/node":                         `echo "No version is set for command node" >&2; exit 126`,

		"mise/installs/node/18.19.1/bin/node":                         "echo v18.19.1",
		"data/mise/installs/node/16.20.2/bin/node":                    "echo v16.20.2",
		"data/fnm/node-versions/v14.21.3/installation/bin/node":       "echo v14.21.3",
		"nvm/versions/node/v22.1.0/bin/node":                          "echo v22.1.0",
		"sdkman/candidates/java/21.0.3-tem/bin/java":                  `echo 'openjdk version "21.0.3" 2024-04-16 LTS' >&2`,
		"sdkman/candidates/java/17.0.11-tem/bin/java":                 `echo 'openjdk version "17.0.11" 2024-04-16 LTS' >&2`,
		"sdkman/candidates/java/current":                              "->17.0.11-tem",
		"rustup/toolchains/1.80.0-x86_64-unknown-linux-gnu/bin/rustc": `echo "rustc 1.80.0 (abcdef012 2024-07-21)"`,
		"rustup/toolchains/1.75.0-x86_64-unknown-linux-gnu/bin/rustc": `echo "rustc 1.75.0 (abcdef012 2024-07-21)"`,
		"cargo/bin/rustup":                                            `exec "${0%/*}/../../rustup/toolchains/1.80.0-x86_64-unknown-linux-gnu/bin/${0##*/}" "$@"`,
		"cargo/bin/rustc":                                             "->rustup",
		"depot/juliaup/julia-1.10.9+0.x64.linux.gnu/bin/julia":        "echo julia version 1.10.9",
		"depot/juliaup/julia-1.12.0-beta1+0.x64.linux.gnu/bin/julia":  "echo julia version 1.12.0-beta1",
		"juliaup/bin/julialauncher":                                   `exec "${0%/*}/../../depot/juliaup/julia-1.10.9+0.x64.linux.gnu/bin/julia" "$@"`,
		"juliaup/bin/julia":                                           "->julialauncher",
		"depot/juliaup/juliaup.json":                                  "",
		"rbenv/versions/3.3.1/bin/ruby":                               "echo 'ruby 3.3.1 (2024-04-23 revision c56cd86388) [x86_64-linux]'",
		"volta/tools/image/node/20.1.0/bin/node":                      "echo v20.1.0",
		"goenv/versions/1.22.3/bin/go":                                "echo go version go1.22.3 linux/amd64",
		"goenv/shims/go":                                              `echo "goenv: version '1.21' is not installed" >&2; exit 1`,
		"nodenv/versions/18.20.4/bin/node":                            "echo v18.20.4",
		"plenv/versions/5.36.0/bin/perl":                              "echo 'This is perl 5, version 36, subversion 0 (v5.36.0)'",
		"phpenv/versions/8.2.20/bin/php":                              "echo 'PHP 8.2.20 (cli)'",
		"phpenv/shims/php":                                            `exec "${0%/*}/../versions/8.2.20/bin/php" "$@"`,
		"jenv/versions/temurin64-21.0.3":                              "->../../sdkman/candidates/java/21.0.3-tem",
		"proto/tools/deno/2.0.0/bin/deno":                             "echo 'deno 2.0.0 (stable, release, x86_64-unknown-linux-gnu)'",
		"proto/shims/deno":                                            `exec "${0%/*}/../tools/deno/2.0.0/bin/deno" "$@"`,
	})
	for _, tt := range []struct {
		about string
		vars  []string
		path  string
		want  []string
	}{
		{about: "no variable"},
		{"PYENV_ROOT and shims (microsoft/vscode-python 17165, pyenv/pyenv 2172)", []string{"PYENV_ROOT=R/pyenv"}, "R/pyenv/shims",
			[]string{"3.12.1 pyenv/versions/3.12.1/bin/python3", "3.11.7 pyenv/versions/3.11.7/bin/python3 shim pyenv/shims/python3 default"}},
		{"PYENV_ROOT (pypa/pipenv 3123)", []string{"PYENV_ROOT=R/pyenv"}, "", []string{"3.12.1 pyenv/versions/3.12.1/bin/python3", "3.11.7 pyenv/versions/3.11.7/bin/python3"}},
		{"pyenv's shims alone", nil, "R/pyenv/shims",
			[]string{"3.12.1 pyenv/versions/3.12.1/bin/python3", "3.11.7 pyenv/versions/3.11.7/bin/python3 shim pyenv/shims/python3 default"}},
		{"UV_PYTHON_INSTALL_DIR (frostming/findpython 33)", []string{"UV_PYTHON_INSTALL_DIR=R/uv"}, "", []string{"3.12.4 uv/cpython-3.12.4-linux/bin/python3"}},
		{"ASDF_DATA_DIR and a failing shim (asdf-vm/asdf, docs/manage/configuration.md)", []string{"ASDF_DATA_DIR=R/asdf"}, "R/asdf/shims",
			[]string{"20.11.1 asdf/installs/nodejs/20.11.1/bin/node", "3.9.18 asdf/installs/python/3.9.18/bin/python3"}},
		{"MISE_DATA_DIR (jdx/mise, docs/directories.md)", []string{"MISE_DATA_DIR=R/mise"}, "", []string{"18.19.1 mise/installs/node/18.19.1/bin/node"}},
		{"XDG_DATA_HOME, of mise and fnm (jdx/mise, docs/directories.md; Schniz/fnm)", []string{"XDG_DATA_HOME=R/data"}, "",
			[]string{"16.20.2 data/mise/installs/node/16.20.2/bin/node", "14.21.3 data/fnm/node-versions/v14.21.3/installation/bin/node"}},
		{"NVM_DIR (fast-nvm-fish 14)", []string{"NVM_DIR=R/nvm"}, "", []string{"22.1.0 nvm/versions/node/v22.1.0/bin/node"}},
		{"SDKMAN_DIR and current in PATH (sdkman/sdkman-cli)", []string{"SDKMAN_DIR=R/sdkman"}, "R/sdkman/candidates/java/current/bin",
			[]string{"21.0.3 sdkman/candidates/java/21.0.3-tem/bin/java", "17.0.11 sdkman/candidates/java/current/bin/java default"}},
		{"JAVA_HOME (microsoft/azure-pipelines-agent 3011)", []string{"JAVA_HOME=R/sdkman/candidates/java/21.0.3-tem"}, "", []string{"21.0.3 sdkman/candidates/java/21.0.3-tem/bin/java"}},
		{"RUSTUP_HOME and proxies (rust-lang/docker-rust)", []string{"RUSTUP_HOME=R/rustup"}, "R/cargo/bin",
			[]string{"1.80.0 rustup/toolchains/1.80.0-x86_64-unknown-linux-gnu/bin/rustc shim cargo/bin/rustc default", "1.75.0 rustup/toolchains/1.75.0-x86_64-unknown-linux-gnu/bin/rustc"}},
		{"JULIAUP_DEPOT_PATH and the launcher (JuliaLang/juliaup)", []string{"JULIAUP_DEPOT_PATH=R/depot"}, "R/juliaup/bin",
			[]string{"1.12.0-beta1 depot/juliaup/julia-1.12.0-beta1+0.x64.linux.gnu/bin/julia", "1.10.9 depot/juliaup/julia-1.10.9+0.x64.linux.gnu/bin/julia shim juliaup/bin/julia default"}},
		{"RBENV_ROOT (sous-chefs/ruby_rbenv)", []string{"RBENV_ROOT=R/rbenv"}, "", []string{"3.3.1 rbenv/versions/3.3.1/bin/ruby"}},
		{"NODENV_ROOT (nodenv/nodenv, README.md)", []string{"NODENV_ROOT=R/nodenv"}, "", []string{"18.20.4 nodenv/versions/18.20.4/bin/node"}},
		{"PLENV_ROOT (tokuhirom/plenv, README.md)", []string{"PLENV_ROOT=R/plenv"}, "", []string{"5.36.0 plenv/versions/5.36.0/bin/perl"}},
		{"PHPENV_ROOT and its shims (phpenv/phpenv, README.md)", []string{"PHPENV_ROOT=R/phpenv"}, "R/phpenv/shims",
			[]string{"8.2.20 phpenv/versions/8.2.20/bin/php shim phpenv/shims/php default"}},
		{"GOENV_ROOT (go-nv/goenv, INSTALL.md)", []string{"GOENV_ROOT=R/goenv"}, "", []string{"1.22.3 goenv/versions/1.22.3/bin/go"}},
		{"JENV_ROOT, which links elsewhere (jenv/jenv, libexec/jenv-add)", []string{"JENV_ROOT=R/jenv"}, "",
			[]string{"21.0.3 jenv/versions/temurin64-21.0.3/bin/java"}},
		{"FNM_DIR (Schniz/fnm)", []string{"FNM_DIR=R/data/fnm"}, "", []string{"14.21.3 data/fnm/node-versions/v14.21.3/installation/bin/node"}},
		{"VOLTA_HOME (volta-cli/volta, crates/volta-layout)", []string{"VOLTA_HOME=R/volta"}, "", []string{"20.1.0 volta/tools/image/node/20.1.0/bin/node"}},
		{"goenv's failing shim (go-nv/goenv, libexec/goenv-exec)", nil, "R/goenv/shims", []string{"1.22.3 goenv/versions/1.22.3/bin/go"}},
		{"proto's shims (moonrepo/proto, crates/cli)", nil, "R/proto/shims", []string{"2.0.0 proto/tools/deno/2.0.0/bin/deno shim proto/shims/deno default"}},
		{"a relative root", []string{"PYENV_ROOT=pyenv"}, "", nil},
		{"a root with characters of a glob", []string{"PYENV_ROOT=R/py*"}, "", nil},
	} {
		t.Run(tt.about, func(t *testing.T) {
			environ := []string{"HOME=" + root + "/home", "PATH=" + strings.ReplaceAll(tt.path, "R/", root+"/")}
			for _, v := range tt.vars {
				environ = append(environ, strings.ReplaceAll(v, "R/", root+"/"))
			}
			caps := detectOn(t, host.Local(host.LocalConfig{Environ: environ}), detect.Config{}, homeless(t)...)
			if diff := cmp.Diff(tt.want, brief(caps, root)); diff != "" {
				t.Errorf("installations (-want +got):\n%s\n%v", diff, caps.Warnings)
			}
		})
	}
}
