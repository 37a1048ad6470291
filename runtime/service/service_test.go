package service_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// TestLife is a service from its first step to its last.
func TestLife(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		if err := svc.Ready(); err == nil {
			t.Error("ready before it is registered")
		}
		b.step(svc)
		b.has("alpha@1.0.0", "beta@2.0.0")
		b.status(schema.WorkerActive)
		b.history("gained alpha", "gained beta")
		first := b.row()
		if first.Instance == nil || first.HeartbeatInterval == nil || *first.HeartbeatInterval != 10 || first.LastHeartbeat == nil {
			t.Fatalf("registered: %+v", first)
		}
		if err := svc.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}

		b.pass(svc, 12*time.Second)
		second := b.row()
		if !second.LastHeartbeat.After(*first.LastHeartbeat) {
			t.Errorf("no heartbeat: %v, then %v", first.LastHeartbeat, second.LastHeartbeat)
		}
		if !second.Updated.Equal(first.Updated) {
			t.Errorf("a heartbeat changed more than itself")
		}
		svc.Leave(t.Context())
		b.status(schema.WorkerInactive)
		if err := svc.Ready(); err == nil {
			t.Error("ready when it has left")
		}
	})
}

// TestRun is the loop itself, with the clock of the machine.
func TestRun(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg := b.config()
	cfg.Now = nil
	cfg.Logger = nil
	cfg.Metrics = nil
	registered := make(chan struct{}, 1)
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.Store, Rows: announced{b.Workers, registered}}, nil
	}
	svc := b.start(cfg)
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	select {
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	case <-registered:
	}
	b.status(schema.WorkerActive)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("an end that was asked for: %v", err)
	}
	b.status(schema.WorkerInactive)
}

// announced tells when a row is registered.
type announced struct {
	service.Rows
	registered chan struct{}
}

func (a announced) Register(ctx context.Context, r store.Registration) (*schema.Worker, []schema.CapabilityChange, error) {
	row, changes, err := a.Rows.Register(ctx, r)
	a.registered <- struct{}{}
	return row, changes, err
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	for name, change := range map[string]func(*service.Config){
		"heartbeat interval of half a second": func(c *service.Config) { c.HeartbeatInterval = 500 * time.Millisecond },
		"heartbeat interval with a fraction":  func(c *service.Config) { c.HeartbeatInterval = 1500 * time.Millisecond },
		"negative verify interval":            func(c *service.Config) { c.VerifyInterval = -time.Second },
		"no full rounds":                      func(c *service.Config) { c.FullEvery = -1 },
		"no host":                             func(c *service.Config) { c.Host = nil },
	} {
		cfg := b.config()
		change(&cfg)
		var wrong *service.ConfigError
		if _, err := service.New(service.Identity{Name: "w", Role: "worker"}, cfg); !errors.As(err, &wrong) {
			t.Errorf("%s: got %v, want a ConfigError", name, err)
		}
	}
	if _, err := service.New(service.Identity{Role: "worker"}, b.config()); err == nil {
		t.Error("no name: no error")
	}
}
