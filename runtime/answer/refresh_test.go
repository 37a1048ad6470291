package answer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestRefresh: one worker verifies, one ends, one stays silent, and one does not run.
func TestRefresh(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		st := store.New(db, store.Config{Schema: db.Schema})
		rows := map[string]*schema.Worker{}
		for _, name := range []string{"a-verifies", "b-ends", "c-silent", "d-stopped"} {
			rows[name] = worker(t, st, metadata.Worker, name, &capability.Document{})
		}
		end := func(name string) {
			if err := st.Workers.Deactivate(t.Context(), rows[name].ID, *rows[name].Instance); err != nil {
				t.Error(err)
			}
		}
		end("d-stopped")
		found, err := answer.FindWorkers(t.Context(), st, answer.WorkersQuery{})
		if err != nil {
			t.Fatal(err)
		}
		refresh := answer.NewRefresh(found.Items)
		if err := refresh.Remember(t.Context(), answer.RefreshIn(st)); err != nil {
			t.Fatal(err)
		}
		if err := refresh.Request(t.Context(), answer.RefreshIn(st)); err != nil {
			t.Fatal(err)
		}
		for _, w := range refresh.Workers {
			if w.Asked != (w.Name != "d-stopped") || w.Result != nil || w.Asked && (w.WithinSeconds == nil || *w.WithinSeconds != 30) {
				t.Errorf("got %+v", w)
			}
		}

		seen, err := st.Workers.Select(t.Context(), store.Selection{Names: []string{"a-verifies"}})
		if err != nil || seen[0].RefreshRequested == nil {
			t.Fatalf("got %+v, %v", seen, err)
		}
		now := *seen[0].RefreshRequested
		caps := &capability.Document{
			Format: capability.Format, Source: capability.SourceDatabase, Refreshed: now,
			Detected:   []capability.Installation{installed("core.python", "python", "3.12.1")},
			Undetected: []capability.Absence{{Ref: "core.ruby", Name: "ruby", Outcome: capability.Timeout}},
		}
		caps.Arrange()
		report, err := service.CapabilitiesOf(caps, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Workers.Report(t.Context(), rows["a-verifies"].ID, "i-a-verifies", *report); err != nil {
			t.Fatal(err)
		}
		end("b-ends")
		err = refresh.Wait(t.Context(), answer.RefreshIn(st), 2*time.Second)
		var late *answer.LateError
		if !errors.As(err, &late) || late.Late != 2 || late.All != 3 || late.Waited != 2*time.Second {
			t.Errorf("got %v", err)
		}
		got := map[string]*answer.RefreshResult{}
		for _, w := range refresh.Workers {
			if got[w.Name] = w.Result; w.Result != nil {
				w.Result.Seconds = 0
				w.Result.Reason, _, _ = strings.Cut(w.Result.Reason, " heartbeat ")
			}
		}
		want := map[string]*answer.RefreshResult{
			"a-verifies": {Verified: true, Changes: &capability.Diff{Gained: []string{"python"}}, CouldNotTell: []string{"ruby"}},
			"b-ends":     {Reason: "it ended before it verified"},
			"c-silent":   {Reason: "not yet: last"},
			"d-stopped":  nil,
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
