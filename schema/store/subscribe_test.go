package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/store"
)

// never is an interval in which no test reads the history.
const never = 24 * time.Hour

// follower is a loop over a subscription in a goroutine of its own.
type follower struct {
	t       *testing.T
	changes chan schema.CapabilityChange
	errors  chan error
	last    int64
}

// follow subscribes, and ends the subscription with the test.
func follow(t *testing.T, c *store.Changes, after int64, cfg store.SubscribeConfig) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &follower{t: t, changes: make(chan schema.CapabilityChange, 10_000), errors: make(chan error, 10_000)}
	var done sync.WaitGroup
	done.Go(func() {
		for change, err := range c.Subscribe(ctx, after, cfg) {
			if err != nil {
				f.errors <- err
			} else {
				f.changes <- change
			}
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return f
}

// wants waits for changes of runtimes, in this order.
func (f *follower) wants(names ...string) {
	f.t.Helper()
	for i, want := range names {
		select {
		case c := <-f.changes:
			if c.Name != want || c.ID <= f.last {
				f.t.Fatalf("change %d is %d of %s, want %s and after %d", i, c.ID, c.Name, want, f.last)
			}
			f.last = c.ID
		case <-time.After(time.Minute):
			f.t.Fatalf("waited a minute for change %d, of %s; errors: %v", i, want, f.failures())
		}
	}
}

func (f *follower) failures() (list []error) {
	for {
		select {
		case err := <-f.errors:
			list = append(list, err)
		default:
			return list
		}
	}
}

// listening is how a subscription listens on this database; nothing on SQLite.
func (e env) listening() func(context.Context, string, func()) error {
	if !e.postgres {
		return nil
	}
	return pool.Listen(e.DB)
}

// gain has a worker gain a runtime, which makes one change.
func gain(t *testing.T, e env, worker, runtime string) {
	t.Helper()
	running(t, e, worker, row("core."+runtime, runtime, "1", "/"+runtime))
}

// TestSubscribe: what was there, what comes while many write, and nothing twice
// for who goes on later.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		const workers, rounds = 6, 5
		e.SetMaxOpenConns(workers + 3)
		gain(t, e, "first", "x")
		f := follow(t, e.Changes, 0, store.SubscribeConfig{Interval: 20 * time.Millisecond, Listen: e.listening()})
		f.wants("x")
		last, err := e.Changes.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var writers sync.WaitGroup
		for n := range workers {
			w := running(t, e, fmt.Sprint("host-", n))
			writers.Go(func() {
				for round := range rounds {
					rows := []schema.WorkerRuntime{}
					if round%2 == 0 {
						rows = append(rows, row("core.a", "a", "1", "/a"), row("core.a", "a", "2", "/b"))
					}
					if _, err := e.Workers.Report(t.Context(), w.ID, "i1", *found(t, rows...)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		const made = workers * rounds * 2
		f.wants(slices.Repeat([]string{"a"}, made)...)
		writers.Wait()
		gain(t, e, "last", "z")
		f.wants("z")
		if errs := f.failures(); errs != nil {
			t.Error(errs)
		}

		var again []int64
		for c, err := range e.Changes.Subscribe(t.Context(), last, store.SubscribeConfig{Interval: 20 * time.Millisecond}) {
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, c.ID)
			if c.Name == "z" {
				break
			}
		}
		if !slices.IsSorted(again) || len(slices.Compact(again)) != made+1 || again[0] <= last {
			t.Errorf("after %d: %v, want the %d changes since then in their order", last, again, made+1)
		}
	})
}

// TestSubscribeEnds with ctx at once, wherever it is, and leaves nothing behind.
func TestSubscribeEnds(t *testing.T) {
	for name, e := range map[string]env{"sqlite": sqlite(t), "postgres": postgres(t, "attune")} {
		t.Run(name, func(t *testing.T) {
			gain(t, e, "host", "a")
			gain(t, e, "host", "b")
			before := runtime.NumGoroutine()
			for _, end := range []string{"while it waits", "in the loop", "by break"} {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel() // leaving the loop is enough
				got := 0
				for c, err := range e.Changes.Subscribe(ctx, 0, store.SubscribeConfig{Interval: never, Listen: e.listening()}) {
					if err != nil {
						t.Fatal(end, err)
					}
					got++
					if end == "in the loop" {
						cancel()
					}
					if end == "by break" {
						break
					}
					if c.Name == "b" && c.Kind == schema.CapabilityGained {
						go cancel()
					}
				}
				if want := map[string]int{"while it waits": 3}[end]; got != max(want, 1) {
					t.Errorf("%s: %d changes, want %d", end, got, max(want, 1))
				}
			}
			// The driver ends connections beside everything else.
			for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			if n := runtime.NumGoroutine(); n > before {
				buffer := make([]byte, 1<<16)
				t.Errorf("%d goroutines, and %d before:\n%s", n, before, buffer[:runtime.Stack(buffer, true)])
			}
			if s := e.Stats(); s.InUse != 0 {
				t.Errorf("%d connections are in use", s.InUse)
			}
		})
	}
}

// TestSubscribeHears: with a notification, and not by reading now and then; on a
// new connection too when the one it listened on is gone.
func TestSubscribeHears(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	f := follow(t, e.Changes, 0, store.SubscribeConfig{Interval: never, Listen: e.listening()})
	listener := func() int {
		for {
			var pids []int
			err := e.NewRaw("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'").Scan(t.Context(), &pids)
			if err != nil {
				t.Fatal(err)
			}
			if len(pids) > 0 {
				return pids[0]
			}
		}
	}
	first := listener()
	for _, name := range []string{"a", "b", "c"} {
		gain(t, e, "host-"+name, name)
		f.wants(name)
	}
	e.exec(t, "SELECT pg_terminate_backend(?, 10000)", first)
	gain(t, e, "host-d", "d")
	f.wants("d")
	if errs := f.failures(); len(errs) == 0 || !strings.Contains(errs[0].Error(), "listen for changes, reading them every 24h0m0s instead: ") {
		t.Errorf("got %v, want to be told that it could not listen", errs)
	}
	if second := listener(); second == first {
		t.Error("it listens on the connection that was ended")
	}
	gain(t, e, "host-e", "e")
	f.wants("e")
}

// TestSubscribeReads all the same where it cannot listen, and where no
// notification comes.
func TestSubscribeReads(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	for name, listen := range map[string]func(context.Context, string, func()) error{
		"refused": func(context.Context, string, func()) error { return errors.New("not in recovery") },
		"deaf": func(ctx context.Context, _ string, wake func()) error {
			wake()
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			last, err := e.Changes.Last(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f := follow(t, e.Changes, last, store.SubscribeConfig{Interval: 10 * time.Millisecond, Listen: listen})
			for _, runtime := range []string{"a", "b"} {
				gain(t, e, name+runtime, runtime)
				f.wants(runtime)
			}
		})
	}
}

// insert is a change that somebody writes by SQL of his own.
const insert = "INSERT INTO {schema}.capability_change (worker_name, worker_role, runtime_ref, name, kind) VALUES ('theirs', 'action', '', ?, 'gained')"

// looks counts how often it was asked who may fill a gap.
type looks struct{ atomic.Int64 }

func (l *looks) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (l *looks) AfterQuery(_ context.Context, q *bun.QueryEvent) {
	if strings.Contains(q.Query, "pg_locks") {
		l.Add(1)
	}
}

// more waits for so many more, as long as nothing was told.
func (l *looks) more(t *testing.T, n int64, isTold func() bool) {
	t.Helper()
	for end := l.Load() + n; l.Load() < end; time.Sleep(time.Millisecond) {
		if isTold() {
			t.Fatal("a change was told while an earlier one was being written")
		}
	}
}

// TestSubscribeMissesNoLateCommit: the lower id is committed last, the one between
// never.
func TestSubscribeMissesNoLateCommit(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	begin := func(name string) bunTx {
		t.Helper()
		tx, err := e.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tx.Rollback() })
		if _, err := tx.NewRaw(e.sql(insert), name).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		return tx
	}
	gaps := new(looks)
	hooked := store.New(e.DB.WithQueryHook(gaps), store.Config{Schema: e.schema})
	f := follow(t, hooked.Changes, 0, store.SubscribeConfig{Interval: 10 * time.Millisecond})
	wait := func() { t.Helper(); gaps.more(t, 2, func() bool { return len(f.changes) > 0 }) }
	for range 2 {
		e.exec(t, insert, "first")
		f.wants("first")
		slow, undone, quick := begin("slow"), begin("undone"), begin("quick")
		if err := quick.Commit(); err != nil {
			t.Fatal(err)
		}
		wait()
		later := begin("later") // which holds nothing up
		wait()
		if err := undone.Rollback(); err != nil {
			t.Fatal(err)
		}
		wait()
		if err := slow.Commit(); err != nil {
			t.Fatal(err)
		}
		f.wants("slow", "quick")
		if err := later.Commit(); err != nil {
			t.Fatal(err)
		}
		f.wants("later")
		if errs := f.failures(); errs != nil {
			t.Error(errs)
		}
	}
}

// TestReportsWaitForNobody: one that is committed before an earlier one is told
// after it, as soon as that is committed too.
func TestReportsWaitForNobody(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	a, b := running(t, e, "a"), running(t, e, "b")
	f := follow(t, e.Changes, 0, store.SubscribeConfig{Interval: never, Listen: e.listening()})
	first, err := e.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Rollback() }()
	in := store.New(first, store.Config{Schema: "attune"})
	if _, err := in.Workers.Report(t.Context(), a.ID, "i1", *found(t, row("core.a", "a", "1", "/a"))); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Workers.Report(t.Context(), b.ID, "i1", *found(t, row("core.b", "b", "1", "/b"))); err != nil {
		t.Fatal(err)
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	f.wants("a", "b")
}

// TestLast checks that every change that is not visible yet gets a higher id.
func TestLast(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		if last, err := e.Changes.Last(ctx); err != nil || last != 0 {
			t.Errorf("of an empty history: %d, %v", last, err)
		}
		gain(t, e, "host-1", "a")
		if last, err := e.Changes.Last(ctx); err != nil || last != 1 {
			t.Errorf("of one change: %d, %v", last, err)
		}
		if !e.postgres {
			return
		}
		slow, err := e.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = slow.Rollback() }()
		if _, err := slow.NewRaw(e.sql(insert), "slow").Exec(ctx); err != nil {
			t.Fatal(err)
		}
		// Last in the same transaction does not wait for it.
		if last, err := store.New(slow, store.Config{Schema: e.schema}).Changes.Last(ctx); err != nil || last != 2 {
			t.Errorf("in the transaction: %d, %v", last, err)
		}
		e.exec(t, insert, "quick")
		count := new(looks)
		ids := make(chan int64, 1)
		go func() {
			last, err := store.New(e.DB.WithQueryHook(count), store.Config{Schema: e.schema}).Changes.Last(ctx)
			if err != nil {
				t.Error(err)
			}
			ids <- last
		}()
		count.more(t, 2, func() bool { return len(ids) > 0 })
		select {
		case last := <-ids:
			t.Fatalf("%d was told while an earlier change was being written", last)
		default:
		}
		if err := slow.Commit(); err != nil {
			t.Fatal(err)
		}
		if last := <-ids; last != 3 {
			t.Errorf("the last is %d, want 3", last)
		}
	})
}

// TestSubscribeOutlivesTheServer, which is stopped, and crashes.
func TestSubscribeOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server := testdb.Own(t)
	db := server.Postgres(testdb.Schema("attune"))
	f := follow(t, store.New(db, store.Config{Schema: "attune"}).Changes, 0,
		store.SubscribeConfig{Interval: 50 * time.Millisecond, Listen: pool.Listen(db.DB)})
	writer := open(t, db.URL)
	writer.SetMaxIdleConns(0) // none is from before the server's end
	e := env{writer, store.New(writer, store.Config{Schema: "attune"}), "attune", true}
	gain(t, e, "host-1", "a")
	f.wants("a")
	for i, end := range []func(){server.Stop, server.Crash} {
		end()
		select {
		case err := <-f.errors:
			t.Log(err)
		case <-time.After(time.Minute):
			t.Fatal("it does not tell that the server is away")
		}
		server.Start()
		gain(t, e, fmt.Sprint("host-after-", i), "b")
		f.wants("b")
	}
}
