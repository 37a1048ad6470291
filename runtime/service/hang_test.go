package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// held is a detector that waits for a signal.
type held struct {
	service.Detector
	started, goOn chan struct{}
}

func (h *held) Detect(ctx context.Context) (*capability.Document, error) {
	if h.goOn != nil {
		h.started <- struct{}{}
		select {
		case <-h.goOn:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return h.Detector.Detect(ctx)
}

// holding returns a configuration with a held detector.
func (b *harness) holding() (service.Config, *held) {
	cfg, h := b.config(), &held{}
	detector := cfg.Detector
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		var err error
		h.Detector, err = detector(defs, warnings)
		return h, err
	}
	return cfg, h
}

// TestHeartbeatsWhileADetectionRuns checks that heartbeats continue during a long detection,
// and that a refresh requested meanwhile follows it.
func TestHeartbeatsWhileADetectionRuns(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg, h := b.holding()
	svc := b.start(cfg)
	b.step(svc)
	h.started, h.goOn = make(chan struct{}), make(chan struct{})
	svc.Refresh()
	step := func() {
		t.Helper()
		if _, err := svc.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step()
	<-h.started
	for range 3 {
		before := svc.BeatAt()
		b.clock.advance(12 * time.Second)
		step()
		if !svc.BeatAt().After(before) {
			t.Fatal("no heartbeat while a detection runs")
		}
	}
	if err := svc.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	svc.Refresh()
	step()
	close(h.goOn)
	go func() { <-h.started }() // the one that was asked for meanwhile
	b.step(svc)
	b.remove("alpha")
	h.goOn = nil
	svc.Refresh()
	b.step(svc)
	b.has("beta@2.0.0")
}

// deaf is Rows that loses the answer of a registration.
type deaf struct{ service.Rows }

func (d deaf) Register(ctx context.Context, r store.Registration) (*schema.Worker, []schema.CapabilityChange, error) {
	if _, _, err := d.Rows.Register(ctx, r); err != nil {
		return nil, nil, err
	}
	return nil, nil, context.DeadlineExceeded
}

// TestLeaveAfterALostAnswer checks that the row of a registration without an answer does not
// stay active.
func TestLeaveAfterALostAnswer(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		cfg := b.config()
		cfg.Open = func(context.Context) (*service.Database, error) {
			return &service.Database{Definitions: b.own, Rows: deaf{b.own.Workers}}, nil
		}
		svc := b.start(cfg)
		b.step(svc)
		b.status(schema.WorkerActive)
		svc.Leave(t.Context())
		b.status(schema.WorkerInactive)
	})
}

// TestLeaveWhileADetectionRuns checks that leaving ends the detection.
func TestLeaveWhileADetectionRuns(t *testing.T) {
	b := newHarness(t, testdb.SQLite(t))
	b.install("alpha", "exec /bin/sleep 1000")
	svc := b.start(b.config())
	if _, err := svc.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	svc.Leave(t.Context())
	if u := measure(t); u.children != 0 {
		t.Errorf("%d children are left", u.children)
	}
}
