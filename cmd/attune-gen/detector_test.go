package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// do runs the program in a folder.
func do(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(args, streams{&out, &errOut})
	return code, out.String(), errOut.String()
}

// A database with a pack makes the package that the pack makes, and what is
// edited and added in it is in there too.
func TestDetectorOfADatabase(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join(golden, "detector"))
	if err != nil {
		t.Fatal(err)
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		out := filepath.Join(t.TempDir(), "acme") // the program with drivers is built in this module
		pack, faults := packs.LoadDir(filepath.Join(dir, "packs/acme"), packs.Config{})
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := install.Load(t.Context(), db.DB, store.Config{Schema: db.Schema}, pack, install.Options{}); err != nil {
			t.Fatal(err)
		}
		exec := func(query string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		table := "runtime"
		if db.Schema != "" {
			table = db.Schema + ".runtime"
		}
		args := []string{"detector", "--database", db.URL, "--out", out}
		if code, _, stderr := do(t, args...); code != 0 {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		got := readText(t, filepath.Join(out, "detector_gen.go"))
		if want := readText(t, filepath.Join(dir, "acme/detector_gen.go")); got != want {
			t.Errorf("(-pack +database):\n%s", cmp.Diff(want, got))
		}
		if code, stdout, stderr := do(t, append(args, "--check")...); code != 0 || stdout != "" {
			t.Errorf("--check after it was written: exit status %d\n%s%s", code, stdout, stderr)
		}

		exec("UPDATE " + table + ` SET name = 'Clock', updated = CURRENT_TIMESTAMP WHERE ref = 'acme.timer'`)
		exec("INSERT INTO " + table + ` (ref, name) VALUES ('late.comer', 'Late')`)
		code, stdout, _ := do(t, append(args, "--check")...)
		for _, line := range []string{"+\t\tName:    \"Clock\",", "+func (r Runtimes) Comer() (capability.Runtime, bool)"} {
			if code != 1 || !strings.Contains(stdout, line) {
				t.Errorf("--check of rows that changed: exit status %d, no line %q in\n%s", code, line, stdout)
			}
		}

		exec("UPDATE " + table + ` SET distributions = '{"verification": {"commands": [{"binary": "x", "pattern": "(3"}]}}' WHERE ref = 'late.comer'`)
		exec("INSERT INTO " + table + "_version (runtime, version, sort_key, distributions) SELECT id, '3.10', '3', '{\"min_version\": \"x\"}' FROM " +
			table + " WHERE ref = 'late.comer'")
		name := database.Redact(db.URL)
		if db.Schema != "" {
			name += ", schema " + db.Schema
		}
		want := name + ": late.comer: /distributions/verification/commands/0/pattern: missing closing )\n" +
			name + ": late.comer 3.10: /distributions/min_version: version \"x\": position 1: a version must begin with a number\n" +
			"attune-gen: nothing was written\n"
		if code, _, stderr := do(t, args...); code != 1 || stderr != want {
			t.Errorf("rows that are wrong: exit status %d\n%swant\n%s", code, stderr, want)
		}
		if readText(t, filepath.Join(out, "detector_gen.go")) != got {
			t.Error("something was written all the same")
		}
	})
}

func TestDetectorUsage(t *testing.T) {
	out := t.TempDir()
	t.Setenv("ATTUNE_DATABASE_URL", "sqlite::memory:") // is not asked
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"detector", exitUsage, "give pack folders, core, or --database"},
		{"detector core --database sqlite::memory:", exitUsage, "exclude each other"},
		{"detector core --schema x", exitUsage, "--schema goes with --database"},
		{"detector --database x://y", exitUsage, "x"},
		{"detector --database sqlite:none.db --out OUT/a", exitFailed, "none.db"},
		{"detector --database postgres://me:s3cret@127.0.0.1:1/x --out OUT/a", exitFailed, "127.0.0.1:1"},
		{"detector core --out OUT/a/b/core", exitDone, ""},
	} {
		code, _, stderr := do(t, strings.Fields(strings.ReplaceAll(c.args, "OUT", out))...)
		if code != c.code || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "s3cret") {
			t.Errorf("%s: exit status %d, %q; want %d and %q", c.args, code, stderr, c.code, c.want)
		}
	}
	if text := readText(t, filepath.Join(out, "a/b/core/detector_gen.go")); !strings.Contains(text, "\npackage core\n") {
		t.Errorf("written: %.200s", text)
	}
}

// Generation without a database links no driver.
func TestLinksNoDriver(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		for _, driver := range []string{"database/sql/driver/", "github.com/jackc/", "modernc.org/", "github.com/uptrace/"} {
			if strings.HasPrefix(dep, driver) {
				t.Errorf("attune-gen links %s", dep)
			}
		}
	}
}
