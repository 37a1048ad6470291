package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// until steps a service on its clock until it ends.
func (b *harness) until(svc *service.Service, limit time.Duration) error {
	b.Helper()
	end := b.clock.Now().Add(limit)
	for b.clock.Now().Before(end) {
		next, err := svc.Settle(b.Context())
		if err != nil {
			return err
		}
		b.clock.advance(max(next.Sub(b.clock.Now()), time.Millisecond))
	}
	b.Fatalf("it has not ended in %v\n%s", limit, b.log)
	return nil
}

// TestTwoOfOneName checks that a second service waits for three heartbeat intervals and ends.
func TestTwoOfOneName(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		first := b.start(b.config())
		b.step(first)
		instance := *b.row().Instance

		second := b.start(b.config())
		from := b.clock.Now()
		err := b.until(second, time.Hour)
		if !errors.Is(err, store.ErrLive) {
			t.Fatalf("got %v, want store.ErrLive", err)
		}
		for _, part := range []string{`worker "` + b.name + `"`, instance} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if said := err.Error() + b.log.String(); strings.Contains(said, "--") {
			t.Errorf("it names a flag:\n%s", said)
		}
		if waited := b.clock.Now().Sub(from); waited < 30*time.Second || waited > 35*time.Second {
			t.Errorf("it waited for %v, want three intervals of 10s", waited)
		}
		second.Leave(t.Context())
		b.step(first)
		if row := b.row(); *row.Instance != instance || *row.Status != schema.WorkerActive {
			t.Errorf("the row is instance %s, %s", *row.Instance, *row.Status)
		}
	})
}

// TestKilled checks that a killed service is replaced once its heartbeats are missed.
func TestKilled(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	first := b.start(b.config())
	b.step(first)
	id := b.row().ID
	second := b.start(b.config())
	b.step(second) // and waits
	if got := *b.row().Instance; !strings.Contains(b.log.String(), "waiting for it to end") {
		t.Fatalf("instance %s; the log does not say that it waits:\n%s", got, b.log)
	}
	b.forget()
	b.pass(second, 10*time.Second)
	if row := b.row(); row.ID != id || *row.Status != schema.WorkerActive {
		t.Errorf("row %d is %s, want row %d, active", row.ID, *row.Status, id)
	}
	// The first one was only slow.
	b.clock.advance(time.Minute)
	if _, err := first.Settle(t.Context()); !errors.Is(err, store.ErrLive) {
		t.Errorf("the first goes on: %v", err)
	}
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		first := b.start(b.config())
		b.step(first)
		cfg := b.config()
		cfg.Takeover = true
		second := b.start(cfg)
		b.step(second)
		b.clock.advance(time.Minute)
		_, err := first.Settle(t.Context())
		if !errors.Is(err, store.ErrLive) || !strings.Contains(err.Error(), "another process has taken the name:") || strings.Contains(err.Error(), "--") {
			t.Errorf("the first: %v", err)
		}
		if log := b.log.String(); strings.Contains(log, "registering again") || !strings.Contains(log, "another process took the row; ending, unless it has ended") {
			t.Errorf("the first ends, and its log says:\n%s", log)
		}
		first.Leave(t.Context())
		b.status(schema.WorkerActive)
		b.step(second)
	})
}

// TestHostClock checks that no decision depends on a host's clock, which is an hour off.
func TestHostClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *testdb.DB) {
				b := newHarness(t, db)
				b.clock.advance(off)
				svc := b.start(b.config())
				b.step(svc)
				b.pass(svc, 2*round)
				row := b.row()
				if age := time.Since(*row.LastHeartbeat); age.Abs() > 10*time.Minute {
					t.Errorf("the last heartbeat is %v old", age)
				}
				list, err := b.WorkerRuntimes.ByWorker(t.Context(), row.ID)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range list {
					if age := time.Since(*r.VerifiedAt); age.Abs() > 10*time.Minute {
						t.Errorf("%s was verified %v ago", r.Name, age)
					}
				}
				if swept, err := b.Workers.Sweep(t.Context(), 0, store.HeartbeatSpan{}); err != nil || len(swept) > 0 {
					t.Errorf("swept: %v, %v", swept, err)
				}
				b.status(schema.WorkerActive)
				b.has("alpha@1.0.0", "beta@2.0.0")
			})
		})
	}
}

// TestHundredAtOnce checks that services that start in one second spread their heartbeats.
func TestHundredAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		cfg := b.config()
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		cfg.Random = func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() }
		declared := detect.Config{Declared: []string{"alpha", "beta"}, Now: b.clock.Now, Getenv: func(string) string { return "" }}
		cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return detect.New(defs, declared)
		}
		cfg.StatementTimeout = time.Minute
		if b.roles != nil { // one login for all of them
			shared := store.New(opened(t, b.roles.Login(t, b.name+"-fleet", "attune_fleet")), store.Config{Schema: db.Schema})
			cfg.Open = func(context.Context) (*service.Database, error) {
				return &service.Database{Definitions: shared, Rows: shared.Workers}, nil
			}
		}
		var all sync.WaitGroup
		services := make([]*service.Service, 100)
		for i := range services {
			svc, err := service.New(service.Identity{Name: fmt.Sprintf("w%d", i), Role: metadata.Worker}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			services[i] = svc
			all.Go(func() {
				if _, err := svc.Settle(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		rows, err := b.Workers.Select(t.Context(), store.Selection{Statuses: []schema.WorkerStatus{schema.WorkerActive}})
		if err != nil || len(rows) != len(services) {
			t.Fatalf("%d rows, %v; want %d\n%s", len(rows), err, len(services), b.log)
		}
		seconds := map[int]int{}
		for _, svc := range services {
			seconds[int(svc.BeatAt().Sub(b.clock.Now())/time.Second)]++
		}
		for second, n := range seconds {
			if n > 25 || second < 0 || second >= 10 {
				t.Errorf("%d first heartbeats in second %d of 10: %v", n, second, seconds)
			}
		}
	})
}
