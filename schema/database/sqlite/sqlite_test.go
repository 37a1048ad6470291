//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/sqlite"
)

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open %s: %v", database.Redact(url), err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openExisting(t *testing.T, url string) *bun.DB {
	t.Helper()
	db, err := database.OpenExisting(t.Context(), url)
	if err != nil {
		t.Fatalf("open %s: %v", database.Redact(url), err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestOpenExistingChangesNoFile checks that a file stays the same, byte for byte, until a
// statement writes to it.
func TestOpenExistingChangesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "attune.db")
	if _, err := database.OpenExisting(t.Context(), "sqlite:"+path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v, want ErrNotExist", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it made a file: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	db := open(t, "sqlite:"+other)
	run(t, db, "CREATE TABLE t (x)")
	run(t, db, "PRAGMA journal_mode = DELETE")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	others, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, before := range map[string][]byte{"empty": {}, "ours": goodFile(t, 1), "another program's": others} {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		db := openExisting(t, "sqlite:"+path)
		var n int
		if err := db.NewRaw("SELECT count(*) FROM sqlite_master").Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: %d bytes became %d, %v", name, len(before), len(after), err)
		}
		db = openExisting(t, "sqlite:"+path)
		run(t, db, "CREATE TABLE written (x); PRAGMA foreign_keys")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// openFails checks that Open fails with an error that wraps want and has no password.
func openFails(t *testing.T, url string, want error) error {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err == nil {
		_ = db.Close()
		t.Fatalf("open %q succeeded, want %v", url, want)
	}
	if !errors.Is(err, want) {
		t.Errorf("open %q: %v, want %v", url, err, want)
	}
	for _, part := range []string{"s3cret", "\n"} {
		if strings.Contains(err.Error(), part) {
			t.Errorf("open %q: %q is in the error: %v", url, part, err)
		}
	}
	return err
}

func contains(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want %q in it", err, part)
		}
	}
}

func run(t *testing.T, db *bun.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestSQLiteEveryConnection checks the settings of all connections of a pool.
func TestSQLiteEveryConnection(t *testing.T) {
	urls := map[string]string{
		"file":   "sqlite:" + filepath.Join(t.TempDir(), "a b%20c#d?e.db"),
		"memory": database.Memory,
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			db := open(t, url)
			run(t, db, "CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (parent integer REFERENCES parent)")

			n := db.Stats().MaxOpenConnections
			if n < 1 || n > 32 {
				t.Fatalf("the pool is not bounded sensibly: %d connections", n)
			}
			for range n {
				conn, err := db.Conn(ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				for pragma, want := range map[string]string{"foreign_keys": "1", "busy_timeout": "5000"} {
					var got string
					if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
						t.Errorf("PRAGMA %s = %q, %v; want %s", pragma, got, err, want)
					}
				}
				var tables int
				if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil || tables != 2 {
					t.Errorf("a connection sees %d tables, %v; want 2", tables, err)
				}
			}
		})
	}
}

func TestSQLiteFileIsWhereItWasAskedFor(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, name := range []string{"plain.db", "a b%20c#d?e.db", "ünïcode.db"} {
		run(t, open(t, "sqlite:"+name), "CREATE TABLE t (id integer)")
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Errorf("the database is not at its path: %v", err)
		}
	}
	open(t, "sqlite://"+filepath.Join(folder, "plain.db"))

	var mode string
	if err := open(t, "sqlite:plain.db").NewRaw("PRAGMA journal_mode").Scan(t.Context(), &mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode = %q, %v; want wal", mode, err)
	}
}

func TestSQLiteForeignKeysHold(t *testing.T) {
	db := open(t, database.Memory)
	run(t, db, "CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (parent integer REFERENCES parent)")
	if _, err := db.ExecContext(t.Context(), "INSERT INTO child VALUES (7)"); err == nil {
		t.Error("a row that refers to nothing was accepted")
	}
}

func TestMemoryOutlivesItsConnections(t *testing.T) {
	ctx := t.Context()
	db := open(t, database.Memory)
	run(t, db, "CREATE TABLE t (id integer)")
	db.SetMaxIdleConns(0) // the pool closes each connection after use

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = db.ExecContext(cancelled, "INSERT INTO t VALUES (1)")

	var n int
	if err := db.NewRaw("SELECT count(*) FROM t").Scan(ctx, &n); err != nil {
		t.Errorf("the database did not outlive its connections: %v", err)
	}
	other := open(t, database.Memory)
	if err := other.NewRaw("SELECT count(*) FROM t").Scan(ctx, &n); err == nil {
		t.Error("two databases in memory are one")
	}
}

