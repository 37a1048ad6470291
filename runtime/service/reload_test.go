package service_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// reload gives the service another configuration and waits until it settles.
func (b *harness) reload(svc *service.Service, id service.Identity, cfg service.Config) {
	b.Helper()
	id.Name, id.Role = b.name, metadata.Worker
	if err := svc.Reload(id, cfg); err != nil {
		b.Fatal(err)
	}
	b.step(svc)
}

// declaring returns a configuration that declares these runtimes.
func (b *harness) declaring(strict bool, names ...string) service.Config {
	cfg := b.config()
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		return detect.New(defs, detect.Config{Declared: names, Strict: strict, Now: b.clock.Now, Getenv: func(string) string { return "" }})
	}
	return cfg
}

// TestReload changes the declared runtimes, the address and the heartbeat interval without a
// restart.
func TestReload(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		b.step(svc)
		first := b.row()

		cfg := b.declaring(false, "alpha")
		cfg.HeartbeatInterval = 20 * time.Second
		b.reload(svc, service.Identity{Type: schema.WorkerContainer, Host: "new.example", Port: 8080}, cfg)
		b.has("alpha")
		row := b.row()
		if row.ID != first.ID || *row.Instance != *first.Instance || row.WorkerType != schema.WorkerContainer ||
			*row.Host != "new.example" || *row.Port != 8080 || *row.HeartbeatInterval != 20 {
			t.Errorf("the row is %+v", row)
		}
		b.status(schema.WorkerActive)
		if svc.BeatAt().Sub(b.clock.Now()) < 15*time.Second {
			t.Errorf("the next heartbeat is due in %v, want about 20s", svc.BeatAt().Sub(b.clock.Now()))
		}
		b.pass(svc, 50*time.Second)
		if beat := b.row().LastHeartbeat; !beat.After(*row.LastHeartbeat) {
			t.Error("it beats no more")
		}
		b.reload(svc, service.Identity{}, b.config())
		b.has("alpha@1.0.0", "beta@2.0.0")
	})
}

// TestReloadWrong checks that an unusable configuration leaves the former one, whenever the
// service notices.
func TestReloadWrong(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	svc := b.start(b.config())
	b.step(svc)
	wrong := b.config()
	wrong.HeartbeatInterval = time.Millisecond
	if err := svc.Reload(service.Identity{Name: b.name, Role: metadata.Worker}, wrong); err == nil {
		t.Error("a heartbeat interval of a millisecond: no error")
	}
	if err := svc.Reload(service.Identity{Name: "other", Role: metadata.Worker}, b.config()); err == nil {
		t.Error("another name: no error")
	}
	wrong = b.config()
	wrong.Detector = func([]metadata.Definition, []string) (service.Detector, error) {
		return nil, errors.New("no such policy")
	}
	said := func(text string, times int) {
		t.Helper()
		if n := strings.Count(b.log.String(), text); n != times {
			t.Errorf("the log says %d times %q, want %d:\n%s", n, text, times, b.log)
		}
	}
	b.reload(svc, service.Identity{}, wrong)
	said("no such policy", 1)
	// Only a verification shows that a name is unknown.
	wrong = b.declaring(true, "alhpa")
	wrong.VerifyInterval = time.Hour
	b.reload(svc, service.Identity{Host: "wrong.example"}, wrong)
	said("the new configuration cannot be used", 2)
	said("alhpa", 1)
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.remove("alpha")
	b.pass(svc, round)
	b.has("beta@2.0.0")
	if row := b.row(); row.Status == nil || *row.Status != schema.WorkerActive {
		t.Errorf("the row is %+v", row)
	}
	// A later valid configuration applies.
	b.reload(svc, service.Identity{}, b.declaring(false, "alpha"))
	b.has("alpha")
	said("the new configuration cannot be used", 2)
}

// TestReloadWhileADetectionRuns checks that a reload waits for the end of a detection, whose
// result does not verify the new configuration.
func TestReloadWhileADetectionRuns(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg, h := b.holding()
	svc := b.start(cfg)
	b.step(svc)
	h.started, h.goOn = make(chan struct{}), make(chan struct{})
	svc.Refresh()
	if _, err := svc.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-h.started
	if err := svc.Reload(service.Identity{Name: b.name, Role: metadata.Worker}, b.declaring(true, "alhpa")); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(h.goOn)
	go func() { <-h.started }() // the one by what is taken back
	b.step(svc)
	b.has("alpha@1.0.0", "beta@2.0.0")
	if n := strings.Count(b.log.String(), "the new configuration cannot be used"); n != 1 {
		t.Errorf("it is taken back %d times, want once:\n%s", n, b.log)
	}
}
