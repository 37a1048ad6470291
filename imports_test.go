package attune_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/attune-go/attune"

// layers lists the folders from the lowest to the highest. A package imports packages of
// its own folder, of folders above it here, and of no others. The longest folder that fits
// a package is its own.
var layers = []string{
	"", // the root has no code
	"schema/version",
	"schema/document",
	"schema/layout",
	"schema/metadata",
	"schema/capability",
	"schema/requirement",
	"schema",
	"schema/store",
	"schema/database",
	"migrations",
	"runtime/host",
	"runtime/detect",
	"runtime/packs",
	"runtime/core",
	"runtime/placement",
	"runtime/answer",
	"runtime/api",
	"runtime/web",
	"runtime/service",
	"gen",
	"fixtures",
	"cmd",
}

// apart lists what a folder does not import although it is lower.
var apart = map[string][]string{
	"schema/store":   {"schema/database"},
	"migrations":     {"schema/store", "schema/database"},
	"runtime/host":   {"schema"}, // a host knows no metadata
	"runtime/detect": {"schema/store", "schema/database", "migrations", "runtime/packs"},
	"runtime/core":   {"schema/store", "schema/database", "migrations", "runtime/packs"},
	// a verdict is pure
	"runtime/placement": {"schema/store", "schema/database", "migrations", "runtime/host", "runtime/detect", "runtime/packs", "runtime/core"},
	"runtime/answer":    {"schema/database", "migrations", "runtime/host", "runtime/detect"},
	"runtime/api":       {"schema/database", "migrations", "runtime/host", "runtime/detect", "runtime/packs", "runtime/core"},
	"runtime/web":       {"schema/store", "schema/database", "migrations", "runtime/host", "runtime/detect", "runtime/packs", "runtime/core"},
	"gen":               {"schema/store", "schema/database", "migrations", "runtime/service"},
}

// importer is what `go list -json` says about a package.
type importer struct {
	ImportPath           string
	Imports, TestImports []string
}

// TestImportsPointOneWay checks the direction of every import in the module. Test files in
// their package are bound like the package; external tests may import everything.
func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p importer
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports) {
			if reason := wrongImport(p.ImportPath, imported); reason != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
	}
	if seen < 30 {
		t.Errorf("go list lists %d packages only", seen)
	}
}

// TestWrongImport checks that the rules can refuse.
func TestWrongImport(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"schema/store", "runtime/host"}, {"schema", "schema/store"}, {"schema/metadata", "schema"},
		{"runtime/detect", "runtime/packs"}, {"runtime/detect", "schema/store"}, {"runtime/answer", "cmd/internal/cli"},
		{"runtime/api", "runtime/detect"}, {"runtime/answer", "runtime/api"},
		{"runtime/service", "fixtures/testdb"}, {"migrations/internal/unify", "schema/store"}, {"elsewhere", "schema"},
	} {
		if wrongImport(module+"/"+pair[0], module+"/"+pair[1]) == "" {
			t.Errorf("%s may import %s", pair[0], pair[1])
		}
	}
	if reason := wrongImport(module+"/cmd/worker", module+"/runtime/service"); reason != "" {
		t.Error(reason)
	}
}

// wrongImport returns the reason why a package may not import another, or "".
func wrongImport(from, to string) string {
	to, ours := strings.CutPrefix(to+"/", module+"/")
	if !ours {
		return ""
	}
	from = strings.TrimPrefix(from+"/", module+"/")
	low, high := layerOf(to), layerOf(from)
	switch {
	case high < 0 || low < 0:
		return "a folder that is not in the list of layers"
	case low > high:
		return "imports point from " + layers[low] + " to " + layers[high]
	}
	for _, folder := range apart[layers[high]] {
		if strings.HasPrefix(to, folder+"/") {
			return layers[high] + " knows nothing of " + folder
		}
	}
	return ""
}

// layerOf returns the index of a package's layer, or -1. The package ends in a slash.
func layerOf(pkg string) int {
	best := -1
	for i, folder := range layers {
		fits := strings.HasPrefix(pkg, folder+"/") || folder == "" && pkg == ""
		if fits && (best < 0 || len(folder) > len(layers[best])) {
			best = i
		}
	}
	return best
}
