package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/store"
)

// opens opens a pool for each service.
func opens(url, schemaName string) func(context.Context) (*service.Database, error) {
	return func(ctx context.Context) (*service.Database, error) {
		conn, err := database.Open(ctx, url)
		if err != nil {
			return nil, err
		}
		st := store.New(conn, store.Config{Schema: schemaName})
		return &service.Database{Definitions: st, Rows: st.Workers, Close: conn.Close, Rest: func() { pool.Rest(conn) }}, nil
	}
}

// behind returns a harness whose service reaches Postgres through a proxy.
func behind(t *testing.T, parameters ...string) (*harness, service.Config, *proxy) {
	t.Helper()
	db := testdb.Postgres(t)
	b := newHarness(t, db)
	p, url := throughProxy(t, b.url)
	url += "&" + strings.Join(parameters, "&")
	cfg := b.config()
	cfg.Open = opens(url, db.Schema)
	cfg.IdleTimeout = time.Hour // a line that is held is what breaks
	return b, cfg, p
}

// shortTimeout is a StatementTimeout for lines that stall. On a busy machine a
// statement may take longer, so tests wait until the service has recovered.
const shortTimeout = time.Second

// recover passes time until the database answers again.
func (b *harness) recover(svc *service.Service) {
	b.Helper()
	for range 50 {
		b.pass(svc, 12*time.Second)
		if !svc.Away() && svc.Ready() == nil {
			return
		}
	}
	b.Errorf("away: %v, ready: %v; want the service to use the database again", svc.Away(), svc.Ready())
}

