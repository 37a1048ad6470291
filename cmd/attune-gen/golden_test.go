package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the programs print and make into the golden folders")

const golden = "../../gen/testdata"

// A case is a folder: the package or the packs, args, and what is expected: the
// files that are made, with warnings on stderr if there are any; or stderr and
// nothing made; or stdout of a --check.
func TestGolden(t *testing.T) {
	root, err := filepath.Abs(golden)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			dir, stale := filepath.Join(root, c.Name()), strings.HasPrefix(c.Name(), "stale")
			before := readFolder(t, dir)
			txt := map[string]bool{}
			for name := range before {
				txt[strings.TrimSuffix(name, ".txt")] = strings.HasSuffix(name, ".txt")
			}
			work := t.TempDir()
			for name, text := range before {
				if stale || !made(name, text) {
					// Other tools must not take text that is not Go for Go.
					writeFile(t, filepath.Join(work, strings.TrimSuffix(name, ".txt")), text)
				}
			}
			input := readFolder(t, work)
			t.Chdir(work)
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields(before["args"]), streams{&stdout, &stderr})
			after := readFolder(t, work)

			if code != 0 && stderr.Len() == 0 {
				t.Errorf("exit status %d and not a word", code)
			}
			if strings.HasPrefix(c.Name(), "errors-") != (code == 1) && !stale {
				t.Errorf("exit status %d\n%s", code, &stderr)
			}
			if code != 0 {
				if diff := cmp.Diff(input, after); diff != "" {
					t.Errorf("something was written (-before +after):\n%s", diff)
				}
			}
			if stderr.Len() > 0 {
				after["stderr"] = stderr.String()
			}
			if stale {
				after["stdout"] = stdout.String()
			}
			for name, text := range after {
				if txt[name] {
					delete(after, name)
					after[name+".txt"] = text
				}
			}
			if *update {
				for name, text := range after {
					writeFile(t, filepath.Join(dir, name), text)
				}
				return
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// made reports whether a file of a case is expected, not given.
func made(name, text string) bool {
	return name == "stderr" || name == "stdout" || strings.HasPrefix(text, "// Code generated") ||
		strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".sql") || strings.HasSuffix(name, ".md")
}

func readFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
