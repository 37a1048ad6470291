package answer_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestWorkerHistory(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		st := store.New(db, store.Config{Schema: db.Schema})
		row := worker(t, st, metadata.Worker, "web-1", &capability.Document{Detected: []capability.Installation{
			installed("core.python", "python", "3.12.1"), installed("core.ruby", "ruby", "3.2"),
		}})
		worker(t, st, metadata.Worker, "idle", &capability.Document{})
		gone := worker(t, st, metadata.Worker, "gone", &capability.Document{Detected: []capability.Installation{installed("core.go", "go", "1.26")}})
		if err := st.Workers.Delete(t.Context(), gone.ID); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"web-1": 2, strconv.FormatInt(row.ID, 10): 2, "h-web-1": 2, "web-*": 2, "idle": 0, "gone": 1} {
			changes, err := answer.WorkerHistory(t.Context(), st, name, store.ChangeFilter{})
			if err != nil || changes == nil || len(changes) != want {
				t.Errorf("%s: got %v, %v, want %d changes", name, changes, err, want)
			}
		}
		changes, err := answer.WorkerHistory(t.Context(), st, "gone", store.ChangeFilter{Ref: "core.ruby"})
		if err != nil || len(changes) != 0 {
			t.Errorf("a deleted worker without such changes: got %v, %v", changes, err)
		}
		if _, err := answer.WorkerHistory(t.Context(), st, "web-3", store.ChangeFilter{}); !errors.As(err, new(*answer.UnknownWorkerError)) {
			t.Errorf("got %v", err)
		}

		// What is followed is what is listed.
		all, err := st.Changes.List(t.Context(), store.ChangeFilter{})
		if err != nil || len(all) < 3 {
			t.Fatalf("got %v, %v", all, err)
		}
		for _, filter := range []store.ChangeFilter{
			{}, {Names: []string{"web-*", "x"}}, {Names: []string{"nobody"}}, {Ref: "core.ruby"}, {Name: "ruby"},
			{Roles: []metadata.Role{metadata.Sensor}}, {Roles: []metadata.Role{metadata.Worker, metadata.Sensor}, Ref: "core.go"},
		} {
			listed, err := st.Changes.List(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			var followed []schema.CapabilityChange
			for i := range all {
				if answer.IsSelected(&all[i], filter) {
					followed = append(followed, all[i])
				}
			}
			if len(listed)+len(followed) > 0 && !cmp.Equal(listed, followed) {
				t.Errorf("%+v: listed (-) and followed (+) differ:\n%s", filter, cmp.Diff(listed, followed))
			}
		}
	})
}