func TestMemoryReadsWhileReading(t *testing.T) {
	ctx := t.Context()
	db := open(t, database.Memory)
	run(t, db, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2)")
	rows, err := db.QueryContext(ctx, "SELECT id FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&n); err != nil || n != 2 {
			t.Fatalf("count while rows are open = %d, %v; want 2", n, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestSQLiteWriters runs many writers that read first. With deferred transactions SQLite
// would refuse them at once with "database is locked".
func TestSQLiteWriters(t *testing.T) {
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "attune.db")
	run(t, open(t, url), "CREATE TABLE counter (n integer); INSERT INTO counter VALUES (0)")

	const writers, rounds = 6, 10
	var wg sync.WaitGroup
	for range writers {
		db := open(t, url)
		wg.Go(func() {
			for range rounds {
				err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
					var n int
					if err := tx.NewRaw("SELECT n FROM counter").Scan(ctx, &n); err != nil {
						return err
					}
					_, err := tx.ExecContext(ctx, "UPDATE counter SET n = ?", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := open(t, url).NewRaw("SELECT n FROM counter").Scan(ctx, &n); err != nil || n != writers*rounds {
		t.Errorf("counter = %d, %v; want %d", n, err, writers*rounds)
	}
}

func TestSQLiteManyOpenANewFileAtOnce(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "attune.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := database.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	wg.Wait()
}

// TestSQLiteNameTooLongToMake checks a file system that refuses a long name only when the
// file is created.
func TestSQLiteNameTooLongToMake(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 300))
	err := sqlite.CannotOpen(path, errors.New("unable to open database file"))
	if !errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, database.ErrReadOnly) || !strings.Contains(err.Error(), "check the path") {
		t.Errorf("got %v", err)
	}
}

func TestSQLiteUnusableFiles(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	good := goodFile(t, 200)

	tests := []struct {
		name, path string
		want       error
		says       string
	}{
		{"text", write("text.db", []byte(strings.Repeat("not a database\n", 100))), database.ErrCorrupt, "not a SQLite database"},
		{"cut off", write("cut.db", good[:len(good)/2]), database.ErrCorrupt, ".recover"},
		{"schema overwritten", write("schema.db", garble(good, 100, 3000)), database.ErrCorrupt, ".recover"},
		{"a folder", folder, database.ErrURL, "is a folder"},
		{"a pipe", fifo, database.ErrURL, "not a regular file"},
		{"no folder", filepath.Join(folder, "missing", "attune.db"), fs.ErrNotExist, "mkdir -p " + filepath.Join(folder, "missing")},
		{"below a file", filepath.Join(write("file", nil), "attune.db"), syscall.ENOTDIR, "check the path"},
		{"name too long", filepath.Join(folder, strings.Repeat("x", 300)), syscall.ENAMETOOLONG, "check the path"},
		{"a folder that nobody writes to", "/proc/attune.db", database.ErrReadOnly, "/proc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := os.ReadFile(regular(tt.path))
			contains(t, openFails(t, "sqlite:"+tt.path, tt.want), tt.path, tt.says)
			if after, _ := os.ReadFile(regular(tt.path)); string(after) != string(before) {
				t.Error("the attempt changed the file")
			}
		})
	}
}

// regular returns path if it is a regular file, else the null device.
func regular(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return os.DevNull
	}
	return path
}

// goodFile returns the content of a database with some rows.
func goodFile(t *testing.T, rows int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "good.db")
	db := open(t, "sqlite:"+path)
	run(t, db, "CREATE TABLE t (id integer PRIMARY KEY, text text)")
	for range rows {
		run(t, db, "INSERT INTO t (text) VALUES (hex(randomblob(200)))")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func garble(data []byte, from, to int) []byte {
	bad := append([]byte(nil), data...)
	for i := from; i < to; i++ {
		bad[i] = 0xa5
	}
	return bad
}

// TestSQLiteCorruptLater checks damage that opening does not notice.
func TestSQLiteCorruptLater(t *testing.T) {
	data := goodFile(t, 200)
	path := filepath.Join(t.TempDir(), "attune.db")
	if err := os.WriteFile(path, garble(data, 8192, len(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, "sqlite:"+path)
	var n int
	err := db.NewRaw("SELECT count(*) FROM t WHERE text > ''").Scan(t.Context(), &n)
	if got := database.Classify(err); !errors.Is(got, database.ErrCorrupt) {
		t.Errorf("Classify(%v) = %v, want ErrCorrupt", err, got)
	}
}

func TestSQLiteLocked(t *testing.T) {
	t.Cleanup(sqlite.SetBusyTimeout(50 * time.Millisecond))
	path := filepath.Join(t.TempDir(), "attune.db")
	holder := lockInOtherProcess(t, path)

	contains(t, openFails(t, "sqlite:"+path, database.ErrLocked), path, "another process", "fuser")

	holder()
	open(t, "sqlite:"+path)
}

// explains checks the result of Explain for the error of a statement.
func explains(t *testing.T, err, kind error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("the statement did not fail")
	}
	got := database.Explain(fmt.Errorf("list the workers: %w", err))
	if !errors.Is(got, kind) || !errors.Is(got, err) {
		t.Errorf("%v: want it to wrap %v and what it explains", got, kind)
	}
	contains(t, got, append(says, "list the workers: ", err.Error())...)
	if again := database.Explain(fmt.Errorf("once more: %w", got)); strings.Count(again.Error(), says[0]) != 1 {
		t.Errorf("explained twice: %v", again)
	}
}

func TestExplainSQLite(t *testing.T) {
	t.Cleanup(sqlite.SetBusyTimeout(50 * time.Millisecond))
	path := filepath.Join(t.TempDir(), "attune.db")
	db := open(t, "sqlite:"+path)
	run(t, db, "CREATE TABLE t (x)")

	tx, err := open(t, "sqlite:"+path).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
	explains(t, err, database.ErrLocked, "another process holds it", "fuser FILE")
	_ = tx.Rollback()

	run(t, db, "PRAGMA query_only = 1")
	db.SetMaxOpenConns(1)
	run(t, db, "PRAGMA query_only = 1")
	_, err = db.ExecContext(t.Context(), "INSERT INTO t VALUES (1)")
	explains(t, err, database.ErrReadOnly, "write access")

	data := goodFile(t, 200)
	path = filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(path, garble(data, 8192, len(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, "sqlite:"+path).ExecContext(t.Context(), "DELETE FROM t")
	explains(t, err, database.ErrCorrupt, "restore a copy", ".recover")
}
