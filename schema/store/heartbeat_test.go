package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// silent moves the last heartbeat of a worker back.
func silent(t *testing.T, e env, id int64, seconds int) {
	t.Helper()
	then := fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', '-%d seconds')", seconds)
	if e.postgres {
		then = fmt.Sprintf("CURRENT_TIMESTAMP - interval '%d seconds'", seconds)
	}
	e.exec(t, "UPDATE {schema}.worker SET last_heartbeat = "+then+" WHERE id = ?", id)
}

func statusOf(t *testing.T, e env, id int64) schema.WorkerStatus {
	t.Helper()
	w, err := e.Workers.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return *w.Status
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		w := running(t, e, "host-1", row("core.python", "python", "3.12", "/usr/bin/python3"))
		backdate(t, e, "worker")
		silent(t, e, w.ID, 60)
		before, _ := e.Workers.Get(ctx, w.ID)
		beat, err := e.Workers.Heartbeat(ctx, w.ID, "i1")
		if err != nil || beat.Revived || beat.RefreshRequested != nil {
			t.Fatalf("got %+v, %v", beat, err)
		}
		after, _ := e.Workers.Get(ctx, w.ID)
		if age := after.LastHeartbeat.Sub(*before.LastHeartbeat); age < 50*time.Second || age > 70*time.Second {
			t.Errorf("the heartbeat moved by %v, want a minute", age)
		}
		if !beat.At.Equal(*after.LastHeartbeat) {
			t.Errorf("it arrived at %v, and the row says %v", beat.At, *after.LastHeartbeat)
		}
		after.LastHeartbeat = before.LastHeartbeat
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("a heartbeat changed more than itself:\n%s", diff)
		}

		// Made inactive, it is active with the next heartbeat.
		for _, status := range []string{"'inactive'", "NULL"} {
			e.exec(t, "UPDATE {schema}.worker SET status = "+status)
			if beat, err := e.Workers.Heartbeat(ctx, w.ID, "i1"); err != nil || !beat.Revived || beat.At.IsZero() || statusOf(t, e, w.ID) != schema.WorkerActive {
				t.Errorf("status %s: got %+v, %v", status, beat, err)
			}
		}
		// A heartbeat keeps a status that the platform set.
		for _, status := range []schema.WorkerStatus{schema.WorkerBusy, schema.WorkerError} {
			if _, err := e.Workers.Update(ctx, w.ID, store.WorkerChanges{Status: metadata.Some(&status)}); err != nil {
				t.Fatal(err)
			}
			if beat, err := e.Workers.Heartbeat(ctx, w.ID, "i1"); err != nil || beat.Revived || statusOf(t, e, w.ID) != status {
				t.Errorf("status %s: got %+v, %v, and it is %s", status, beat, err, statusOf(t, e, w.ID))
			}
		}

		_, err = e.Workers.Heartbeat(ctx, w.ID, "i2")
		wantError(t, err, "superseded", fmt.Sprintf("beat for worker %d: superseded by instance i1", w.ID))
		_, err = e.Workers.Heartbeat(ctx, 99, "i1")
		wantError(t, err, "not found", "beat for worker 99: not found")
		wantError(t, e.Workers.Deactivate(ctx, w.ID, "i2"), "superseded", fmt.Sprintf("deactivate worker %d: superseded by instance i1", w.ID))
		if err := e.Workers.Deactivate(ctx, w.ID, "i1"); err != nil || statusOf(t, e, w.ID) != schema.WorkerInactive {
			t.Errorf("deactivate: %v, and it is %s", err, statusOf(t, e, w.ID))
		}
		_, err = e.Workers.Heartbeat(ctx, w.ID, "i1")
		wantError(t, err, "superseded", fmt.Sprintf("beat for worker %d: superseded: the row has no instance", w.ID))
		wantError(t, e.Workers.Deactivate(ctx, 99, "i1"), "not found", "deactivate worker 99: not found")
	})
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		a, b := running(t, e, "a"), running(t, e, "b")
		if n, err := e.Workers.RequestRefresh(t.Context(), a.ID, 99); err != nil || n != 1 {
			t.Errorf("asked %d workers, %v; want 1", n, err)
		}
		if n, err := e.Workers.RequestRefresh(t.Context()); err != nil || n != 0 {
			t.Errorf("asked %d workers, %v; want none", n, err)
		}
		beat, err := e.Workers.Heartbeat(t.Context(), a.ID, "i1")
		if err != nil || beat.RefreshRequested == nil || time.Since(*beat.RefreshRequested).Abs() > time.Hour {
			t.Errorf("the one that was asked: %+v, %v", beat, err)
		}
		again, err := e.Workers.Heartbeat(t.Context(), a.ID, "i1")
		if diff := cmp.Diff(beat.RefreshRequested, again.RefreshRequested); err != nil || diff != "" {
			t.Errorf("the next heartbeat: %v\n%s", err, diff)
		}
		if other, err := e.Workers.Heartbeat(t.Context(), b.ID, "i1"); err != nil || other.RefreshRequested != nil {
			t.Errorf("the one that was not: %+v, %v", other, err)
		}
	})
}

