package store_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestStandingIsWhatSelectSays, without the documents.
func TestStandingIsWhatSelectSays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for name, interval := range map[string]int{"a": 30, "b": 600} {
			_, _, err := e.Workers.Register(t.Context(), store.Registration{
				Name: name, Role: metadata.Worker, Instance: new("i"), HeartbeatInterval: &interval,
				Capabilities: &store.Capabilities{Document: []byte(`{"runtimes": ["ruby"]}`), Runtimes: []schema.WorkerRuntime{
					{RuntimeRef: "acme.ruby", Name: "ruby", Outcome: schema.OutcomeAvailable, Version: "3." + map[string]string{"a": "9", "b": "10"}[name]},
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		e.exec(t, addWorker, "c", nil)
		ago := "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-100 seconds')"
		if e.postgres {
			ago = "CURRENT_TIMESTAMP - interval '100 seconds'"
		}
		e.exec(t, "UPDATE {schema}.worker SET last_heartbeat = "+ago+" WHERE name IN ('a', 'b')")
		e.exec(t, "INSERT INTO {schema}.worker_cordon (worker) SELECT id FROM {schema}.worker WHERE name = 'c'")
		found, err := e.Workers.Standing(t.Context(), store.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(found, func(a, b store.Standing) int { return cmp.Compare(a.Name, b.Name) })
		selected, err := e.Workers.Select(t.Context(), store.Selection{})
		if err != nil || len(found) != 3 || len(selected) != 3 {
			t.Fatalf("%+v, %+v, %v", found, selected, err)
		}
		for i, s := range selected {
			f := found[i]
			if f.ID != s.ID || f.Name != s.Name || f.WorkerRole != s.WorkerRole || f.Stale != s.Stale || (f.Silent == nil) != (s.Silent == nil) {
				t.Errorf("%+v is selected as %+v", f, s)
			}
		}
		if !found[0].Stale || found[0].Live || found[1].Stale || !found[1].Live || found[2].Live || *found[0].Silent < 100*time.Second {
			t.Errorf("they stand as %+v", found)
		}
		newest, err := e.Changes.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		states, last, err := e.Workers.States(t.Context())
		if err != nil || len(states) != 3 || last != newest {
			t.Errorf("%v, %d, %v; want the change %d", states, last, err, newest)
		}
		for _, f := range found {
			want := store.StaleStatus
			if !f.Stale && f.Status != nil {
				want = string(*f.Status)
			} else if !f.Stale {
				want = ""
			}
			if got := states[f.ID]; got.Status != want || got.Cordoned != f.Cordoned || f.Cordoned != (f.Name == "c") {
				t.Errorf("%s is %+v, want %q; %+v", f.Name, got, want, f)
			}
		}
		silent, err := e.Workers.Standing(t.Context(), store.Selection{Silent: 90 * time.Second})
		if err != nil || len(silent) != 2 {
			t.Errorf("silent: %+v, %v; want a and b: c was made a moment ago", silent, err)
		}
		if limit, err := e.Workers.RowLimit(t.Context()); limit != nil || err != nil {
			t.Errorf("the owner's rows are limited: %+v, %v", limit, err)
		}
		changes, err := e.Changes.List(t.Context(), store.ChangeFilter{Names: []string{"?"}, Ref: "acme.ruby", Roles: []metadata.Role{metadata.Worker}, Since: time.Hour, Limit: 5})
		var of []string
		for _, c := range changes {
			of = append(of, c.WorkerName)
		}
		slices.Sort(of)
		if diff := gocmp.Diff([]string{"a", "b"}, of); err != nil || diff != "" {
			t.Errorf("changes: %v (-want +got):\n%s", err, diff)
		}
	})
}
