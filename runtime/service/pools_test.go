package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// fleet is a number of services with the same login, each with its own pool and clock.
type fleet struct {
	*harness
	services []*service.Service
	clocks   []*clock
	mu       sync.Mutex
	pools    []*bun.DB
}

func newFleet(b *harness, size int, url string) *fleet {
	b.Helper()
	f := &fleet{harness: b}
	for i := range size {
		now := newClock()
		cfg := b.config()
		cfg.Now, cfg.Random, cfg.IdleTimeout = now.Now, nil, -1
		cfg.StatementTimeout = time.Minute // a hundred at once on two cores
		declared := detect.Config{Declared: []string{"alpha", "beta"}, Now: now.Now, Getenv: func(string) string { return "" }}
		cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return detect.New(defs, declared)
		}
		cfg.Open = func(ctx context.Context) (*service.Database, error) {
			conns, err := database.Open(ctx, url)
			if err != nil {
				return nil, err
			}
			f.mu.Lock()
			f.pools = append(f.pools, conns)
			f.mu.Unlock()
			st := store.New(conns, store.Config{})
			return &service.Database{Definitions: st, Rows: st.Workers, Close: conns.Close, Rest: func() { pool.Rest(conns) }}, nil
		}
		svc, err := service.New(service.Identity{Name: fmt.Sprintf("w%d", i), Role: metadata.Worker}, cfg)
		if err != nil {
			b.Fatal(err)
		}
		f.services, f.clocks = append(f.services, svc), append(f.clocks, now)
	}
	return f
}

// each steps all services at once, until each is done and has an answer from the database. A
// refused service tries again when the others have ended.
func (f *fleet) each(done func(*service.Service) bool) {
	f.Helper()
	left := make([]int, len(f.services))
	for i := range left {
		left[i] = i
	}
	for range 100 {
		var all sync.WaitGroup
		for _, i := range left {
			all.Go(func() {
				next, err := f.services[i].Settle(f.Context())
				if err != nil {
					f.Error(err)
				}
				f.clocks[i].advance(max(next.Sub(f.clocks[i].Now()), 0))
			})
		}
		all.Wait()
		left = slices.DeleteFunc(left, func(i int) bool { return done(f.services[i]) && !f.services[i].Away() })
		if len(left) == 0 {
			return
		}
	}
	f.Fatalf("%d of %d did not get a turn:\n%.4000s", len(left), len(f.services), f.log)
}

// live registers a fleet and runs it for a while.
func (f *fleet) live() {
	f.Helper()
	f.each(func(svc *service.Service) bool { return svc.Ready() == nil })
	f.active(len(f.services))
	for range 2 {
		f.each(func(*service.Service) bool { return true })
	}
	f.active(len(f.services))
}

func (f *fleet) active(want int) {
	f.Helper()
	rows, err := f.Workers.Select(f.Context(), store.Selection{Statuses: []schema.WorkerStatus{schema.WorkerActive}})
	if err != nil || len(rows) != want {
		f.Fatalf("%d rows are active, %v; want %d\n%s", len(rows), err, want, f.log)
	}
	for _, row := range rows {
		if len(row.Capabilities) == 0 || !strings.Contains(string(row.Capabilities), `"alpha", "beta"`) {
			f.Errorf("%s has %s", row.Name, row.Capabilities)
		}
	}
}

// TestHundredPools starts a hundred workers with their own pools in the same second, on a
// server with few connections, and checks that they leave room for others.
func TestHundredPools(t *testing.T) {
	server := testdb.Own(t, "max_connections=20")
	b := newHarness(t, server.Postgres())
	f := newFleet(b, 100, b.roles.Login(t, b.name+"-fleet", "attune_fleet"))
	f.live()
	for i, conns := range f.pools {
		if n := conns.Stats().OpenConnections; n != 0 {
			t.Errorf("pool %d holds %d connections between heartbeats", i, n)
		}
	}
	reader := b.roles.Login(t, b.name+"-reader", "attune_reader")
	for range 10 {
		opened(t, reader) // and holds it
	}
	t.Logf("%d times the server was full", strings.Count(b.log.String(), "database unavailable, retrying"))
	for _, svc := range f.services {
		svc.Leave(t.Context())
	}
	f.active(0)
}

// TestConnectionsAreGivenBack checks that idle connections are closed, or kept if configured.
func TestConnectionsAreGivenBack(t *testing.T) {
	t.Parallel()
	for idle, want := range map[time.Duration]int{0: 0, -1: 0, time.Hour: 1} {
		b := newHarness(t, testdb.Postgres(t))
		cfg := b.config()
		conns := opened(t, b.url)
		cfg.Open = func(context.Context) (*service.Database, error) {
			st := store.New(conns, store.Config{})
			return &service.Database{Definitions: st, Rows: st.Workers, Rest: func() { pool.Rest(conns) }}, nil
		}
		cfg.IdleTimeout = idle
		svc := b.start(cfg)
		for range 3 {
			next := b.step(svc)
			if got := conns.Stats().OpenConnections; got != want {
				t.Errorf("idle timeout %v: %d connections are held, want %d", idle, got, want)
			}
			b.clock.advance(next.Sub(b.clock.Now()))
		}
		b.has("alpha@1.0.0", "beta@2.0.0")
	}
}

// TestPooler runs services behind a pooler in statement and in transaction mode.
func TestPooler(t *testing.T) {
	t.Parallel()
	inSchemas(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		url := testdb.Pooler(t, b.url, 1)
		cfg := b.config()
		cfg.Open = opens(url, db.Schema)
		svc := b.start(cfg)
		b.step(svc)
		b.has("alpha@1.0.0", "beta@2.0.0")
		b.remove("alpha")
		b.install("beta", "echo beta 2.1.0")
		b.pass(svc, 2*round)
		b.has("beta@2.1.0")
		b.status(schema.WorkerActive)
		b.history("gained alpha", "gained beta", "lost alpha", "version_changed beta")
		// A pooler delivers no notifications; a subscription reads the changes anyway.
		conns := opened(t, url)
		seen := 0
		for c, err := range store.New(conns, store.Config{Schema: db.Schema}).Changes.Subscribe(t.Context(), 0, store.SubscribeConfig{Listen: pool.Listen(conns)}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == 4 {
				b.remove("beta") // what comes now is not there yet
				b.pass(svc, 2*round)
			}
			if seen == 5 {
				if c.Kind != schema.CapabilityLost {
					t.Errorf("the last change is %+v", c)
				}
				break
			}
		}
		if svc.Away() {
			t.Errorf("the database did not answer:\n%s", b.log)
		}
		svc.Leave(t.Context())
		b.status(schema.WorkerInactive)
	})
}

// TestFleetBehindPooler runs a hundred workers on two connections.
func TestFleetBehindPooler(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	f := newFleet(b, 100, testdb.Pooler(t, b.roles.Login(t, b.name+"-fleet", "attune_fleet"), 2))
	f.live()
	if log := b.log.String(); strings.Contains(log, "cannot be used") {
		t.Errorf("somebody was refused:\n%s", log)
	}
	for _, svc := range f.services {
		svc.Leave(t.Context())
	}
	f.active(0)
}
