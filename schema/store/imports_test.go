package store_test

import (
	"os/exec"
	"strings"
	"testing"
)

// An embedder brings his own driver.
func TestNoDriverIsImported(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range strings.Fields(string(out)) {
		for _, driver := range []string{"jackc/pgx", "modernc.org", "uptrace/bun/driver", "uptrace/bun/dialect/", "dockertest", "kong"} {
			if strings.Contains(dependency, driver) && !strings.Contains(dependency, "bun/dialect/feature") &&
				!strings.Contains(dependency, "bun/dialect/sqltype") {
				t.Errorf("store imports %s", dependency)
			}
		}
	}
}
