package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// coreOf returns a definition of the core pack with its locations in the home folder only,
// so that installations of this machine do not count.
func coreOf(t *testing.T, ref string) metadata.Definition {
	t.Helper()
	defs := packs.Core().Definitions
	i := slices.IndexFunc(defs, func(d metadata.Definition) bool { return d.Ref == ref })
	if i < 0 {
		t.Fatalf("the core pack has no %s", ref)
	}
	d := defs[i]
	v := *d.Distributions.Verification
	v.Locations = slices.DeleteFunc(slices.Clone(v.Locations), func(l string) bool { return !strings.HasPrefix(l, "~/") })
	d.Distributions.Verification = &v
	return d
}

// tree writes executable scripts, and links for texts that begin with ->, below a folder.
// It returns the folder's real path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, link := strings.CutPrefix(text, "->"); link {
			err = os.Symlink(target, file)
		} else {
			err = os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// brief returns a line for each installation below root: version, path, shim, and whether it
// is the default.
func brief(caps *capability.Document, root string) []string {
	var out []string
	for _, d := range caps.Detected {
		line := d.Version + " " + d.Path
		if d.Shim != "" {
			line += " shim " + d.Shim
		}
		if d.Default {
			line += " default"
		}
		out = append(out, strings.ReplaceAll(line, root+"/", ""))
	}
	return out
}

// counting is a host that records the commands it runs.
func counting(h detect.Host) (*overridden, func() []string) {
	var mu sync.Mutex
	var ran []string
	return &overridden{Host: h, run: func(ctx context.Context, inv host.Invocation) host.Result {
			mu.Lock()
			ran = append(ran, inv.Path)
			mu.Unlock()
			return h.Run(ctx, inv)
		}}, func() []string {
			mu.Lock()
			defer mu.Unlock()
			defer func() { ran = nil }()
			slices.Sort(ran)
			return ran
		}
}

// In a version manager like pyenv, a shim is a script that reads the chosen version and
// executes it.
func TestRealShims(t *testing.T) {
	const shim = `root="${0%/*}/.."; read -r chosen <"$root/version"
case $chosen in
system) exec /bin/sh "$root/../system/python3" "$@" ;;
lies) echo "Python 3.9.9"; exit ;;
esac
[ -d "$root/versions/$chosen" ] || { echo "pyenv: version '$chosen' is not installed; 3.11.7 is" >&2; exit 1; }
exec "$root/versions/$chosen/bin/${0##*/}" "$@"`
	root := tree(t, map[string]string{
		".pyenv/shims/python3":              shim,
		".pyenv/shims/python":               shim,
		".pyenv/versions/3.11.7/bin/python": "->python3.11", ".pyenv/versions/3.11.7/bin/python3": "->python3.11",
		".pyenv/versions/3.11.7/bin/python3.11": "echo Python 3.11.7",
		".pyenv/versions/3.12.1/bin/python3":    "->python3.12",
		".pyenv/versions/3.12.1/bin/python3.12": "echo Python 3.12.1",
		".pyenv/versions/latest":                "->3.12.1",
		".pyenv/versions/3.8.1/bin/python3":     "->python3.8", // which is gone
		"system/python3":                        "echo Python 3.11.2",
		"system/python":                         "->python3",
	})
	local := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/.pyenv/shims:" + root + "/system"}})
	h, ran := counting(local)
	runs := []string{".pyenv/shims/python3", ".pyenv/versions/3.11.7/bin/python3", ".pyenv/versions/3.12.1/bin/python3", "system/python3"}
	both := append([]string{".pyenv/shims/python"}, runs...)
	located := coreOf(t, "core.python")
	bare := located
	v := *bare.Distributions.Verification
	v.Locations = nil
	bare.Distributions.Verification = &v
	tests := []struct {
		chosen  string
		want    []string
		ran     []string
		warning string
	}{
		{
			chosen: "3.11.7", ran: runs,
			want: []string{"3.12.1 .pyenv/versions/3.12.1/bin/python3", "3.11.7 .pyenv/versions/3.11.7/bin/python3 shim .pyenv/shims/python3 default", "3.11.2 system/python3"},
		},
		{
			chosen: "3.12.1", ran: runs,
			want: []string{"3.12.1 .pyenv/versions/3.12.1/bin/python3 shim .pyenv/shims/python3 default", "3.11.7 .pyenv/versions/3.11.7/bin/python3", "3.11.2 system/python3"},
		},
		{
			chosen: "system", ran: runs,
			want: []string{"3.12.1 .pyenv/versions/3.12.1/bin/python3", "3.11.7 .pyenv/versions/3.11.7/bin/python3", "3.11.2 system/python3 shim .pyenv/shims/python3 default"},
		},
		{ // exit 1, and text with a version in it
			chosen: "3.10.4", ran: both, warning: "exit_mismatch",
			want: []string{"3.12.1 .pyenv/versions/3.12.1/bin/python3", "3.11.7 .pyenv/versions/3.11.7/bin/python3", "3.11.2 system/python3"},
		},
		{ // exit 0, and a version that is not there
			chosen: "lies", ran: both, warning: "it is a shim that answers 3.9.9, and this version is not installed in " + root + "/.pyenv",
			want: []string{"3.12.1 .pyenv/versions/3.12.1/bin/python3", "3.11.7 .pyenv/versions/3.11.7/bin/python3", "3.11.2 system/python3"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.chosen, func(t *testing.T) {
			if err := os.WriteFile(root+"/.pyenv/version", []byte(tt.chosen+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			caps := detectOn(t, h, detect.Config{}, located)
			if diff := cmp.Diff(tt.want, brief(caps, root)); diff != "" {
				t.Errorf("installations (-want +got):\n%s", diff)
			}
			var paths []string
			for _, p := range ran() {
				paths = append(paths, strings.TrimPrefix(p, root+"/"))
			}
			if diff := cmp.Diff(tt.ran, paths); diff != "" {
				t.Errorf("what was run (-want +got):\n%s", diff)
			}
			if got := strings.Join(caps.Warnings, "\n"); tt.warning == "" && got != "" || !strings.Contains(got, tt.warning) {
				t.Errorf("warnings are %q, want %q", got, tt.warning)
			}
			if diff := cmp.Diff(tt.want, brief(detectOn(t, h, detect.Config{}, bare), root)); diff != "" {
				t.Errorf("without locations: the versions are beside the shims (-want +got):\n%s", diff)
			}
			ran()
		})
	}
}

// Strict mode has the same result if the definition has the location of a shim's target. A
// warning reports a target that policy denies.
func TestRealShimUnderPolicy(t *testing.T) {
	root := tree(t, map[string]string{
		".pyenv/shims/python3":               "exec ${0%/*}/../versions/3.11.7/bin/python3",
		".pyenv/versions/3.11.7/bin/python3": "echo Python 3.11.7",
	})
	h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/.pyenv/shims"}})
	located := coreOf(t, "core.python")
	bare := located
	v := *bare.Distributions.Verification
	v.Locations = nil
	bare.Distributions.Verification = &v
	runs := root + "/.pyenv/versions/3.11.7/bin/python3"
	behind := "3.11.7 .pyenv/versions/3.11.7/bin/python3 shim .pyenv/shims/python3 default"
	for _, tt := range []struct {
		name    string
		def     metadata.Definition
		mode    host.Mode
		want    string
		warning string
	}{
		{"standard, located", located, host.ModeStandard, behind, ""},
		{"standard, bare", bare, host.ModeStandard, behind, ""},
		{"strict, located", located, host.ModeStrict, behind, ""},
		{
			"standard, others could replace it", bare, host.ModeStandard, "3.11.7 .pyenv/shims/python3 default",
			"it is a shim, and counts as itself: the host's policy denies running its possible target " + runs +
				": others could replace the executable: " + runs + " can be written by everybody" +
				"; let only root and this service's user write it (chown, chmod go-w); or, if it may run here, add to policy.allow: " + runs + " --version",
		},
		{"standard, others could replace it, allowed", bare, host.ModeStandard, behind, ""},
		{
			"strict, bare", bare, host.ModeStrict, "3.11.7 .pyenv/shims/python3 default",
			"it is a shim, and counts as itself: the host's policy denies running its possible target " + runs +
				": policy.mode is strict, and neither the core pack nor a pack of policy.trusted_packs has this command",
		},
	} {
		mode := os.FileMode(0o755)
		if strings.Contains(tt.name, "others") {
			mode = 0o777
		}
		if err := os.Chmod(runs, mode); err != nil {
			t.Fatal(err)
		}
		cfg := host.PolicyConfig{Mode: tt.mode, Trusted: detect.Commands([]metadata.Definition{tt.def})}
		if strings.Contains(tt.name, "allowed") {
			cfg.Allow = []string{runs + " --version"}
		}
		policy, err := host.NewPolicy(cfg)
		if err != nil {
			t.Fatal(err)
		}
		caps := detectOn(t, h, detect.Config{Policy: policy}, tt.def)
		if diff := cmp.Diff([]string{tt.want}, brief(caps, root)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			continue
		}
		if got := strings.Join(caps.Detected[0].Warnings, "\n"); got != tt.warning {
			t.Errorf("%s: warnings are %q, want %q", tt.name, got, tt.warning)
		}
	}
}

// Shims behind another executable in PATH are not run if the definition's locations have
// their possible targets.
func TestRealShimsBehindAreNotRun(t *testing.T) {
	root := tree(t, map[string]string{
		"usr/bin/python3":                    "echo Python 3.11.2",
		".pyenv/shims/python3":               "echo Python 3.12.1; : >" + "$HOME/ran",
		".pyenv/shims/python":                "echo Python 3.12.1; : >" + "$HOME/ran",
		".pyenv/versions/3.12.1/bin/python3": "echo Python 3.12.1",
	})
	h, ran := counting(host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/usr/bin:" + root + "/.pyenv/shims"}}))
	caps := detectOn(t, h, detect.Config{}, coreOf(t, "core.python"))
	if diff := cmp.Diff([]string{"3.12.1 .pyenv/versions/3.12.1/bin/python3", "3.11.2 usr/bin/python3 default"}, brief(caps, root)); diff != "" {
		t.Errorf("installations (-want +got):\n%s", diff)
	}
	if got := ran(); len(got) != 2 {
		t.Errorf("it ran %q, want the two that are no shims", got)
	}
}

// A proxy like rustup is one file with many names, by symbolic or hard links, that chooses
// its target by argv[0].
func TestRealProxies(t *testing.T) {
	for name, link := range map[string]func(old, new string) error{"symbolic": os.Symlink, "hard": os.Link} {
		t.Run(name, func(t *testing.T) { testRealProxies(t, link) })
	}
}

func testRealProxies(t *testing.T, link func(old, new string) error) {
	root := tree(t, map[string]string{
		".cargo/bin/rustup":                   `exec "$HOME/.rustup/toolchains/stable/bin/${0##*/}" "$@"`,
		".rustup/toolchains/stable/bin/rustc": "echo 'rustc 1.95.0 (59807616e 2026-04-14)'",
		".rustup/toolchains/beta/bin/rustc":   "echo 'rustc 1.96.0-beta.2 (a00000000 2026-05-01)'",
	})
	for _, name := range []string{"rustc", "cargo"} {
		if err := link(root+"/.cargo/bin/rustup", root+"/.cargo/bin/"+name); err != nil {
			t.Fatal(err)
		}
	}
	h := host.Local(host.LocalConfig{Environ: []string{"HOME=" + root, "PATH=" + root + "/.cargo/bin"}})
	caps := detectOn(t, h, detect.Config{}, coreOf(t, "core.rust"))
	want := []string{"1.96.0-beta.2 .rustup/toolchains/beta/bin/rustc", "1.95.0 .rustup/toolchains/stable/bin/rustc shim .cargo/bin/rustc default"}
	if diff := cmp.Diff(want, brief(caps, root)); diff != "" {
		t.Errorf("installations (-want +got):\n%s", diff)
	}
}

// A file is an installation for each different answer to its names.
func TestRealFileOfManyNames(t *testing.T) {
	root := tree(t, map[string]string{
		"lib/launcher": `case ${0##*/} in *-1) echo tool 1.0.0 ;; *) echo tool 2.0.0 ;; esac`,
		"bin/tool":     "->../lib/launcher", "opt/tool-1": "->../lib/launcher", "opt/tool-2": "->../lib/launcher",
		"more/tool": "->../bin/tool",
	})
	d := tool(t, "tool", "")
	d.Distributions.Verification.Locations = []string{root + "/opt/*"}
	h, ran := counting(host.Local(host.LocalConfig{Environ: []string{"PATH=" + root + "/bin:" + root + "/more"}}))
	caps := detectOn(t, h, detect.Config{Policy: openPolicy(t)}, d)
	if diff := cmp.Diff([]string{"2.0.0 bin/tool default", "1.0.0 opt/tool-1"}, brief(caps, root)); diff != "" {
		t.Errorf("installations (-want +got):\n%s", diff)
	}
	if got := ran(); slices.Contains(got, root+"/more/tool") || len(got) != 3 {
		t.Errorf("it ran %q, want each name once", got)
	}
}

// The document does not depend on the order in which runs end.
func TestSeveralAreInAStableOrder(t *testing.T) {
	files := map[string]string{}
	for i := range 12 {
		files[fmt.Sprintf("p%02d/tool", i)] = fmt.Sprintf("echo tool 1.%d", i%4)
		files[fmt.Sprintf("opt/%02d/tool", i)] = fmt.Sprintf("echo tool 1.%d", i%6)
	}
	root := tree(t, files)
	var path []string
	for i := range 12 {
		path = append(path, fmt.Sprintf("%s/p%02d", root, i))
	}
	d := tool(t, "tool", "")
	d.Distributions.Verification.Locations = []string{root + "/opt/*/tool"}
	var before string
	for range 5 {
		caps := detectOn(t, host.Local(host.LocalConfig{Environ: []string{"PATH=" + strings.Join(path, ":")}}), detect.Config{Policy: openPolicy(t), Parallelism: 8}, d)
		if want := []string{"1.5.0", "1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"}; !slices.Equal(caps.RuntimeVersions["tool"], want) || len(caps.Detected) != 24 {
			t.Fatalf("%d are found, versions %v; want 24 with %v", len(caps.Detected), caps.RuntimeVersions, want)
		}
		now := strings.Join(brief(caps, root), "\n")
		if before != "" && now != before {
			t.Errorf("the order is\n%s\nand was\n%s", now, before)
		}
		before = now
	}
}

// ask runs a program as a detection does, and returns its output.
func ask(t *testing.T, path string, args ...string) string {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYENV_ROOT=" + os.Getenv("PYENV_ROOT"), "LC_ALL=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %s", cmd, err, out)
	}
	return strings.TrimSpace(string(out))
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Error(err)
	}
	return real
}

// For each installation of this machine, the document has the path that the program itself
// prints, and the default is the one that PATH runs.
func TestRealInstallationsSayWhereTheyAre(t *testing.T) {
	caps := detectOn(t, host.Local(host.LocalConfig{}), detect.Config{}, packs.Core().Definitions...)
	asks := map[string]func(path string) string{
		"python": func(path string) string { return ask(t, path, "-c", "import sys; print(sys.executable)") },
		"node":   func(path string) string { return ask(t, path, "-p", "process.execPath") },
		"perl":   func(path string) string { return ask(t, path, "-e", "print $^X") },
		"rust":   func(path string) string { return ask(t, path, "--print", "sysroot") + "/bin/rustc" },
		"java": func(path string) string {
			_, home, _ := strings.Cut(ask(t, path, "-XshowSettings:properties", "-version"), "java.home = ")
			home, _, _ = strings.Cut(home, "\n")
			return strings.TrimSpace(home) + "/bin/java"
		},
		"go": func(path string) string { return ask(t, path, "env", "GOROOT") + "/bin/go" },
	}
	seen := map[string]bool{}
	defaults := map[string]string{}
	for _, d := range caps.Detected {
		where := asks[d.Name]
		if where == nil {
			continue
		}
		if got := realPath(t, where(d.Path)); got != d.RealPath {
			t.Errorf("%s %s says it is %s, and the document has %s", d.Path, d.Version, got, d.RealPath)
		}
		if seen[d.RealPath] {
			t.Errorf("%s is there twice", d.RealPath)
		}
		seen[d.RealPath] = true
		if d.Default {
			defaults[d.Name] = d.RealPath
		}
	}
	for name, binary := range map[string]string{"python": "python3", "node": "node", "perl": "perl", "rust": "rustc", "java": "java", "go": "go"} {
		path, err := exec.LookPath(binary)
		if err != nil || !slices.Contains(caps.Runtimes, name) {
			continue
		}
		if got := realPath(t, asks[name](path)); got != defaults[name] {
			t.Errorf("PATH's %s is %s, and the document's default is %q", binary, got, defaults[name])
		}
	}
}

// Explain runs more commands, and finds the same installations.
func TestExplainFindsWhatDetectFinds(t *testing.T) {
	root := tree(t, map[string]string{
		"a/one": "echo 1.0.0", "b/two": "echo 2.0.0", "b/one": "echo 1.1.0", "c/two": "echo 2.1.0", "opt/two": "echo 2.2.0",
		"shims/one": "echo 1.1.0", "shims/two": "echo 9.0.0", "versions/1.1.0/bin/one": "echo 1.1.0", "versions/9/README": "",
	})
	d := defsOf(t, fmt.Sprintf(`{"ref": "acme.tool", "name": "tool", "distributions": {"verification": {"locations": ["%s/opt/*"],
		"commands": [{"binary": "one", "args": ["--version"]}, {"binary": "two", "args": ["--version"]}]}}}`, root))[0]
	for _, path := range []string{"a:b:c", "c:b:a", "b:a", "c:a", "shims:a:b:c", "c:shims", "a:c:shims:b"} {
		var environ []string
		for _, dir := range strings.Split(path, ":") {
			environ = append(environ, root+"/"+dir)
		}
		h := host.Local(host.LocalConfig{Environ: []string{"PATH=" + strings.Join(environ, ":")}})
		caps := detectOn(t, h, detect.Config{Policy: openPolicy(t), Explain: true}, d)
		e := explainOn(t, h, detect.Config{Policy: openPolicy(t)}, "tool", d)
		if diff := cmp.Diff(brief(caps, root), brief(&capability.Document{Detected: e.Detected}, root)); diff != "" {
			t.Errorf("PATH %s (-detect +explain):\n%s", path, diff)
		}
		seen := map[string]bool{}
		for _, a := range e.Attempts {
			key := a.Path + " " + strings.Join(a.Command, " ")
			if seen[key] {
				t.Errorf("PATH %s: %s is tried twice", path, key)
			}
			seen[key] = true
		}
		data, err := json.Marshal(caps)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), `"default":true`) {
			t.Errorf("PATH %s: there is no default in %s", path, data)
		}
	}
}
