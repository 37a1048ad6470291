package migrations_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
)

// The test binary is also the other process. With childDatabase set it migrates that database up, and
// stops before the statement that contains childPause.
const (
	childDatabase = "ATTUNE_TEST_CHILD_DATABASE"
	childPause    = "ATTUNE_TEST_CHILD_PAUSE"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childDatabase); url != "" {
		child(url, os.Getenv(childPause))
		return
	}
	// More tests than processors: each waits for the server most of the time.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// child prints "paused" when it stops, continues after a line of input, and ends with its result.
func child(url, pause string) {
	db, err := database.Open(context.Background(), url)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	if pause != "" {
		db = db.WithQueryHook(&pauseHook{pause, os.Stdin})
	}
	m, err := migrations.New(db, migrations.Config{LockTimeout: time.Minute})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	res, err := m.Up(context.Background())
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("done", len(res.Done))
}

// pauseHook stops before a statement until it reads a line.
type pauseHook struct {
	before string
	input  io.Reader
}

func (h *pauseHook) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if h.before != "" && strings.Contains(e.Query, h.before) {
		h.before = ""
		fmt.Println("paused")
		_, _ = bufio.NewReader(h.input).ReadString('\n')
	}
	return ctx
}

func (h *pauseHook) AfterQuery(context.Context, *bun.QueryEvent) {}

// A process is another process that migrates.
type process struct {
	*exec.Cmd
	input io.WriteCloser
	lines *bufio.Scanner
}

func start(t *testing.T, db testDB, pause string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(slices.Clone(os.Environ()), childDatabase+"="+db.URL, childPause+"="+pause)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, input, bufio.NewScanner(output)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return p
}

func (p *process) expect(t *testing.T, want string) {
	t.Helper()
	if !p.lines.Scan() || p.lines.Text() != want {
		t.Fatalf("the other process said %q, want %q", p.lines.Text(), want)
	}
}

func TestTwoProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		if db.Dialect().Name() == dialect.PG {
			// With this default a snapshot would be older than the lock unless the migrator sets the isolation.
			run(t, db, "ALTER DATABASE "+strs(t, db, "SELECT current_database()")[0]+
				" SET default_transaction_isolation = 'repeatable read'")
		}
		first := start(t, db, "attune_migrations\" (id, adopted")
		first.expect(t, "paused")
		second := start(t, db, "")
		if db.Dialect().Name() == dialect.PG {
			waitForWaiter(t, db)
		}
		if _, err := io.WriteString(first.input, "go on\n"); err != nil {
			t.Fatal(err)
		}
		// The process that gets the lock for the second migration applies it. Each is applied once.
		total := 0
		for _, p := range []*process{first, second} {
			var n int
			if !p.lines.Scan() {
				t.Fatal("a process ended without a word")
			}
			if _, err := fmt.Sscanf(p.lines.Text(), "done %d", &n); err != nil {
				t.Fatalf("a process said %q, want done", p.lines.Text())
			}
			total += n
		}
		if total != len(ids) {
			t.Errorf("the two processes applied %d migrations together, want %d", total, len(ids))
		}
		if n := count(t, db, "SELECT count(*) FROM attune_migrations"); n != len(ids) {
			t.Errorf("%d migrations are recorded, want %d", n, len(ids))
		}
	})
}

// TestNoTwoInstallationsAtOnce: if two processes begin on an empty database in different schemas, the one
// that waited is refused.
func TestNoTwoInstallationsAtOnce(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	first := start(t, db, "VALUES ('"+migrations.Baseline)
	first.expect(t, "paused")
	refused := make(chan error)
	go func() {
		_, err := migrator(t, db.DB, migrations.Config{Schema: "attune"}).Up(context.Background())
		refused <- err
	}()
	waitForWaiter(t, db)
	if _, err := io.WriteString(first.input, "go on\n"); err != nil {
		t.Fatal(err)
	}
	wantError(t, "Up", <-refused, migrations.ErrSecondSchema, "public")
	first.expect(t, fmt.Sprint("done ", len(ids)))
}

// waitForWaiter returns when somebody waits for the migrators' lock.
func waitForWaiter(t *testing.T, db testDB) {
	t.Helper()
	for count(t, db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "+thisDatabase) == 0 {
		runtime.Gosched()
	}
}

func TestKilledHalfWayLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			each(t, func(t *testing.T, db testDB) {
				if id != migrations.Baseline {
					up(t, db.DB, migrations.Config{})
					downTo(t, db.DB, id, migrations.Config{})
				}
				before := objects(t, db)
				p := start(t, db, "VALUES ('"+id)
				p.expect(t, "paused")
				if err := p.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				_ = p.Wait()
				waitForNoSessions(t, db)
				if diff := cmp.Diff(before, objects(t, db)); diff != "" {
					t.Fatalf("the killed process left things (-before +after):\n%s", diff)
				}
				up(t, db.DB, migrations.Config{})
			})
		})
	}
}

// waitForNoSessions returns when the server has noticed that the other process is gone.
func waitForNoSessions(t *testing.T, db testDB) {
	t.Helper()
	if db.Dialect().Name() != dialect.PG {
		return
	}
	for count(t, db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "+thisDatabase) > 0 {
		runtime.Gosched()
	}
}

// thisDatabase excludes the advisory locks of other databases.
const thisDatabase = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