func TestTwoInstancesOfOneName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		python := row("core.python", "python", "3.12", "/usr/bin/python3")
		w := running(t, e, "host-1", python)
		second := store.Registration{Name: "host-1", Role: metadata.Worker, Host: ptr("other"), Instance: ptr("i2"), HeartbeatInterval: ptr(5), Capabilities: found(t)}
		_, _, err := e.Workers.Register(ctx, second)
		wantError(t, err, "live", `register worker "action/host-1": already running: instance i1 sent its last heartbeat `)
		var live *store.LiveError
		if !errors.As(err, &live) || live.Identity != "action/host-1" || live.Instance != "i1" || live.Interval != 30*time.Second || live.Age < 0 || live.Age > time.Minute {
			t.Errorf("got %+v", live)
		}
		// Nor may a registration without an instance: what is written must be what
		// the service sees.
		_, _, err = e.Workers.Register(ctx, store.Registration{Name: "host-1", Role: metadata.Worker, Capabilities: found(t)})
		wantError(t, err, "live", `register worker "action/host-1": already running: `)
		if rows, err := e.WorkerRuntimes.ByWorker(ctx, w.ID); err != nil || len(rows) != 1 || statusOf(t, e, w.ID) != schema.WorkerActive {
			t.Errorf("refused registrations left %v, %v and %s", shown(rows), err, statusOf(t, e, w.ID))
		}
		// The other role is another worker, and the same instance may say it again.
		if _, _, err := e.Workers.Register(ctx, store.Registration{Name: "host-1", Role: metadata.Sensor, Instance: ptr("i2"), HeartbeatInterval: ptr(5)}); err != nil {
			t.Error(err)
		}
		running(t, e, "host-1", python)

		silent(t, e, w.ID, 89)
		_, _, err = e.Workers.Register(ctx, second)
		wantError(t, err, "live", `register worker "action/host-1": already running: `)
		silent(t, e, w.ID, 90)
		taken, changes, err := e.Workers.Register(ctx, second)
		if err != nil || taken.ID != w.ID || *taken.Instance != "i2" || *taken.Status != schema.WorkerActive || len(changes) != 1 {
			t.Fatalf("the row of one that was killed: %+v, %v, %v", taken, describe(changes), err)
		}
		_, err = e.Workers.Heartbeat(ctx, w.ID, "i1")
		wantError(t, err, "superseded", fmt.Sprintf("beat for worker %d: superseded by instance i2", w.ID))

		third := store.Registration{Name: "host-1", Role: metadata.Worker, Instance: ptr("i3"), HeartbeatInterval: ptr(5), Takeover: true}
		if _, _, err := e.Workers.Register(ctx, third); err != nil {
			t.Errorf("taking over: %v", err)
		}
		_, err = e.Workers.Heartbeat(ctx, w.ID, "i2")
		wantError(t, err, "superseded", fmt.Sprintf("beat for worker %d: superseded by instance i3", w.ID))
		// One that ended by itself leaves at once.
		if err := e.Workers.Deactivate(ctx, w.ID, "i3"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.Workers.Register(ctx, second); err != nil {
			t.Errorf("after the end of the other: %v", err)
		}
	})
}

