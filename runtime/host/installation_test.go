//go:build unix

package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

func TestReadInstalled(t *testing.T) {
	base := publicDir(t)
	dir := base + "/jdk"
	h := withPath(base + "/home")
	put(t, dir+"/bin/java", "", 0o755)
	put(t, dir+"/release", "VERSION=\"17\"\n", 0o644)
	put(t, dir+"/lib/version", "17", 0o644)
	put(t, dir+"/big", strings.Repeat("x", host.FileLimit+1000), 0o644)
	put(t, dir+"/private", "VERSION=1\n", 0o640)
	put(t, base+"/outside", "VERSION=1\n", 0o644)
	if err := unix.Mkfifo(dir+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	link(t, "release", dir+"/link")
	link(t, "lib", dir+"/linked")
	read := func(path string) (string, error) {
		_, data, err := h.ReadInstalled(host.InstalledFile{Executable: dir + "/bin/java", Path: path, Public: true})
		return string(data), err
	}
	for path, want := range map[string]string{"../release": "VERSION=\"17\"\n", "../lib/version": "17", "../lib/../lib/version": "17"} {
		if got, err := read(path); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := read("../big"); err != nil || len(got) != host.FileLimit {
		t.Errorf("a big file: got %d bytes, %v; want %d", len(got), err, host.FileLimit)
	}
	for path, want := range map[string]error{
		"../pipe": host.ErrNotRegular, "..": host.ErrOutside, "../lib": host.ErrNotRegular, "../none": os.ErrNotExist,
		"../private": host.ErrPrivate, "../../outside": host.ErrOutside, "../../../../../etc/passwd": host.ErrOutside,
		"/etc/passwd": host.ErrOutside, "../link": host.ErrNotRegular, "../linked/version": unix.ENOTDIR,
		"../../jdk-other/release": host.ErrOutside,
	} {
		if got, err := read(path); !errors.Is(err, want) {
			t.Errorf("%s: got %q, %v, want %v", path, got, err, want)
		}
	}
	// A private folder above hides the file from untrusted definitions only.
	if err := os.Chmod(base, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := read("../release"); !errors.Is(err, host.ErrPrivate) {
		t.Errorf("in a private folder: got %q, %v, want %v", got, err, host.ErrPrivate)
	}
	file := host.InstalledFile{Executable: dir + "/bin/java", Path: "../release"}
	if path, got, err := h.ReadInstalled(file); err != nil || path != dir+"/release" || string(got) != "VERSION=\"17\"\n" {
		t.Errorf("for a trusted pack: got %s, %q, %v", path, got, err)
	}
}

// realTemp returns the real path of /tmp, a link on macOS.
func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks("/tmp")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// publicDir returns a folder that every user can reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(realTemp(t), "attune-installation-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInstallation: the executable's path determines the folder of the installation.
func TestInstallation(t *testing.T) {
	r := recorded(t, "host: {os: linux}\n")
	for _, tt := range []struct {
		executable, path string
		inside           bool
	}{
		{"/usr/lib/jvm/java-17/bin/java", "../release", true},
		{"/usr/local/go/bin/go", "../VERSION", true},
		{"/opt/jdk-17/bin/java", "../release", true},
		{"/home/user/.sdkman/candidates/java/17/bin/java", "../release", true},
		{"/usr/lib/dotnet/dotnet", "shared/version", true},
		{"/usr/lib/dotnet/dotnet", "../version", false},
		{"/usr/bin/java", "../release", false},
		{"/usr/bin/java", "release", false},
		{"/usr/local/bin/java", "../etc/release", false},
		{"/opt/bin/java", "../release", false},
		{"/bin/java", "../etc/passwd", false},
		{"/home/bob/bin/java", "../.netrc", false},
		{"/home/bob/java", ".netrc", false},
		{"/home/user/bin/java", "../.netrc", false},
		{"/home/user/.local/bin/java", "../share/x", false},
		{"/home/bob/.local/bin/java", "../share/x", false},
		{"/var/home/bob/bin/java", "../.netrc", false},
		{"/export/home/bob/java", ".netrc", false},
		{"/home/bin/java", "../user/.netrc", false},
		{"/root/java", ".netrc", false},
		{"/etc/java", "release", false},
		{"/opt/homebrew/bin/java", "../etc/x", false},
		{"", "release", false},
	} {
		_, _, err := r.ReadInstalled(host.InstalledFile{Executable: tt.executable, Path: tt.path})
		if errors.Is(err, host.ErrOutside) == tt.inside {
			t.Errorf("%s beside %s: got %v, want inside %v", tt.path, tt.executable, err, tt.inside)
		}
	}
}
