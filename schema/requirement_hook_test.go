package schema_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/document"
)

// TestRequirementsAreCheckedWhereTheyAreWritten writes wrong requirements of actions and sensors with the models. bun
// reports all faults with their columns, and reads and deletes rows that have some.
func TestRequirementsAreCheckedWhereTheyAreWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		pack := fixtures.Pack(ctx, t, db, fixtures.PackOpts{})
		action := fixtures.Action(ctx, t, db, fixtures.ActionOpts{Pack: pack})
		sensor := fixtures.Sensor(ctx, t, db, fixtures.SensorOpts{Pack: pack})
		refused := func(what string, err error, pointers ...string) {
			t.Helper()
			var faults document.Faults
			if !errors.As(err, &faults) {
				t.Errorf("%s: %v, want document.Faults", what, err)
				return
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Pointer)
			}
			if diff := cmp.Diff(pointers, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		wrong := *action
		wrong.ID, wrong.Ref = 0, "x.new"
		wrong.RequiredWorkerRuntimes, wrong.WorkerSelector = json.RawMessage(`{"python": ">>3"}`), json.RawMessage(`{"zone": 7}`)
		wrong.WorkerTolerations, wrong.WorkerAffinity = json.RawMessage(`[{"kye": "gpu"}]`), json.RawMessage(`{"required": [{}]}`)
		faults := []string{"/required_worker_runtimes/python", "/worker_selector/zone", "/worker_tolerations/0/kye", "/worker_affinity/required/0", "/worker_tolerations/0/key"}
		_, err := db.NewInsert().Model(&wrong).Exec(ctx)
		refused("insert", err, faults...)
		_, err = db.NewInsert().Model(&[]schema.Action{*action, wrong}).Exec(ctx)
		refused("insert of several", err, faults...)
		sensor.WorkerSelector = json.RawMessage(`["zone"]`)
		_, err = db.NewUpdate().Model(sensor).WherePK().Exec(ctx)
		refused("update", err, "/worker_selector")

		right := *action
		right.ID, right.Ref = 0, "x.right"
		right.RequiredWorkerRuntimes, right.WorkerSelector = json.RawMessage(`{"python": ">=3.11", "not-yet-defined": ""}`), json.RawMessage(`{"it's 100%": "\"?0"}`)
		if _, err := db.NewInsert().Model(&right).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		var read schema.Action
		if err := db.NewSelect().Model(&read).Where("ref = 'x.right'").Scan(ctx); err != nil || string(read.WorkerTolerations) != "[]" {
			t.Fatalf("%+v, %v", read, err)
		}
		var selector map[string]string
		if err := json.Unmarshal(read.WorkerSelector, &selector); err != nil || selector["it's 100%"] != `"?0` {
			t.Errorf("selector %s, %v", read.WorkerSelector, err)
		}
		read.Label = "other" // everything that was read can be written again
		if _, err := db.NewUpdate().Model(&read).WherePK().Exec(ctx); err != nil {
			t.Error(err)
		}
		if _, err := db.NewDelete().Model(&wrong).Where("ref = 'x.right'").Exec(ctx); err != nil {
			t.Errorf("delete: %v", err)
		}
	})
}
