package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// onTheClock is Rows of a database whose time follows the harness's clock.
type onTheClock struct {
	service.Rows
	*clock
}

func (r onTheClock) ahead() time.Duration { return time.Until(r.Now()) }

func (r onTheClock) Register(ctx context.Context, reg store.Registration) (*schema.Worker, []schema.CapabilityChange, error) {
	row, changes, err := r.Rows.Register(ctx, reg)
	if err == nil {
		at := row.LastHeartbeat.Add(r.ahead())
		row.LastHeartbeat = &at
	}
	return row, changes, err
}

func (r onTheClock) Heartbeat(ctx context.Context, id int64, instance string) (store.Beat, error) {
	beat, err := r.Rows.Heartbeat(ctx, id, instance)
	beat.At = beat.At.Add(r.ahead())
	return beat, err
}

func (r onTheClock) SweepBatch(ctx context.Context, every time.Duration, span store.HeartbeatSpan) ([]store.InactiveWorker, bool, error) {
	if span == (store.HeartbeatSpan{}) {
		return nil, false, fmt.Errorf("a sweep by nobody's span")
	}
	span.Since, span.Until = span.Since.Add(-r.ahead()), span.Until.Add(-r.ahead())
	return r.Rows.SweepBatch(ctx, every, span)
}

// silent registers a worker whose last heartbeat is old.
func (b *harness) silent(name string, interval int, long string) *schema.Worker {
	b.Helper()
	doc, err := json.Marshal(&capability.Document{Format: capability.Format})
	if err != nil {
		b.Fatal(err)
	}
	row, _, err := b.Workers.Register(b.Context(), store.Registration{
		Name: name, Role: metadata.Sensor, Instance: new("gone"), HeartbeatInterval: &interval, Capabilities: &store.Capabilities{Document: doc},
	})
	if err == nil {
		_, err = b.db.NewRaw("UPDATE worker SET last_heartbeat = last_heartbeat - ?::interval WHERE id = ?", long, row.ID).Exec(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return row
}

// sweeping returns a service on the harness's clock that verifies once a day.
func (b *harness) sweeping() *service.Service {
	b.Helper()
	cfg := b.config()
	cfg.VerifyInterval = 24 * time.Hour
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.own, Rows: onTheClock{b.own.Workers, b.clock}}, nil
	}
	return b.start(cfg)
}

// TestSweep checks that services mark stale workers inactive, however rarely they verify.
func TestSweep(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	svc := b.sweeping()
	b.step(svc)
	dead := b.silent("dead", 5, "1 hour")
	b.pass(svc, 66*time.Second) // six heartbeats
	row, err := b.Workers.Get(t.Context(), dead.ID)
	if err != nil || *row.Status != schema.WorkerInactive {
		t.Errorf("the dead sensor is %s, %v", *row.Status, err)
	}
	b.status(schema.WorkerActive)
	if !strings.Contains(b.log.String(), "worker=dead") {
		t.Errorf("nothing was said:\n%s", b.log)
	}
}

// batches notes how many workers each use of the database swept, and the heartbeats between.
type batches struct {
	service.Rows
	sizes *[]int
	beats *int
}

func (r batches) SweepBatch(ctx context.Context, every time.Duration, span store.HeartbeatSpan) ([]store.InactiveWorker, bool, error) {
	swept, more, err := r.Rows.SweepBatch(ctx, every, span)
	*r.sizes = append(*r.sizes, len(swept))
	return swept, more, err
}

func (r batches) Heartbeat(ctx context.Context, id int64, instance string) (store.Beat, error) {
	*r.beats++
	return r.Rows.Heartbeat(ctx, id, instance)
}

// TestSweepOfManyWorkers checks that a service sweeps a mass of workers in one go, one batch
// with each use of the database, and sends its heartbeats meanwhile.
func TestSweepOfManyWorkers(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	var sizes []int
	beats := 0
	cfg := b.config()
	cfg.VerifyInterval = 24 * time.Hour
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: b.own, Rows: batches{onTheClock{b.own.Workers, b.clock}, &sizes, &beats}}, nil
	}
	svc := b.start(cfg)
	b.step(svc)
	values := strings.TrimSuffix(strings.Repeat("('w', 'local', 'active', 1, now() - interval '1 hour'), ", 1203), ", ")
	if _, err := b.db.ExecContext(t.Context(), "INSERT INTO worker (name, worker_type, status, heartbeat_interval, last_heartbeat) VALUES "+values); err != nil {
		t.Fatal(err)
	}
	for step := 0; len(sizes) < 3; step++ {
		if step == 1000 {
			t.Fatalf("swept %v in %d steps\n%s", sizes, step, b.log)
		}
		before, late := len(sizes), beats
		next := b.step(svc)
		if len(sizes) > before+1 {
			t.Fatalf("one step swept %d batches", len(sizes)-before)
		}
		if len(sizes) > before && sizes[before] == 500 {
			if next.After(b.clock.Now()) {
				t.Errorf("after a full batch the next step is due in %v, want at once", next.Sub(b.clock.Now()))
			}
			b.clock.advance(11 * time.Second) // a batch takes long: a heartbeat is due
			before := len(sizes)
			b.step(svc)
			if beats == late || len(sizes) != before+1 {
				t.Errorf("a step while sweeping: %d heartbeats, %d batches; want one of each", beats-late, len(sizes)-before)
			}
			continue
		}
		b.clock.advance(next.Sub(b.clock.Now()))
	}
	for len(sizes) > 0 && sizes[0] == 0 { // before there was anything to sweep
		sizes = sizes[1:]
	}
	for range 10 {
		next := b.step(svc)
		b.clock.advance(next.Sub(b.clock.Now()))
	}
	if got := fmt.Sprint(sizes[:3]); got != "[500 500 203]" {
		t.Errorf("batches of %v", sizes)
	}
	for _, progress := range []string{"workers=500 in_this_sweep=500 more=true", "workers=500 in_this_sweep=1000 more=true", "workers=203 in_this_sweep=1203 more=false"} {
		if !strings.Contains(b.log.String(), progress) {
			t.Errorf("the log lacks %q:\n%s", progress, b.log)
		}
	}
}

