//go:build unix

package host_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/attune-go/attune/runtime/host"
)

func TestStem(t *testing.T) {
	for name, want := range map[string]string{
		"python3": "python", "python3.12": "python", "python3.13t": "python", "php84": "php", "lua-5.1": "lua", "ruby.ruby3.2": "ruby",
		"node18": "node", "pwsh-preview": "pwsh", "/usr/bin/rustc-1.75": "rustc", "perl5.36.0": "perl",

		"python3-config": "python3-config", "phpize8.3": "phpize", "lua-language-server": "lua-language-server", "node-gyp": "node-gyp",
		"perlbug": "perlbug", "rustc_codegen": "rustc_codegen", "python3.12rc": "python3.12rc", "python3.12-config": "python3.12-config",
		"7z": "7z", "7": "", "ruby.rake3.2": "ruby.rake", "-preview": "-preview",
	} {
		if got := host.Stem(name); got != want {
			t.Errorf("the stem of %s is %q, want %q", name, got, want)
		}
	}
}

func TestLookupVersioned(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, name := range []string{"kit", "kit1.0", "kit-2", "kit3t", "kit4-config", "kitten5", "kit..6", "kit.kit7", "other8"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(other, "kit9"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for old, hard := range map[string]string{"kit": "kit1.1", "kit-2": "kit2.0"} { // as perl and perl5.36.0
		if err := os.Link(filepath.Join(dir, old), filepath.Join(dir, hard)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("kit1.0", filepath.Join(dir, "kit1")); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := os.Symlink(dir, again); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range withPath(dir, dir, again, "/nonexistent", other).LookupVersioned("kit") {
		got = append(got, filepath.Base(c.Path)+" "+c.Fault)
	}
	want := []string{"kit-2 ", "kit.kit7 ", "kit1 ", "kit1.0 ", "kit3t ", "kit9 is not executable"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if found := withPath(dir, dir).LookupVersioned("../kit"); found != nil {
		t.Errorf("found %v for a path", found)
	}
}
