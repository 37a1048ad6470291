package service_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNoPrometheus checks that an embedder without metrics does not link Prometheus.
func TestNoPrometheus(t *testing.T) {
	t.Parallel()
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil || !strings.Contains(string(deps), "runtime/detect\n") {
		t.Fatalf("go list -deps: %v\n%s", err, deps)
	}
	for dep := range strings.Lines(string(deps)) {
		if strings.Contains(dep, "prometheus") {
			t.Errorf("package service depends on %s", dep)
		}
	}
}
