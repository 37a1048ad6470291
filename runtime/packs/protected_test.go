//go:build unix

package packs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/packs"
)

// TestProtectedPack checks that a pack is refused if others can change a part of it, and
// that a pipe is refused without waiting for a writer.
func TestProtectedPack(t *testing.T) {
	const definition = "ref: acme.a\nname: A\ndistributions: {verification: {always_available: true}}\n"
	for name, c := range map[string]struct {
		open string // the part that everybody can write, if any
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
		if _, faults := packs.LoadDir(dir, packs.Config{}); faults.Err() != nil {
			t.Errorf("%s: it is not asked to be protected: %v", name, faults)
		}
		_, faults := packs.LoadDir(dir, packs.Config{Protected: true})
		err := faults.Err()
		if c.say == "" && err != nil || c.say != "" && (err == nil || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), "chmod go-w")) {
			t.Errorf("%s: got %v, want %q", name, err, c.say)
		}
		pipe := filepath.Join(dir, "runtimes", "pipe.yaml")
		if err := unix.Mkfifo(pipe, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, faults := packs.LoadDir(dir, packs.Config{Protected: true}); faults.Err() == nil {
			t.Errorf("%s: a pipe was read", name)
		}
	}
}
