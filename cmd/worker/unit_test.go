package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnit: systemd finds nothing wrong in the units.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	verify := func(unit string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "attune-worker.service")
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, program := range map[string]string{"attune-worker.service": "/usr/local/bin/worker", "attune-server.service": "/usr/local/bin/attune"} {
		text, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		unit := strings.ReplaceAll(string(text), program, os.Args[0]) // it is not installed here
		if out := verify(unit); out != "" {
			t.Errorf("%s: %s", name, out)
		}
		if out := verify(strings.ReplaceAll(unit, "ProtectHome", "ProtectHomes")); !strings.Contains(out, "ProtectHomes") {
			t.Errorf("%s: a wrong key is not noticed: %q", name, out)
		}
	}
}
