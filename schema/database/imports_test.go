package database_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImports checks that a program which opens Postgres, or listens on a pool of its
// own, links nothing of SQLite. Another package could register the driver "sqlite" then.
func TestImports(t *testing.T) {
	t.Parallel()
	for dir, unwanted := range map[string][]string{
		".":      {"modernc.org/", "bun/dialect/sqlitedialect", "schema/database/sqlite"},
		"./pool": {"modernc.org/", "bun/dialect/sqlitedialect", "bun/dialect/pgdialect", "attune/schema/database"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 10 {
			t.Errorf("%s: go list -deps lists only %q", dir, deps)
		}
		for _, dep := range deps[:len(deps)-1] { // the last one is the package itself
			for _, part := range unwanted {
				if strings.Contains(dep, part) {
					t.Errorf("%s links %s", dir, dep)
				}
			}
		}
	}
}