// TestOneOfManyInstances starts many instances under one name. One gets the row, and the
// others get ErrLive.
func TestOneOfManyInstances(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		const processes = 12
		e.SetMaxOpenConns(processes)
		var errs [processes]error
		var done sync.WaitGroup
		for n := range processes {
			done.Go(func() {
				_, _, errs[n] = e.Workers.Register(t.Context(), store.Registration{
					Name: "host-1", Role: metadata.Worker, Instance: ptr(fmt.Sprint(n)), HeartbeatInterval: ptr(30),
					Capabilities: found(t, row("core.python", "python", fmt.Sprintf("3.%d", n), "/usr/bin/python3")),
				})
			})
		}
		done.Wait()
		winner := -1
		for n, err := range errs {
			if err == nil {
				if winner >= 0 {
					t.Errorf("%d and %d both got the row", winner, n)
				}
				winner = n
			} else if !errors.Is(err, store.ErrLive) {
				t.Errorf("%d: %v, want ErrLive", n, err)
			}
		}
		if winner < 0 {
			t.Fatal("nobody got the row")
		}
		w, err := e.Workers.ByIdentity(t.Context(), metadata.Worker, "host-1")
		if err != nil || *w.Instance != fmt.Sprint(winner) {
			t.Errorf("the row is %+v, %v; want instance %d", w, err, winner)
		}
		rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
		if want := []string{fmt.Sprintf("core.python available 3.%d.0 /usr/bin/python3", winner)}; err != nil || !slices.Equal(shown(rows), want) {
			t.Errorf("the rows are %v, %v; want %v", shown(rows), err, want)
		}
	})
}

// stale adds workers, makes every second one stale and returns the names of those.
func stale(t *testing.T, e env, n int) (want []string) {
	t.Helper()
	for i := range n {
		w := running(t, e, fmt.Sprintf("host-%03d", i), row("core.python", "python", "3.12", "/usr/bin/python3"))
		if i%2 == 0 {
			silent(t, e, w.ID, 90)
			want = append(want, w.Name)
		}
	}
	return want
}

func TestSweep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		want := stale(t, e, 6)
		// A worker without an interval is not judged.
		e.exec(t, addLegacy, "legacy", "action", "h", "2020-01-01 00:00:00.000+00:00")
		e.exec(t, "UPDATE {schema}.worker SET last_heartbeat = created WHERE name = 'legacy'")
		e.exec(t, "UPDATE {schema}.worker SET status = 'busy' WHERE name = 'host-002'")
		e.exec(t, "UPDATE {schema}.worker SET status = 'error' WHERE name = 'host-004'")
		want = slices.DeleteFunc(want, func(name string) bool { return name == "host-004" })

		swept, err := e.Workers.Sweep(ctx, time.Minute, store.HeartbeatSpan{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range swept {
			names = append(names, s.Name)
			if s.WorkerRole != schema.RoleAction || time.Since(s.LastHeartbeat) < 80*time.Second || statusOf(t, e, s.ID) != schema.WorkerInactive {
				t.Errorf("%+v", s)
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("swept (-want +got):\n%s", diff)
		}
		// The next one's turn has not come; a clock that was set back does not
		// keep it from coming.
		silent(t, e, swept[0].ID+1, 90)
		if again, err := e.Workers.Sweep(ctx, time.Minute, store.HeartbeatSpan{}); err != nil || len(again) != 0 {
			t.Errorf("a second sweep at once: %v, %v", again, err)
		}
		e.exec(t, "UPDATE {schema}.worker_sweep SET swept = '2999-01-01 00:00:00.000+00:00'")
		if again, err := e.Workers.Sweep(ctx, time.Minute, store.HeartbeatSpan{}); err != nil || len(again) != 1 {
			t.Errorf("a sweep after the clock was set back: %v, %v", again, err)
		}
		// A swept worker that was only slow is back with its next heartbeat.
		if beat, err := e.Workers.Heartbeat(ctx, swept[0].ID, "i1"); err != nil || !beat.Revived {
			t.Errorf("got %+v, %v", beat, err)
		}
	})
}

