package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		caps := json.RawMessage(`{"runtimes":["python"],"text":"it's? \\u0000"}`)
		got, _, err := e.Workers.Register(t.Context(), store.Registration{
			Name: "host-1", Role: metadata.Worker, Type: schema.WorkerContainer, Host: ptr("10.0.0.1"), Port: ptr(8080),
			Capabilities: &store.Capabilities{Document: caps, Runtimes: []schema.WorkerRuntime{{Name: "python", Outcome: schema.OutcomeAvailable}}},
			Meta:         json.RawMessage(`{}`), Instance: ptr("i1"), HeartbeatInterval: ptr(30),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := &schema.Worker{
			ID: got.ID, Name: "host-1", WorkerType: schema.WorkerContainer, WorkerRole: schema.RoleAction,
			Host: ptr("10.0.0.1"), Port: ptr(8080), Status: ptr(schema.WorkerActive), Capabilities: caps,
			Meta: json.RawMessage(`{}`), Identity: ptr("action/host-1"), Instance: ptr("i1"), HeartbeatInterval: ptr(30),
			LastHeartbeat: got.LastHeartbeat, Created: got.Created, Updated: got.Updated,
		}
		if got.LastHeartbeat == nil {
			t.Error("the registration of an instance does not count as a heartbeat")
		}
		same := cmp.Transformer("meaning", func(raw json.RawMessage) string { return meaning(t, raw) })
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("first registration:\n%s", diff)
		}
		stored, err := e.Workers.ByIdentity(t.Context(), metadata.Worker, "host-1")
		if diff := cmp.Diff(got, stored); err != nil || diff != "" {
			t.Errorf("what Register returned and what is stored differ: %v\n%s", err, diff)
		}

		// The least that can be said, once nobody runs: the row is inactive, the
		// rest stays.
		backdate(t, e, "worker")
		e.exec(t, "UPDATE {schema}.worker SET last_heartbeat = created")
		before, _ := e.Workers.Get(t.Context(), got.ID)
		again, _, err := e.Workers.Register(t.Context(), store.Registration{Name: "host-1", Role: metadata.Worker})
		if err != nil || !again.Updated.After(before.Updated) {
			t.Fatalf("got %+v, %v; want updated to move on", again, err)
		}
		want = before
		want.WorkerType, want.Status, want.Updated = schema.WorkerLocal, ptr(schema.WorkerInactive), again.Updated
		if diff := cmp.Diff(want, again, same); diff != "" {
			t.Errorf("second registration:\n%s", diff)
		}
		if again.LastHeartbeat == nil {
			t.Error("the last heartbeat is gone")
		}

		// The sensor of that name is another.
		sensor, _, err := e.Workers.Register(t.Context(), store.Registration{Name: "host-1", Role: metadata.Sensor})
		if err != nil || sensor.ID == got.ID || *sensor.Identity != "sensor/host-1" || sensor.WorkerRole != schema.RoleSensor ||
			sensor.LastHeartbeat != nil {
			t.Errorf("got %+v, %v; want a row of its own", sensor, err)
		}
	})
}

const addLegacy = `INSERT INTO {schema}.worker (name, worker_type, worker_role, status, host, created)
	VALUES (?, 'remote', ?, 'active', ?, ?)`

func TestRegisterAdoptsNewestLegacyRow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for _, l := range [][]any{
			{"host-1", "action", "oldest", "2020-01-01 00:00:00.000+00:00"},
			{"host-1", "action", "newest", "2022-01-01 00:00:00.000+00:00"},
			{"host-1", "action", "older", "2021-01-01 00:00:00.000+00:00"},
			{"host-1", "sensor", "sensor", "2023-01-01 00:00:00.000+00:00"},
			{"host-1", "hybrid", "hybrid", "2024-01-01 00:00:00.000+00:00"},
			{"host-2", "action", "other", "2025-01-01 00:00:00.000+00:00"},
		} {
			e.exec(t, addLegacy, l...)
		}
		would, err := e.Workers.ByIdentity(t.Context(), metadata.Worker, "host-1")
		if err != nil || *would.Host != "newest" {
			t.Fatalf("got %+v, %v; want the row that would be adopted", would, err)
		}
		for range 2 {
			got, _, err := e.Workers.Register(t.Context(), store.Registration{Name: "host-1", Role: metadata.Worker})
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != would.ID || *got.Host != "newest" || *got.Identity != "action/host-1" ||
				*got.Status != schema.WorkerInactive || got.Created.Year() != 2022 {
				t.Errorf("got %+v, want the newest legacy row, inactive, its host kept", got)
			}
		}
		if n := count(t, e, "worker"); n != 6 {
			t.Errorf("got %d rows, want the 6 there were", n)
		}
		left := value[int](t, e, "SELECT count(*) FROM {schema}.worker WHERE identity IS NULL AND CAST(status AS text) = 'active'")
		if left != 5 {
			t.Errorf("%d legacy rows are as they were, want 5", left)
		}
	})
}

