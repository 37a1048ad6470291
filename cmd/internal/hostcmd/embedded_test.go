//go:build unix

package hostcmd_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
)

// TestLookingGoesByTheEmbeddedFile: what was loaded there is seen by the commands
// that write nothing, and they leave the file and its folder as they are.
func TestLookingGoesByTheEmbeddedFile(t *testing.T) {
	home := isolate(t)
	tools(t, map[string]string{"python3": python, "cobc": "echo cobc 3.1.2"})
	state := filepath.Join(home, ".local", "state")
	for _, args := range [][]string{{"detect"}, {"explain", "python"}, {"record"}} {
		if got := run(t, metadata.Worker, args...); got.status != 0 || strings.Contains(got.errOut, "embedded") {
			t.Errorf("%q: exit status %d\n%s", args, got.status, got.errOut)
		}
	}
	if _, err := os.Lstat(state); err == nil {
		t.Fatal("looking has made a database")
	}
	want(t, run(t, metadata.Worker, "explain", "cobol"), 1, "is defined in the core pack")
	want(t, run(t, metadata.Worker, "register"), 0, "using the embedded database")
	file := filepath.Join(state, "attune", "attune.db")
	change := func(statement string) {
		t.Helper()
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	change(`INSERT INTO runtime (ref, name, distributions) VALUES ('acme.cobol', 'cobol', '{"verification": {"commands": [{"binary": "cobc", "args": ["--version"]}]}}')`)
	before := contents(t, filepath.Dir(file))
	want(t, run(t, metadata.Worker, "detect"), 0, "cobol", "3.1.2")
	want(t, run(t, metadata.Worker, "detect", "--json"), 0, `"source": "database"`)
	want(t, run(t, metadata.Sensor, "explain", "acme.cobol"), 0, "available")
	want(t, run(t, metadata.Worker, "record"), 0, "cobc 3.1.2")
	want(t, run(t, metadata.Worker, "explain", "fortran"), 1, "is defined in sqlite:"+file)
	want(t, run(t, metadata.Worker, "detect", "--log-level", "info"), 0, "using the embedded database")
	if after := contents(t, filepath.Dir(file)); after != before {
		t.Errorf("looking changed the folder from\n%s\nto\n%s", before, after)
	}
	if got := run(t, metadata.Worker, "detect", "--database", database.Memory); got.status != 0 || strings.Contains(got.out, "cobol") {
		t.Errorf("without the file: exit status %d\n%s", got.status, got.out)
	}

	// What cannot be read is said, and how to do without.
	const without = "`--database sqlite::memory:` leaves it out"
	change("INSERT INTO attune_migrations (id, adopted, requires, program) VALUES ('29990101000000_later', false, '9.0.0', '9.1.0')")
	want(t, run(t, metadata.Worker, "detect"), 1, "29990101000000_later", "9.0.0", without)
	if err := os.WriteFile(file, []byte("this is not a database, and it is long enough to be read as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, metadata.Worker, "detect"), 1, "it is not a SQLite database", without)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"detect"}, {"explain", "python"}, {"record"}} {
		got := run(t, metadata.Worker, args...)
		want(t, got, 0, "the database is not migrated", "the core pack counts until `attune migrate up`")
		if strings.Contains(got.errOut, "sqlite::memory:") || strings.Contains(got.errOut, "migrate plan") {
			t.Errorf("%q names a second remedy:\n%s", args, got.errOut)
		}
	}
	for _, args := range [][]string{{"detect", "--strict"}, {"detect", "--diff"}} {
		got := run(t, metadata.Worker, args...)
		want(t, got, 1, "the database is not migrated", "then run `attune migrate up`")
		if strings.Contains(got.errOut, without) {
			t.Errorf("%q names a second remedy:\n%s", args, got.errOut)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() > 0 {
		t.Errorf("looking wrote to the file: %v, %v", info, err)
	}
}

// contents are the names in a folder, with size, time and bytes.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + " " + info.ModTime().String() + " " + fmt.Sprintf("%x", sha256.Sum256(data)) + "\n")
	}
	return b.String()
}
