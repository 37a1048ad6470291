package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnit: systemd finds nothing to say of docs/attune-worker.service.
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
	text, err := os.ReadFile("../../docs/attune-worker.service")
	if err != nil {
		t.Fatal(err)
	}
	// The program is not installed here.
	unit := strings.ReplaceAll(string(text), "/usr/local/bin/worker", os.Args[0])
	if out := verify(unit); out != "" {
		t.Error(out)
	}
	if out := verify(strings.ReplaceAll(unit, "ProtectHome", "ProtectHomes")); !strings.Contains(out, "ProtectHomes") {
		t.Errorf("a wrong key is not noticed: %q", out)
	}
}