// TestSweepBySpan checks that a sweep judges only workers whose intervals lie in the span.
func TestSweepBySpan(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		running(t, e, "alive")
		silent(t, e, running(t, e, "silent").ID, 120) // of an interval of 30 s, as "alive"
		silent(t, e, running(t, e, "long").ID, 1800)
		slow := running(t, e, "slow")
		e.exec(t, "UPDATE {schema}.worker SET heartbeat_interval = 600 WHERE id = ?", slow.ID)
		silent(t, e, slow.ID, 7200)
		var now time.Time
		if err := e.NewRaw(e.sql("SELECT last_heartbeat FROM {schema}.worker WHERE name = 'alive'")).Scan(t.Context(), &now); err != nil {
			t.Fatal(err)
		}
		ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
		for _, step := range []struct {
			span store.HeartbeatSpan
			want []string
		}{
			{store.HeartbeatSpan{Since: now, Until: now}, nil},
			{store.HeartbeatSpan{Since: ago(80), Until: now}, nil},
			{store.HeartbeatSpan{Since: now, Until: now.Add(time.Hour)}, nil}, // which has not come
			{store.HeartbeatSpan{Since: ago(300), Until: ago(100)}, []string{"long"}},
			{store.HeartbeatSpan{Since: ago(100), Until: now}, []string{"silent"}},
			{store.HeartbeatSpan{Since: ago(1700), Until: now}, nil},
			{store.HeartbeatSpan{Since: ago(1900), Until: now}, []string{"slow"}},
			{store.HeartbeatSpan{Since: ago(86400), Until: now.Add(time.Hour)}, nil},
		} {
			swept, err := e.Workers.Sweep(t.Context(), 0, step.span)
			var names []string
			for _, s := range swept {
				names = append(names, s.Name)
			}
			if err != nil || !slices.Equal(names, step.want) {
				t.Errorf("the span from %v to %v swept %q, %v; want %q", step.span.Since.Sub(now), step.span.Until.Sub(now), names, err, step.want)
			}
		}
	})
}

// TestSweepsAtOnce calls Sweep from many processes at once; one of them sweeps.
func TestSweepsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		const processes = 10
		want := stale(t, e, 8)
		e.SetMaxOpenConns(processes)
		var got [processes][]store.InactiveWorker
		var done sync.WaitGroup
		for n := range processes {
			done.Go(func() {
				var err error
				if got[n], err = e.Workers.Sweep(t.Context(), time.Hour, store.HeartbeatSpan{}); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		sweepers := 0
		for _, swept := range got {
			if len(swept) > 0 {
				sweepers++
				if len(swept) != len(want) {
					t.Errorf("one swept %d workers, want all %d", len(swept), len(want))
				}
			}
		}
		if sweepers != 1 {
			t.Errorf("%d processes swept, want 1", sweepers)
		}
	})
}

// TestSweepWaitsForNobody checks that Sweep waits neither for another sweep nor for a row
// that is being written.
func TestSweepWaitsForNobody(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	want := stale(t, e, 4)
	blocked, err := e.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocked.Rollback() }()
	lock := func(sql string) {
		t.Helper()
		if _, err := blocked.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	e.exec(t, "SET lock_timeout = '10s'")
	lock("SELECT * FROM attune.worker WHERE name = 'host-000' FOR UPDATE")
	swept, err := e.Workers.Sweep(t.Context(), 0, store.HeartbeatSpan{})
	if err != nil || len(swept) != 1 || swept[0].Name != want[1] {
		t.Errorf("beside a locked worker: %+v, %v; want %s", swept, err, want[1])
	}
	lock("SELECT * FROM attune.worker_sweep FOR UPDATE")
	if swept, err := e.Workers.Sweep(t.Context(), 0, store.HeartbeatSpan{}); err != nil || len(swept) != 0 {
		t.Errorf("beside another sweep: %+v, %v", swept, err)
	}
}

// TestSweepOfManyWorkers checks that a sweep in several batches returns each worker once.
func TestSweepOfManyWorkers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		const workers = 1203
		values := strings.TrimSuffix(strings.Repeat("('w', 'local', 'active', 1, '2020-01-01 00:00:00.000+00:00'), ", workers), ", ")
		e.exec(t, "INSERT INTO {schema}.worker (name, worker_type, status, heartbeat_interval, last_heartbeat) VALUES ?", bun.Safe(values))
		swept, err := e.Workers.Sweep(t.Context(), time.Hour, store.HeartbeatSpan{})
		if err != nil || len(swept) != workers {
			t.Fatalf("swept %d, %v; want %d", len(swept), err, workers)
		}
		if !slices.IsSortedFunc(swept, func(a, b store.InactiveWorker) int { return int(a.ID - b.ID) }) {
			t.Error("not ordered by id")
		}
		if n := count(t, e, "worker WHERE CAST(status AS text) = 'active'"); n != 0 {
			t.Errorf("%d workers are active still", n)
		}
	})
}
