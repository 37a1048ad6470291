//go:build unix

package host_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

// withPath returns a host with a home folder and a PATH.
func withPath(home string, dirs ...string) *host.LocalHost {
	return host.Local(host.LocalConfig{Environ: []string{"HOME=" + home, "PATH=" + strings.Join(dirs, ":")}})
}

func TestLookup(t *testing.T) {
	root := realDir(t)
	in := func(p string) string { return filepath.Join(root, p) }
	put(t, in("a/tool"), "#!/bin/sh\n", 0o755)
	put(t, in("b/tool"), "#!/bin/sh\n", 0o755)
	put(t, in("b/real-1.2"), "#!/bin/sh\n", 0o755)
	link(t, "real-1.2", in("b/linked"))
	link(t, in("b"), in("b-again"))
	put(t, in("c/tool/inside"), "", 0o644)
	put(t, in("d/tool"), "#!/bin/sh\n", 0o644)
	link(t, "nowhere/at/all", in("e/tool"))
	link(t, "tool2", in("f/tool"))
	link(t, "tool", in("f/tool2"))
	put(t, in("rel/tool"), "#!/bin/sh\n", 0o755)
	if err := unix.Mkfifo(in("a/pipe"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	h := withPath("/", "", ".", "rel", "./rel", in("missing"), in("a"), in("b"), in("b")+"/", in("b-again"), in("c"), in("d"), in("e"), in("f"), "")

	tests := []struct {
		binary string
		want   []host.Candidate
	}{
		{"tool", []host.Candidate{
			{Path: in("a/tool"), RealPath: in("a/tool")},
			{Path: in("b/tool"), RealPath: in("b/tool")},
			{Path: in("c/tool"), RealPath: in("c/tool"), Fault: host.FaultDirectory},
			{Path: in("d/tool"), RealPath: in("d/tool"), Fault: host.FaultNotExecutable},
			{Path: in("e/tool"), Fault: "is a dangling link to nowhere/at/all"},
			{Path: in("f/tool"), Fault: "is a dangling link to tool2, which leads back to it"},
		}},
		{"linked", []host.Candidate{{Path: in("b/linked"), RealPath: in("b/real-1.2")}}},
		{"pipe", []host.Candidate{{Path: in("a/pipe"), RealPath: in("a/pipe"), Fault: host.FaultNotRegular}}},
		{in("b-again/linked"), []host.Candidate{{Path: in("b-again/linked"), RealPath: in("b/real-1.2")}}},
		{in("d/tool"), []host.Candidate{{Path: in("d/tool"), RealPath: in("d/tool"), Fault: host.FaultNotExecutable}}},
		{in("a/none"), nil},
		{"none", nil},
		{"rel/tool", nil},
		{"./rel/tool", nil},
		{"../tool", nil},
		{"..", nil},
		{".", nil},
		{"", nil},
		{"to\x00ol", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, h.Lookup(tt.binary)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", tt.binary, diff)
		}
	}
	if diff := cmp.Diff(host.Candidate{Path: in("a/none"), Fault: host.FaultNotFound}, h.Resolve(in("a/none"))); diff != "" {
		t.Errorf("Resolve of nothing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(host.Candidate{Path: "rel/tool", Fault: host.FaultRelative}, h.Resolve("rel/tool")); diff != "" {
		t.Errorf("Resolve of a relative path (-want +got):\n%s", diff)
	}
}

// realDir returns a folder without links in its path.
func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInfo(t *testing.T) {
	t.Chdir(t.TempDir())
	info := host.Local(host.LocalConfig{Environ: []string{"PATH=/first", "PATH=/usr/bin::.:bin:/usr/local/bin/:/usr/bin:/opt/../bin"}}).Info()
	if diff := cmp.Diff([]string{"/usr/bin", "/usr/local/bin", "/bin"}, info.Path); diff != "" {
		t.Errorf("PATH (-want +got):\n%s", diff)
	}
	if info.OS == "" || info.Arch == "" || info.User == "" {
		t.Errorf("got %+v, want every field", info)
	}
}

// TestStubs: on macOS these programs exist without the runtime, and open a window.
func TestStubs(t *testing.T) {
	for _, tt := range []struct {
		goos  string
		paths []string
		want  string
	}{
		{"darwin", []string{"/usr/bin/java"}, host.FaultStub},
		{"darwin", []string{"/usr/bin/python3"}, host.FaultStub},
		{"darwin", []string{"/usr/local/bin/python3", "/usr/bin/python3"}, host.FaultStub},
		{"darwin", []string{"/opt/homebrew/bin/python3"}, ""},
		{"darwin", []string{"/usr/bin/perl"}, ""},
		{"linux", []string{"/usr/bin/python3"}, ""},
	} {
		if got := host.StubFault(tt.goos, tt.paths...); got != tt.want {
			t.Errorf("%s %v: got %q, want %q", tt.goos, tt.paths, got, tt.want)
		}
	}
}

func TestGlob(t *testing.T) {
	root := realDir(t)
	for _, p := range []string{"jvm/java-17/bin/java", "jvm/java-21/bin/java", "jvm/.hidden/bin/java", "jvm/readme", "home [x]/.pyenv/versions/3.12.1/bin/python3"} {
		put(t, filepath.Join(root, p), "", 0o755)
	}
	link(t, "java-21", filepath.Join(root, "jvm/default"))
	link(t, "nowhere", filepath.Join(root, "jvm/java-17/bin/dangling"))
	home := filepath.Join(root, "home [x]")
	h := withPath(home)
	t.Chdir(root)
	tests := []struct {
		pattern string
		want    []string
	}{
		{root + "/jvm/*/bin/java", []string{root + "/jvm/default/bin/java", root + "/jvm/java-17/bin/java", root + "/jvm/java-21/bin/java"}},
		{root + "/jvm/java-[12]*/bin/../bin/jav?", []string{root + "/jvm/java-17/bin/java", root + "/jvm/java-21/bin/java"}},
		{root + "/jvm/.*/bin/java", []string{root + "/jvm/.hidden/bin/java"}},
		{root + "/jvm/java-17/bin/d*", []string{root + "/jvm/java-17/bin/dangling"}},
		{root + "/jvm/java-17/bin/java", []string{root + "/jvm/java-17/bin/java"}},
		{root + "/jvm/java-17/bin/none", nil},
		{root + "/none/*/bin", nil},
		{"~/.pyenv/versions/*/bin/python3", []string{home + "/.pyenv/versions/3.12.1/bin/python3"}},
		{"~other/*", nil},
		{"jvm/*", nil},
		{root + "/jvm/[", nil},
		{"", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, h.Glob(tt.pattern)); diff != "" {
			t.Errorf("Glob(%q) (-want +got):\n%s", tt.pattern, diff)
		}
	}
}

// Patterns that share a folder find the same as each pattern alone.
func TestGlobsAreEachAGlob(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a1", "a2", "b1", ".a3"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, root := withPath(""), host.EscapeGlob(dir)
	patterns := []string{root + "/a?", root + "/*1", "relative/*", root + "/a?", root + "/none*", root + "/b1", root + "/[a"}
	all := h.Locate(host.LocateLimit, patterns...).Paths
	for i, p := range patterns {
		if want := h.Glob(p); !slices.Equal(all[i], want) {
			t.Errorf("%s: got %q, want %q", p, all[i], want)
		}
	}
	if want := []string{dir + "/a1", dir + "/b1"}; !slices.Equal(all[1], want) {
		t.Errorf("got %q, want %q", all[1], want)
	}
}

func TestGlobIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 300 {
		put(t, filepath.Join(dir, strconv.Itoa(i)), "", 0o644)
	}
	if got := len(withPath("/").Glob(dir + "/*")); got != 256 {
		t.Errorf("got %d paths, want 256", got)
	}
}

func TestGlobLeavesTheKernelsFoldersAlone(t *testing.T) {
	dir := t.TempDir()
	link(t, "/proc", dir+"/p")
	h := withPath("/")
	for _, pattern := range []string{"/proc/*/exe", "/proc/self/exe", "/dev/*", "/sys/*", dir + "/p/*/exe", dir + "/p/self/exe", dir + "/*/self/exe"} {
		if got := h.Glob(pattern); len(got) > 0 {
			t.Errorf("Glob(%s) = %.3q…", pattern, got)
		}
	}
	if got := h.Glob(dir + "/*"); len(got) != 1 {
		t.Errorf("a link to such a folder is an entry of its own folder: got %q", got)
	}
}

// TestLauncherThatWouldInstall: juliaup's launcher is usable after its first run only.
func TestLauncherThatWouldInstall(t *testing.T) {
	home := realDir(t)
	put(t, home+"/bin/julialauncher", "#!/bin/sh\n", 0o755)
	link(t, "julialauncher", home+"/bin/julia")
	julia := func(environ ...string) host.Candidate {
		h := host.Local(host.LocalConfig{Environ: append(environ, "HOME="+home, "PATH="+home+"/bin")})
		return h.Lookup("julia")[0]
	}
	if c := julia(); c.Fault != host.FaultInstaller {
		t.Errorf("before its first run: %+v", c)
	}
	put(t, home+"/.julia/juliaup/juliaup.json", "{}", 0o644)
	if c := julia(); c.Fault != "" {
		t.Errorf("after its first run: %+v", c)
	}
	if c := julia("JULIAUP_DEPOT_PATH=" + home + "/other"); c.Fault != host.FaultInstaller {
		t.Errorf("with another depot: %+v", c)
	}
}

// TestHermitIsNotStarted: the programs of a Hermit environment are links over .NAME-VERSION.pkg to its
// script (cashapp/hermit, folder bin).
func TestHermitIsNotStarted(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/hermit", "#!/bin/bash\n", 0o755)
	link(t, "hermit", dir+"/.go-1.17.7.pkg")
	link(t, ".go-1.17.7.pkg", dir+"/go")
	h := host.Local(host.LocalConfig{Environ: []string{"PATH=" + dir}})
	if c := h.Lookup("go")[0]; c.Fault != host.FaultHermit {
		t.Errorf("go: %+v", c)
	}
	if c := h.Lookup("hermit")[0]; c.Fault != "" {
		t.Errorf("hermit itself: %+v", c)
	}
}
