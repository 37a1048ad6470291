package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEmbeddingPage makes the code of docs/embedding.md a module of its own, beside the packs
// of the README. It is compiled, also for Windows, and used on both databases.
func TestEmbeddingPage(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files []string
	block := regexp.MustCompile("(?ms)^```[a-z]+\n(?:#|//) ([a-z_/]+\\.(?:go|yaml))\n(.*?)^```$")
	for _, page := range []string{"README.md", "docs/embedding.md"} {
		for _, b := range block.FindAllStringSubmatch(readText(t, filepath.Join(root, page)), -1) {
			if file := b[1]; page != "README.md" || filepath.Ext(file) == ".yaml" {
				files = append(files, file)
				writeFile(t, filepath.Join(dir, file), b[2])
			}
		}
	}
	want := []string{"packs/acme/pack.yaml", "packs/acme/runtimes/cobol.yaml", "prepare.go", "service.go", "route.go", "join.go", "develop.go"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("the files of the page (-want +got):\n%s", diff)
	}
	writeFile(t, filepath.Join(dir, "platform_test.go"), readText(t, "testdata/embedding/platform_test.go.txt"))
	t.Setenv("ATTUNE_WORKER_RUNTIMES", "")
	if err := os.Chmod(dir, 0o755); err != nil { // its pack is trusted
		t.Fatal(err)
	}
	goIn(t, dir, "mod", "init", "example.com/platform")
	goIn(t, dir, "mod", "edit", "-require=github.com/attune-go/attune@v0.0.0", "-replace=github.com/attune-go/attune="+root)
	goIn(t, dir, "mod", "tidy")
	goIn(t, dir, "vet", "./...")
	said := goIn(t, dir, "test", "-v", "./...")
	for _, test := range []string{"TestPlatform/sqlite", "TestOwnTable"} { // the others need a Postgres
		if !strings.Contains(said, "--- PASS: "+test+" ") {
			t.Errorf("%s did not run:\n%s", test, said)
		}
	}
	t.Log(said)
	t.Setenv("GOOS", "windows")
	goIn(t, dir, "build", "-gcflags=all=-N -l", "./...") // sooner done, and .ci/run vets with the same flags
}
