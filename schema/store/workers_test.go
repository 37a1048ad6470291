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

func TestUpdateWorker(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
