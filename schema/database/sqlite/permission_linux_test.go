package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/database"
)

// asNobody runs the rest of the test with an ordinary user's access to files. Permissions
// do not restrict root.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Setfsuid(0)
		runtime.UnlockOSThread()
	})
}

// openToAll creates a folder that everybody can read and reach.
func openToAll(t *testing.T) string {
	t.Helper()
	parent := os.TempDir()
	for folder := parent; folder != "/"; folder = filepath.Dir(folder) {
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm()&0o001 == 0 {
			parent = "/tmp"
		}
	}
	folder, err := os.MkdirTemp(parent, "attune-database-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}

func chmod(t *testing.T, mode fs.FileMode, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSQLiteFolderNotWritable(t *testing.T) {
	folder := openToAll(t)
	chmod(t, 0o555, folder)
	asNobody(t)
	err := openFails(t, "sqlite:"+filepath.Join(folder, "attune.db"), database.ErrReadOnly)
	contains(t, err, "permission denied", folder, "write access")
}

func TestSQLiteFileNotReadable(t *testing.T) {
	path := filepath.Join(openToAll(t), "attune.db")
	if err := os.WriteFile(path, goodFile(t, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	chmod(t, 0o000, path)
	asNobody(t)
	contains(t, openFails(t, "sqlite:"+path, fs.ErrPermission), path, "give this user access")
}

func TestSQLiteFileNotWritable(t *testing.T) {
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			folder := openToAll(t)
			path := filepath.Join(folder, "attune.db")
			db := open(t, "sqlite:"+path)
			run(t, db, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
			run(t, db, "PRAGMA journal_mode = "+mode)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			chmod(t, 0o444, path)
			asNobody(t)

			for _, db := range []*bun.DB{open(t, "sqlite:"+path), openExisting(t, "sqlite:"+path)} {
				var n int
				if err := db.NewRaw("SELECT count(*) FROM t").Scan(t.Context(), &n); err != nil || n != 1 {
					t.Errorf("reading a read-only file: %d rows, %v; want 1", n, err)
				}
				_, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES (2)")
				if got := database.Classify(err); !errors.Is(got, database.ErrReadOnly) {
					t.Errorf("Classify(%v) = %v, want ErrReadOnly", err, got)
				}
			}
		})
	}
}

// TestSQLiteJournalNeedsItsFolder opens a file in WAL mode in a folder that cannot be
// written, so that SQLite has no place for its index.
func TestSQLiteJournalNeedsItsFolder(t *testing.T) {
	folder := openToAll(t)
	path := filepath.Join(folder, "attune.db")
	if err := os.WriteFile(path, goodFile(t, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	chmod(t, 0o444, path)
	chmod(t, 0o555, folder)
	asNobody(t)
	contains(t, openFails(t, "sqlite:"+path, database.ErrReadOnly), "journal", folder)
	_, err := database.OpenExisting(t.Context(), "sqlite:"+path)
	if !errors.Is(err, database.ErrReadOnly) {
		t.Fatalf("OpenExisting: %v, want ErrReadOnly", err)
	}
	contains(t, err, "journal", folder)
}