// forget sets the last heartbeat back by an hour and sweeps.
func (b *harness) forget() {
	b.Helper()
	if _, err := b.db.NewRaw("UPDATE worker SET last_heartbeat = last_heartbeat - interval '1 hour'").Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// heldAndNot runs a test with a kept connection, and with a new one for each heartbeat.
func heldAndNot(t *testing.T, test func(t *testing.T, idle time.Duration)) {
	t.Run("held", func(t *testing.T) { test(t, time.Hour) })
	t.Run("given back", func(t *testing.T) { test(t, -1) })
}

// noMore waits until the process holds no more than before. Connections that were cut may
// take a while to close.
func (b *harness) noMore(before usage) {
	b.Helper()
	for range 1000 {
		now := measure(b.T)
		if now.goroutines <= before.goroutines && now.files <= before.files && now.children <= before.children {
			return
		}
	}
	b.Errorf("before %+v, after %+v", before, measure(b.T))
}

// TestPostgresStopsAndStarts stops the server, cleanly and by a crash, and starts it again.
func TestPostgresStopsAndStarts(t *testing.T) {
	server := testdb.Own(t)
	for name, stop := range map[string]func(){"in order": server.Stop, "by a crash": server.Crash} {
		t.Run(name, func(t *testing.T) {
			heldAndNot(t, func(t *testing.T, idle time.Duration) { stopAndStart(t, server, stop, idle) })
		})
	}
}

func stopAndStart(t *testing.T, server *testdb.Server, stop func(), idle time.Duration) {
	b := newHarness(t, server.Postgres())
	cfg := b.config()
	cfg.Open, cfg.IdleTimeout = opens(b.url, "public"), idle
	svc := b.start(cfg)
	b.pass(svc, 2*round)
	b.has("alpha@1.0.0", "beta@2.0.0")
	pool.Rest(b.db)
	before := measure(t)
	for range 2 { // what leaks, does so each time
		stop()
		b.pass(svc, 2*round)
		if err := svc.Ready(); err == nil || !svc.Away() {
			t.Fatalf("ready: %v, away: %v; the server does not run", err, svc.Away())
		}
		b.remove("alpha")
		b.install("beta", "echo beta 2.1.0")
		b.pass(svc, round)
		server.Start()
		b.pass(svc, 15*time.Second)
		b.has("beta@2.1.0")
		b.status(schema.WorkerActive)
		if err := svc.Ready(); err != nil {
			t.Errorf("not ready again: %v", err)
		}
		b.install("alpha", "echo alpha 1.0.0")
		b.install("beta", "echo beta 2.0.0")
		b.pass(svc, 2*round)
		b.has("alpha@1.0.0", "beta@2.0.0")
		pool.Rest(b.db)
	}
	b.noMore(before)
	for _, line := range []string{"database unavailable, retrying", "database available again"} {
		if n := strings.Count(b.log.String(), line); n != 2 {
			t.Errorf("the log says %d times %q, want 2 times:\n%s", n, line, b.log)
		}
	}
	svc.Leave(t.Context())
	b.status(schema.WorkerInactive)
	pool.Rest(b.db)
}

// TestConnectionsAreCut checks that a row that was swept meanwhile becomes active again.
func TestConnectionsAreCut(t *testing.T) {
	t.Parallel()
	heldAndNot(t, connectionsAreCut)
}

func connectionsAreCut(t *testing.T, idle time.Duration) {
	b, cfg, p := behind(t)
	cfg.IdleTimeout = idle
	svc := b.start(cfg)
	b.step(svc)
	p.cut()
	b.pass(svc, 20*time.Second)
	if err := svc.Ready(); err != nil {
		t.Errorf("not ready after two heartbeats that failed: %v", err)
	}
	b.remove("alpha")
	b.install("beta", "echo beta 2.1.0")
	b.pass(svc, 2*round)
	if err := svc.Ready(); err == nil {
		t.Error("ready without a heartbeat for minutes")
	}
	if err := svc.Healthy(); err != nil {
		t.Errorf("not healthy, and restarting it would not help: %v", err)
	}
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.forget()
	if swept, err := b.Workers.Sweep(t.Context(), 0, store.HeartbeatSpan{}); err != nil || len(swept) != 1 {
		t.Fatalf("swept %v, %v; want the worker", swept, err)
	}
	b.status(schema.WorkerInactive)

	p.resume()
	b.pass(svc, 12*time.Second)
	b.has("beta@2.1.0")
	b.status(schema.WorkerActive)
	b.history("gained alpha", "gained beta", "lost alpha", "version_changed beta")
	if err := svc.Ready(); err != nil {
		t.Errorf("not ready again: %v", err)
	}
	for _, line := range []string{"database unavailable, retrying", "database available again"} {
		if n := strings.Count(b.log.String(), line); n != 1 {
			t.Errorf("the log says %d times %q, want once:\n%s", n, line, b.log)
		}
	}
	svc.Leave(t.Context())
	b.status(schema.WorkerInactive)
}

// TestPostgresIsAwayAtFirst checks that a service starts when the database becomes available.
func TestPostgresIsAwayAtFirst(t *testing.T) {
	b, cfg, p := behind(t)
	cfg.IsPermanent = func(error) bool { return false }
	p.cut()
	svc := b.start(cfg)
	b.pass(svc, time.Minute)
	p.resume()
	b.pass(svc, 12*time.Second)
	b.has("alpha@1.0.0", "beta@2.0.0")
}

// TestLineDropsPacketsSilently checks that a statement without an answer times out, and that
// the service uses another connection afterwards.
func TestLineDropsPacketsSilently(t *testing.T) {
	t.Parallel()
	heldAndNot(t, lineDropsPackets)
}

func lineDropsPackets(t *testing.T, idle time.Duration) {
	b, cfg, p := behind(t)
	cfg.IdleTimeout, cfg.StatementTimeout = idle, shortTimeout
	svc := b.start(cfg)
	b.recover(svc)
	before, held := p.connections(), p.held()
	p.stall()
	b.pass(svc, 25*time.Second)
	if !svc.Away() {
		t.Fatal("a stalled line is taken for one that answers")
	}
	if log := b.log.String(); !strings.Contains(log, "no answer within 1s") {
		t.Errorf("the log does not say what is wrong:\n%s", log)
	}
	p.resume()
	b.recover(svc)
	if p.connections() == before {
		t.Errorf("%d connections before, %d now", before, p.connections())
	}
	b.wait("the stalled connections are closed", func() bool { return p.held() <= held })
	p.stall()
	svc.Leave(t.Context()) // which ends all the same
}

// TestLineIsCutInATransaction checks that the service recovers although the server has not
// noticed the cut and keeps the row locked.
func TestLineIsCutInATransaction(t *testing.T) {
	t.Parallel()
	b, cfg, p := behind(t, "idle_in_transaction_session_timeout=1s")
	cfg.StatementTimeout = shortTimeout
	svc := b.start(cfg)
	b.recover(svc)
	b.remove("alpha")
	p.stallAt("SET outcome = ''")
	b.pass(svc, round)
	if !svc.Away() {
		t.Fatal("the line was not cut")
	}
	p.abandon()
	b.recover(svc)
	b.has("beta@2.0.0")
	b.status(schema.WorkerActive)
	b.history("gained alpha", "gained beta", "lost alpha")
}

// failingSweep is Rows on which every sweep fails.
type failingSweep struct{ service.Rows }

func (failingSweep) SweepBatch(context.Context, time.Duration, store.HeartbeatSpan) ([]store.InactiveWorker, bool, error) {
	return nil, false, errors.New("no connection")
}

// TestSweepFails checks that the next use of the database after a failed sweep is a
// heartbeat, and that Step returns its time.
func TestSweepFails(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg := b.config()
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.own, Rows: failingSweep{b.own.Workers}}, nil
	}
	svc := b.start(cfg)
	failed := 0
	for range 50 {
		next := b.step(svc)
		if wait := next.Sub(b.clock.Now()); wait <= 0 {
			t.Fatalf("something was due %v ago, and is not done", -wait)
		}
		if svc.Away() {
			failed++
		}
		b.clock.advance(next.Sub(b.clock.Now()))
	}
	if failed == 0 || failed > 20 {
		t.Errorf("the database was away after %d of 50 steps", failed)
	}
}