// TestSweepAfterAGap checks that a service that was suspended, or had no database, does not
// judge others by that time.
func TestSweepAfterAGap(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	svc := b.sweeping()
	b.pass(svc, 10*time.Minute)
	slow := b.silent("slow", 60, "1 hour")
	b.clock.advance(time.Hour)
	status := func() schema.WorkerStatus {
		t.Helper()
		// No other sweep was a moment ago.
		if _, err := b.db.ExecContext(t.Context(), "UPDATE worker_sweep SET swept = '1970-01-01'"); err != nil {
			t.Fatal(err)
		}
		row, err := b.Workers.Get(t.Context(), slow.ID)
		if err != nil {
			t.Fatal(err)
		}
		return *row.Status
	}
	for range 12 {
		b.pass(svc, 15*time.Second)
		if got := status(); got != schema.WorkerActive {
			t.Fatalf("it is %s, although the span does not cover three of its intervals\n%s", got, b.log)
		}
	}
	for range 6 {
		b.pass(svc, 15*time.Second)
	}
	status()
	b.pass(svc, time.Minute)
	if got := status(); got != schema.WorkerInactive {
		t.Errorf("it is %s\n%s", got, b.log)
	}
}

// TestFleetOutlivesPostgres checks that an outage of the server makes no running worker
// inactive, and that dead ones become inactive afterwards. It runs in real time, and only
// beside itself.
func TestFleetOutlivesPostgres(t *testing.T) {
	for name, outage := range map[string]struct{ stop, run func(*testdb.Server) }{
		"stopped": {(*testdb.Server).Stop, (*testdb.Server).Start},
		"crashed": {(*testdb.Server).Crash, (*testdb.Server).Start},
		"frozen":  {(*testdb.Server).Freeze, (*testdb.Server).Thaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testdb.Own(t)
			outlive(t, server, func() { outage.stop(server) }, func() { outage.run(server) })
		})
	}
}

func outlive(t *testing.T, server *testdb.Server, stop, run func()) {
	db := server.Postgres()
	b := newHarness(t, db)
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE made_inactive (name text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.made_inactive VALUES (NEW.name); RETURN NULL; END $$;
		CREATE TRIGGER note AFTER UPDATE OF status ON worker FOR EACH ROW WHEN (NEW.status = 'inactive') EXECUTE FUNCTION note()`); err != nil {
		t.Fatal(err)
	}
	cfg := b.config()
	cfg.Now, cfg.Random = nil, nil
	cfg.HeartbeatInterval, cfg.VerifyInterval, cfg.StatementTimeout = time.Second, time.Second, shortTimeout
	cfg.Open = opens(b.roles.Login(t, b.name+"-fleet", "attune_fleet"), db.Schema)
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		return detect.New(defs, detect.Config{Declared: []string{"alpha", "beta"}, Getenv: func(string) string { return "" }})
	}
	ctx, end := context.WithCancel(t.Context())
	var all sync.WaitGroup
	fleet := make([]*service.Service, 6)
	for i := range fleet {
		cfg.Logger = slog.New(slog.NewTextHandler(b.log, nil)).With("worker", i)
		svc, err := service.New(service.Identity{Name: fmt.Sprintf("f%d", i), Role: metadata.Worker}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		fleet[i] = svc
		all.Go(func() {
			if err := svc.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	defer all.Wait()
	defer end()
	for _, svc := range fleet {
		b.wait("it is ready", func() bool { return svc.Ready() == nil })
	}
	// It dies with the outage.
	b.silent("dead", 1, "0 seconds")
	stop()
	for _, svc := range fleet {
		b.wait("it is ready no more", func() bool { return svc.Ready() != nil })
	}
	run()
	for _, svc := range fleet {
		b.wait("it is ready again", func() bool { return svc.Ready() == nil })
	}
	var names []string
	b.wait("the dead one is swept", func() bool {
		names = nil
		return db.NewRaw("SELECT name FROM made_inactive").Scan(t.Context(), &names) == nil && len(names) > 0
	})
	if got := strings.Join(names, " "); got != "dead" {
		t.Errorf("made inactive: %s; want the dead one\n%s", got, b.log)
	}
}

// wait waits until something is so, in real time.
func (b *harness) wait(what string, is func() bool) {
	b.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("not so: %s\n%s", what, b.log)
		}
	}
}
