package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
)

// TestDiskIsFull under the embedded file: what could not be written is, as soon as
// there is room.
func TestDiskIsFull(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no disk of a few megabytes can be had: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	conn, err := database.Open(t.Context(), "sqlite:"+filepath.Join(disk, "attune.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	m, err := migrations.New(conn, migrations.Config{})
	if err == nil {
		_, err = m.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	b := newHarness(t, &testdb.DB{DB: conn})
	cfg := b.config()
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.Store, Rows: b.Workers}, nil
	}
	svc := b.start(cfg)
	b.step(svc)

	// Without its old pages the log of changes has to grow.
	if _, err := conn.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = filler.Write(make([]byte, size))
		}
	}
	if err := filler.Close(); err != nil && !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	b.remove("alpha")
	b.pass(svc, 2*round)
	if !svc.Away() {
		t.Fatalf("nothing failed:\n%s", b.log)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	b.pass(svc, 15*time.Second)
	b.has("beta@2.0.0")
	b.status(schema.WorkerActive)
	svc.Leave(t.Context())
}

// TestFileIsFull: the same where no disk can be made: SQLite itself lets the file
// grow no more.
func TestFileIsFull(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	// The limit is one connection's.
	b.db.SetMaxOpenConns(1)
	svc := b.start(b.config())
	b.step(svc)
	limit := func(pages int) {
		t.Helper()
		if _, err := b.db.NewRaw("PRAGMA max_page_count = ?", pages).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // which is what it has
	b.remove("alpha")
	for i := range 50 { // until what is free within it is used up
		if b.pass(svc, round); svc.Away() {
			break
		}
		b.install("beta", fmt.Sprintf("echo beta 2.%d.0 %s", i, strings.Repeat("x", 3000)))
	}
	if log := b.log.String(); !svc.Away() || !strings.Contains(log, "full") {
		t.Fatalf("nothing failed:\n%s", log)
	}
	b.install("beta", "echo beta 3.0.0")
	b.pass(svc, round)
	limit(1 << 20)
	b.pass(svc, 15*time.Second)
	b.has("beta@3.0.0")
	b.status(schema.WorkerActive)
	svc.Leave(t.Context())
}
