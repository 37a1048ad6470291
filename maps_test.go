package attune_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeLayout checks that the README's table has every folder of the module and every
// package that others may import, and that every folder in it exists. The row of a folder
// may name the packages in it.
func TestReadmeLayout(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Layout\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*)$").FindAllStringSubmatch(section, -1) {
		folder := strings.TrimSuffix(row[1], "/")
		listed[folder] = true
		if _, err := os.Stat(folder); err != nil {
			t.Errorf("the README lists %s: %v", folder, err)
		}
		for _, name := range find("`([a-z./-]+)`", row[2]) {
			listed[name], listed[path.Join(folder, name)] = true, true
		}
	}
	err = filepath.WalkDir(".", func(folder string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir() || folder == ".":
			return err
		case d.Name() == "internal" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), "."), folder == "bin", folder == "dist":
			return fs.SkipDir
		case !strings.Contains(folder, "/"):
			if !strings.Contains(section, "\n| `"+folder+"/") {
				t.Errorf("the README does not list %s", folder)
			}
		case isPackage(folder) && !listed[folder]:
			t.Errorf("the README does not list %s", folder)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isPackage reports whether others may import the package in a folder.
func isPackage(folder string) bool {
	sources, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	return slices.ContainsFunc(sources, func(file string) bool { return !strings.HasSuffix(file, "_test.go") })
}

// TestRecipes checks that the files and tests that CONTRIBUTING.md names exist.
func TestRecipes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipes, _ := strings.Cut(string(text), "\n## Recipes\n")
	tests := testNames(t)
	n := 0
	for _, word := range find("`([^`\\s]+)`", recipes) {
		switch {
		case regexp.MustCompile(`^Test[A-Z]`).MatchString(word):
			if !tests[word] {
				t.Errorf("CONTRIBUTING.md names %s, which no package has", word)
			}
		case strings.Contains(word, "/") && !strings.Contains(word, "NAME"):
			if _, err := os.Stat(word); err != nil {
				t.Errorf("CONTRIBUTING.md names %s: %v", word, err)
			}
		default:
			continue
		}
		n++
	}
	if n < 15 {
		t.Errorf("CONTRIBUTING.md names %d files and tests only", n)
	}
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range find(`(?m)^func (Test\w+)\(`, string(text)) {
			names[name] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestPackageCosts checks the number of linked modules in the table of docs/embedding.md.
// fixtures/comparisons/cost prints all of the table.
func TestPackageCosts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## What a package costs\n")
	n := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (.+) \| \d+ \| \d+ \| (\d+) \| [\d.]+ \|$`).FindAllStringSubmatch(table, -1) {
		packages := find("`([^`]+)`", row[1])
		if len(packages) == 0 {
			continue // another library
		}
		for i := range packages {
			packages[i] = "./" + packages[i]
		}
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}, packages...)...)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		if linked := strconv.Itoa(len(slices.Compact(modules))); linked != row[2] {
			t.Errorf("%s: the table has %s linked modules, go list %s", row[1], row[2], linked)
		}
		n++
	}
	if n < 10 {
		t.Errorf("the table has %d of attune's packages only", n)
	}
}
