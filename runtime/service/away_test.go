package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// behind is a bench whose service reaches Postgres by a proxy.
func behind(t *testing.T, parameters ...string) (*bench, service.Config, *proxy) {
	t.Helper()
	db := testdb.Postgres(t)
	b := newBench(t, db)
	p, url := throughProxy(t, db)
	url += "&" + strings.Join(parameters, "&")
	cfg := b.config()
	cfg.StatementTimeout = 300 * time.Millisecond
	cfg.Open = func(ctx context.Context) (*service.Database, error) {
		conn, err := database.Open(ctx, url)
		if err != nil {
			return nil, err
		}
		st := store.New(conn, store.Config{Schema: db.Schema})
		return &service.Database{Definitions: st, Rows: st.Workers, Close: conn.Close}, nil
	}
	return b, cfg, p
}

// forget makes the row as old as if nobody had beaten for an hour, and sweeps.
func (b *bench) forget() {
	b.Helper()
	if _, err := b.db.NewRaw("UPDATE worker SET last_heartbeat = last_heartbeat - interval '1 hour'").Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func TestPostgresStopsAndStarts(t *testing.T) {
	b, cfg, p := behind(t)
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
	if swept, err := b.Workers.Sweep(t.Context(), 0); err != nil || len(swept) != 1 {
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
	for _, line := range []string{"the database cannot be used for now", "the database can be used again"} {
		if n := strings.Count(b.log.String(), line); n != 1 {
			t.Errorf("the log says %d times %q, want once:\n%s", n, line, b.log)
		}
	}
	svc.Leave(t.Context())
	b.status(schema.WorkerInactive)
}

// TestPostgresIsAwayAtFirst: the service begins when it comes.
func TestPostgresIsAwayAtFirst(t *testing.T) {
	b, cfg, p := behind(t)
	cfg.Hopeless = func(error) bool { return false }
	p.cut()
	svc := b.start(cfg)
	b.pass(svc, time.Minute)
	p.resume()
	b.pass(svc, 12*time.Second)
	b.has("alpha@1.0.0", "beta@2.0.0")
}

// TestLineDropsPacketsSilently: no statement waits for ever, and the connection
// is another one afterwards.
func TestLineDropsPacketsSilently(t *testing.T) {
	b, cfg, p := behind(t)
	svc := b.start(cfg)
	b.step(svc)
	before := p.connections()
	p.stall()
	b.pass(svc, 25*time.Second)
	if !svc.Away() {
		t.Fatal("a stalled line is taken for one that answers")
	}
	if log := b.log.String(); !strings.Contains(log, "no answer within 300ms") {
		t.Errorf("the log does not say what is wrong:\n%s", log)
	}
	p.resume()
	b.pass(svc, 12*time.Second)
	if svc.Away() || p.connections() == before {
		t.Errorf("away: %v; %d connections before, %d now", svc.Away(), before, p.connections())
	}
	if err := svc.Ready(); err != nil {
		t.Errorf("not ready again: %v", err)
	}
	p.stall()
	svc.Leave(t.Context()) // which ends all the same
}

// TestLineIsCutInATransaction: the server has not noticed, and keeps the row
// locked against the connections that come after.
func TestLineIsCutInATransaction(t *testing.T) {
	b, cfg, p := behind(t, "idle_in_transaction_session_timeout=1s")
	svc := b.start(cfg)
	b.step(svc)
	b.remove("alpha")
	p.stallAt("DELETE FROM")
	b.pass(svc, round)
	if !svc.Away() {
		t.Fatal("the line was not cut")
	}
	p.abandon()
	for i := 0; svc.Away() && i < 50; i++ {
		b.pass(svc, 10*time.Second)
	}
	b.has("beta@2.0.0")
	b.status(schema.WorkerActive)
	b.history("gained alpha", "gained beta", "lost alpha")
}

// TestStalledAtFirst: opening the database is bounded too.
func TestStalledAtFirst(t *testing.T) {
	b, cfg, p := behind(t)
	p.stall()
	svc := b.start(cfg)
	b.pass(svc, 30*time.Second)
	p.resume()
	b.pass(svc, 12*time.Second)
	b.has("alpha@1.0.0", "beta@2.0.0")
}

// TestRowIsDeleted: the row heals by itself.
func TestRowIsDeleted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newBench(t, db)
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

// TestDatabaseThatWaitingDoesNotHelp ends the service at once.
func TestDatabaseThatWaitingDoesNotHelp(t *testing.T) {
	b := newBench(t, testdb.SQLite(t))
	cfg := b.config()
	cfg.Open = func(context.Context) (*service.Database, error) { return nil, database.ErrRefused }
	cfg.Hopeless = func(err error) bool { return err == database.ErrRefused }
	if _, err := b.start(cfg).Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}
