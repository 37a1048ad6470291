package store_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestFindWorkers(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		python := `{"runtimes": ["python", "shell"], "detected": [{"ref": "core.python"}, {"ref": "core.shell"}]}`
		for _, w := range []struct {
			name   string
			role   schema.WorkerRole
			status *schema.WorkerStatus
			caps   string
		}{
			{"a", schema.RoleAction, ptr(schema.WorkerActive), python},
			{"a", schema.RoleSensor, ptr(schema.WorkerInactive), `{"runtimes": ["shell"]}`},
			{"b", schema.RoleHybrid, ptr(schema.WorkerActive), `{"runtimes": ["core.python"], "detected": {"ref": "core.python"}}`},
			{"c", schema.RoleAction, ptr(schema.WorkerBusy), `["python"]`},
			{"d", schema.RoleAction, ptr(schema.WorkerError), `{"runtimes": {"python": true}, "detected": ["core.python", null]}`},
			{"e", schema.RoleSensor, nil, `"python"`},
			{"f", schema.RoleSensor, ptr(schema.WorkerActive), ``},
			{"g'?", schema.RoleAction, ptr(schema.WorkerActive), `{"runtimes": ["it's?"], "detected": [5, [], {"ref": "core.python"}]}`},
		} {
			row := &schema.Worker{Name: w.name, WorkerType: schema.WorkerLocal, WorkerRole: w.role, Status: w.status}
			if w.caps != "" {
				row.Capabilities = json.RawMessage(w.caps)
			}
			if err := e.Workers.Create(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		}
		e.exec(t, "UPDATE {schema}.worker SET status = NULL WHERE name = 'e'")
		for _, c := range []struct {
			filter store.WorkerFilter
			want   []string
		}{
			{store.WorkerFilter{}, []string{"a", "a", "b", "c", "d", "e", "f", "g'?"}},
			{store.WorkerFilter{Name: "a"}, []string{"a", "a"}},
			{store.WorkerFilter{Name: "g'?"}, []string{"g'?"}},
			{store.WorkerFilter{Name: "\x00"}, nil},
			{store.WorkerFilter{Role: metadata.Worker}, []string{"a", "b", "c", "d", "g'?"}},
			{store.WorkerFilter{Role: metadata.Sensor}, []string{"a", "b", "e", "f"}},
			{store.WorkerFilter{Status: schema.WorkerActive}, []string{"a", "b", "f", "g'?"}},
			{store.WorkerFilter{Status: "asleep"}, nil},
			{store.WorkerFilter{Runtime: "python"}, []string{"a"}},
			{store.WorkerFilter{Runtime: "core.python"}, []string{"a", "b", "g'?"}},
			{store.WorkerFilter{Runtime: "it's?"}, []string{"g'?"}},
			{store.WorkerFilter{Runtime: "shell"}, []string{"a", "a"}},
			{store.WorkerFilter{Name: "a", Role: metadata.Sensor, Runtime: "shell", Status: schema.WorkerInactive}, []string{"a"}},
			{store.WorkerFilter{Name: "a", Role: metadata.Sensor, Runtime: "python"}, nil},
		} {
			rows, err := e.Workers.List(t.Context(), c.filter)
			if diff := cmp.Diff(c.want, workerNames(rows)); err != nil || diff != "" {
				t.Errorf("%+v: %v\n%s", c.filter, err, diff)
			}
		}
		var paged []string
		filter := store.WorkerFilter{Limit: 3}
		for {
			rows, err := e.Workers.List(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			paged = append(paged, workerNames(rows)...)
			filter.After = &rows[len(rows)-1]
		}
		if diff := cmp.Diff([]string{"a", "a", "b", "c", "d", "e", "f", "g'?"}, paged); diff != "" {
			t.Errorf("by pages:\n%s", diff)
		}
	})
}

func workerNames(rows []schema.Worker) []string {
	var list []string
	for _, r := range rows {
		list = append(list, r.Name)
	}
	return list
}

func TestUpdateWorker(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		row := &schema.Worker{
			Name: "a", WorkerType: schema.WorkerRemote, WorkerRole: schema.RoleHybrid, Host: ptr("h"), Port: ptr(80),
			Meta: json.RawMessage(`{}`), Instance: ptr("i"), HeartbeatInterval: ptr(30), Identity: ptr("action/a"),
		}
		if err := e.Workers.Create(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		backdate(t, e, "worker")
		before, _ := e.Workers.Get(t.Context(), row.ID)
		got, err := e.Workers.Update(t.Context(), row.ID, store.WorkerChanges{
			Port: metadata.Some[*int](nil), Status: metadata.Some(ptr(schema.WorkerBusy)),
			Meta: metadata.Some[json.RawMessage](nil),
		})
		if err != nil || !got.Updated.After(before.Updated) {
			t.Fatalf("got %+v, %v; want updated to move on", got, err)
		}
		want := *before
		want.Port, want.Status, want.Meta, want.Updated = nil, ptr(schema.WorkerBusy), nil, got.Updated
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("update:\n%s", diff)
		}
		if err := e.Workers.Delete(t.Context(), row.ID); err != nil {
			t.Fatal(err)
		}
		wantError(t, e.Workers.Delete(t.Context(), row.ID), "not found", fmt.Sprintf("delete worker %d: not found", row.ID))
	})
}

func TestWorkerErrors(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		row := func() *schema.Worker {
			return &schema.Worker{Name: "a", WorkerType: schema.WorkerLocal, Identity: ptr("action/a")}
		}
		if err := e.Workers.Create(ctx, row()); err != nil {
			t.Fatal(err)
		}
		wantError(t, e.Workers.Create(ctx, row()), "duplicate", `insert worker "a": duplicate identity`)
		odd := row()
		odd.Identity, odd.WorkerType = nil, "submarine"
		wantError(t, e.Workers.Create(ctx, odd), "invalid", `insert worker "a": invalid: `)
		_, err := e.Workers.Update(ctx, 1, store.WorkerChanges{Runtime: metadata.Some(ptr(int64(99)))})
		wantError(t, err, "invalid", `update worker 1: invalid: `)
		_, err = e.Workers.Update(ctx, 99, store.WorkerChanges{})
		wantError(t, err, "not found", `update worker 99: not found`)
		_, err = e.Workers.Get(ctx, 99)
		wantError(t, err, "not found", `get worker 99: not found`)
		_, err = e.Workers.ByIdentity(ctx, metadata.Sensor, "a")
		wantError(t, err, "not found", `get worker "sensor/a": not found`)
	})
}