// Many processes register one name at once. Half of the rounds have legacy rows.
func TestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		const processes = 20
		e.SetMaxOpenConns(processes + 1)
		for round := range 6 {
			name := fmt.Sprintf("host-%d", round)
			for n := range round % 3 {
				e.exec(t, addLegacy, name, "action", fmt.Sprint(n), fmt.Sprintf("202%d-01-01 00:00:00.000+00:00", n))
			}
			before := count(t, e, "worker")
			var ids [processes]int64
			var errs [processes]error
			var ready, done sync.WaitGroup
			start := make(chan struct{})
			for n := range processes {
				// Each a connection of its own, as processes have.
				ready.Add(1)
				done.Go(func() {
					conn, err := e.Conn(t.Context())
					ready.Done()
					if err != nil {
						errs[n] = err
						return
					}
					defer conn.Close()
					<-start
					row, _, err := store.New(conn, store.Config{Schema: e.schema}).Workers.Register(t.Context(),
						store.Registration{Name: name, Role: metadata.Worker, Host: ptr(fmt.Sprint(n))})
					if errs[n] = err; err == nil {
						ids[n] = row.ID
					}
				})
			}
			ready.Wait()
			close(start)
			done.Wait()
			for n, err := range errs {
				if err != nil {
					t.Errorf("round %d, process %d: %v", round, n, err)
				}
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(ids[:]))); len(distinct) != 1 {
				t.Errorf("round %d: the processes got rows %v, want one", round, distinct)
			}
			rows := value[int](t, e, "SELECT count(*) FROM {schema}.worker WHERE identity = ?", "action/"+name)
			want := before + 1
			if round%3 > 0 {
				want = before // one of the legacy rows was adopted
			}
			if total := count(t, e, "worker"); rows != 1 || total != want {
				t.Errorf("round %d: got %d rows of the identity and %d in all, want 1 and %d", round, rows, total, want)
			}
		}
	})
}

// The one interleaving in which two first registrations could each make a row:
// a legacy row that only the second one sees.
func TestRegisterTriesAgain(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	first, err := e.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := store.New(first, store.Config{Schema: "attune"}).Workers.Register(t.Context(),
		store.Registration{Name: "host-1", Role: metadata.Worker})
	if err != nil {
		t.Fatal(err)
	}
	e.exec(t, addLegacy, "host-1", "action", "late", "2024-01-01 00:00:00+00")
	second, err := e.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		row *schema.Worker
		err error
	}
	done := make(chan result, 1)
	go func() {
		row, _, err := store.New(second, store.Config{Schema: "attune"}).Workers.Register(t.Context(),
			store.Registration{Name: "host-1", Role: metadata.Worker, Host: ptr("second")})
		done <- result{row, err}
	}()
	waitForLock(t, e)
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || got.row.ID != made.ID || *got.row.Host != "second" {
		t.Errorf("got %+v, %v; want the first one's row", got.row, got.err)
	}
	if err := second.Commit(); err != nil {
		t.Errorf("the transaction did not go on: %v", err)
	}
	late := value[int](t, e, "SELECT count(*) FROM attune.worker WHERE host = 'late' AND identity IS NULL")
	if late != 1 {
		t.Error("the late row was changed")
	}
}

func TestRegisterErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for _, c := range []struct {
			registration store.Registration
			message      string
		}{
			{store.Registration{Role: metadata.Worker}, `register worker "action/": invalid name: `},
			{store.Registration{Name: "a", Role: "hybrid"}, `register worker "hybrid/a": invalid role: must be worker or sensor, got "hybrid"`},
			{store.Registration{Name: "a", Role: metadata.Worker, Type: "submarine"}, `register worker "action/a": invalid: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Status: "asleep"}, `register worker "action/a": invalid: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Capabilities: &store.Capabilities{Document: json.RawMessage("{")}},
				`register worker "action/a": invalid capabilities: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Capabilities: &store.Capabilities{}},
				`register worker "action/a": invalid capabilities: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Capabilities: &store.Capabilities{Document: json.RawMessage(`{"runtimes": ["python"]}`)}},
				`register worker "action/a": invalid capabilities: the document lists ["python"] but the rows list []`},
			{store.Registration{Name: "a", Role: metadata.Worker, Capabilities: found(t, row("core.python", "python", "latest", "/usr/bin/python3"))},
				`register worker "action/a": invalid version of python: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Capabilities: found(t, row("core.python", "python", "3.12", "/usr/\x00"))},
				`register worker "action/a": python: invalid path: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Instance: ptr("i")}, `register worker "action/a": invalid heartbeat_interval: `},
			{store.Registration{Name: "a", Role: metadata.Worker, Instance: ptr("i"), HeartbeatInterval: ptr(0)}, `register worker "action/a": invalid heartbeat_interval: `},
			{store.Registration{Name: "a\x00", Role: metadata.Worker}, `register worker "action/a\x00": invalid name: `},
		} {
			_, _, err := e.Workers.Register(t.Context(), c.registration)
			wantError(t, err, "invalid", c.message)
		}
		for _, table := range []string{"worker", "worker_runtime", "capability_change"} {
			if n := count(t, e, table); n != 0 {
				t.Errorf("%d rows of %s were written", n, table)
			}
		}
	})
}
