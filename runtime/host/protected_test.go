//go:build unix

package host_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

func TestOpenProtected(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	file := func(name string, mode fs.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(target, name string) string {
		t.Helper()
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	good, open, within := file("own/a", 0o644), file("own/open", 0o666), file("shared/a", 0o644)
	if err := os.Chmod(filepath.Dir(within), 0o777); err != nil {
		t.Fatal(err)
	}
	sticky := file("tmp/a", 0o600)
	if err := os.Chmod(filepath.Dir(sticky), 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo("own/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{good, sticky, "own/a", "own/../own/a", link("own/a", "link"), "/etc/passwd"} {
		f, err := host.OpenProtected(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if text, err := io.ReadAll(f); err != nil || len(text) == 0 {
			t.Errorf("%s: read %q, %v", path, text, err)
		}
		_ = f.Close()
	}
	for path, by := range map[string]string{
		open:                                open + " can be written by everybody",
		within:                              filepath.Dir(within) + " can be written by everybody",
		"own/open":                          open + " can be written by everybody",
		link("shared/a", "linked"):          filepath.Dir(within) + " can be written by everybody",
		"shared/../own/a":                   filepath.Dir(within) + " can be written by everybody",
		link("own/open", "link-to-open"):    open + " can be written by everybody",
		link("shared", "dir") + "/../own/a": filepath.Dir(within) + " can be written by everybody",
	} {
		f, err := host.OpenProtected(path)
		var unprotected *host.UnprotectedError
		if !errors.As(err, &unprotected) || unprotected.By != by || unprotected.Path != path || !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("%s: got %v, want that %s", path, err, by)
		}
		if f != nil {
			t.Errorf("%s was opened", path)
		}
	}
	for path, want := range map[string]error{
		"own/pipe": host.ErrNotRegular, "own": host.ErrNotRegular, "none": fs.ErrNotExist, link("none", "dangling"): fs.ErrNotExist, link("loop", "loop"): unix.ELOOP,
	} {
		if _, err := host.OpenProtected(path); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
	for path, ok := range map[string]bool{"own/new/er/file": true, "shared/new": false, good: true, open: false, "own": true, "dangling": false} {
		if err := host.ProtectedPlace(path); (err == nil) != ok {
			t.Errorf("place %s: got %v", path, err)
		}
	}
}

// A file that comes and goes, like a journal of SQLite, is judged by its folder while it is
// away.
func TestProtectedPlaceComesAndGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = os.WriteFile(path, nil, 0o600)
				_ = os.Remove(path)
			}
		}
	}()
	for range 5000 {
		if err := host.ProtectedPlace(path); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	<-stopped
}

// TestSameProtected refuses another file than the checked one, and one whose mode changed.
func TestSameProtected(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		same   bool
	}{
		"left alone": {func(string) error { return nil }, true},
		"opened":     {func(path string) error { return os.Chmod(path, 0o666) }, false},
		"replaced": {func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}, false},
	} {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		checked, err := host.Protected(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var unprotected *host.UnprotectedError
		if err := host.SameProtected(path, checked, f); (err == nil) != c.same || err != nil && !errors.As(err, &unprotected) {
			t.Errorf("%s: got %v", name, err)
		}
		_ = f.Close()
	}
}
