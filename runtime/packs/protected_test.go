package packs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/packs"
)

// TestProtectedPack: whatever others can change keeps a pack from being read, and
// what is no file keeps nobody waiting.
func TestProtectedPack(t *testing.T) {
	const definition = "ref: acme.a\nname: A\ndistributions: {verification: {always_available: true}}\n"
	for name, c := range map[string]struct {
		open string // what everybody can write; empty: nothing
		say  string
	}{
		"good":       {"", ""},
		"pack.yaml":  {"pack.yaml", "pack.yaml can be written by everybody"},
		"definition": {"runtimes/a.yaml", "runtimes/a.yaml can be written by everybody"},
		"folder":     {"runtimes", "runtimes can be written by everybody"},
		"whole":      {".", "open the pack's folder: "},
		"above":      {"..", "open the pack's folder: "},
	} {
		dir := filepath.Join(t.TempDir(), "above", "acme")
		if err := os.MkdirAll(filepath.Join(dir, "runtimes"), 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"pack.yaml": "ref: acme\nversion: 1.0.0\n", "runtimes/a.yaml": definition} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mkfifo(filepath.Join(dir, "README"), 0o644); err != nil {
			t.Fatal(err)
		}
		if c.open != "" {
			at := filepath.Join(dir, c.open)
			info, err := os.Stat(at)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(at, info.Mode()|0o022); err != nil {
				t.Fatal(err)
			}
		}
		if _, problems := packs.LoadDir(dir, packs.Config{}); problems.Err() != nil {
			t.Errorf("%s: it is not asked to be protected: %v", name, problems)
		}
		_, problems := packs.LoadDir(dir, packs.Config{Protected: true})
		err := problems.Err()
		if c.say == "" && err != nil || c.say != "" && (err == nil || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), "chmod go-w")) {
			t.Errorf("%s: got %v, want %q", name, err, c.say)
		}
		pipe := filepath.Join(dir, "runtimes", "pipe.yaml")
		if err := unix.Mkfifo(pipe, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, problems := packs.LoadDir(dir, packs.Config{Protected: true}); problems.Err() == nil {
			t.Errorf("%s: a pipe was read", name)
		}
	}
}