// slowSweep is Rows on which no sweep ends in time.
type slowSweep struct{ service.Rows }

func (slowSweep) SweepBatch(ctx context.Context, _ time.Duration, _ store.HeartbeatSpan) ([]store.InactiveWorker, bool, error) {
	<-ctx.Done()
	return nil, false, ctx.Err()
}

// TestSlowSweep checks that a sweep without an answer in time is not taken for a lost database.
func TestSlowSweep(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg := b.config()
	cfg.StatementTimeout = 300 * time.Millisecond
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.own, Rows: slowSweep{b.own.Workers}}, nil
	}
	svc := b.start(cfg)
	for range 20 {
		next := b.step(svc)
		if svc.Away() {
			t.Fatalf("the database is away\n%s", b.log)
		}
		b.clock.advance(next.Sub(b.clock.Now()))
	}
	if !strings.Contains(b.log.String(), `could not finish in time, trying again later`) {
		t.Errorf("the log has no slow sweep:\n%s", b.log)
	}
	b.status(schema.WorkerActive)
}

// TestStalledAtFirst checks that opening the database has a timeout.
func TestStalledAtFirst(t *testing.T) {
	t.Parallel()
	b, cfg, p := behind(t)
	cfg.StatementTimeout = shortTimeout
	p.stall()
	svc := b.start(cfg)
	b.pass(svc, 30*time.Second)
	p.resume()
	b.recover(svc)
	b.has("alpha@1.0.0", "beta@2.0.0")
}

// TestRowIsDeleted checks that the service registers again after its row is deleted.
func TestRowIsDeleted(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		b.step(svc)
		if err := b.Workers.Delete(t.Context(), b.row().ID); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, 12*time.Second)
		b.has("alpha@1.0.0", "beta@2.0.0")
		b.status(schema.WorkerActive)
	})
}

// TestDatabaseThatWaitingDoesNotHelp checks that a permanent error ends the service at once.
func TestDatabaseThatWaitingDoesNotHelp(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg := b.config()
	cfg.Open = func(context.Context) (*service.Database, error) { return nil, database.ErrRefused }
	cfg.IsPermanent = func(err error) bool { return err == database.ErrRefused }
	if _, err := b.start(cfg).Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

// TestDatabaseIsGone checks that a registered service ends if the database is gone, whatever
// it was used for.
func TestDatabaseIsGone(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg := b.config()
	open, gone := cfg.Open, error(nil)
	cfg.Open = func(ctx context.Context) (*service.Database, error) {
		db, err := open(ctx)
		if err == nil {
			db.Gone = func(error) error { return gone }
		}
		return db, err
	}
	svc := b.start(cfg)
	b.step(svc)
	b.status(schema.WorkerActive)
	gone = errors.New("the file is gone")
	b.clock.advance(12 * time.Second)
	if _, err := svc.Settle(t.Context()); err != gone {
		t.Errorf("got %v", err)
	}
}

// TestOwnerLocksTables checks that the last results stay while the owner of the database holds
// locks on all tables.
func TestOwnerLocksTables(t *testing.T) {
	t.Parallel()
	b, cfg, _ := behind(t)
	cfg.StatementTimeout = shortTimeout
	svc := b.start(cfg)
	b.pass(svc, round)
	b.has("alpha@1.0.0", "beta@2.0.0")
	tx, err := b.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE pack, runtime, runtime_version, worker, worker_runtime, capability_change IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	b.install("beta", "echo beta 2.1.0")
	for range 3 {
		b.pass(svc, 12*time.Second)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.recover(svc)
	b.pass(svc, 2*round)
	b.has("alpha@1.0.0", "beta@2.1.0")
}
