package answer_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func TestParseSelector(t *testing.T) {
	t.Parallel()
	s, err := answer.ParseSelector([]string{
		"web-*", "name:a:b", "id:7", "host:h", "role:sensor", "status:busy", "status:stale", "silent:1d2h", "silent:1h",
		"label:zone=a=b", "label:gpu", "has: python @ >=3.12,<4", "lacks:ruby", "http://x", "has:python",
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Selection{
		Names: []string{"web-*", "a:b", "http://x"}, IDs: []int64{7}, Hosts: []string{"h"}, Roles: []metadata.Role{metadata.Sensor},
		Statuses: []schema.WorkerStatus{schema.WorkerBusy}, Stale: true, Silent: 26 * time.Hour,
		Labels: []store.Label{{Key: "zone", Value: new("a=b")}, {Key: "gpu"}},
	}
	if diff := cmp.Diff(want, s.Selection); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(s.Has) != 2 || s.Has[0].Written != "python" || s.Has[0].Constraint.String() != ">=3.12,<4" || !s.Has[0].Prereleases {
		t.Errorf("has: got %+v", s.Has)
	}
	if len(s.Lacks) != 1 || s.Lacks[0].Written != "ruby" || s.Lacks[0].Constraint != nil {
		t.Errorf("lacks: got %+v", s.Lacks)
	}
}

// TestParseSelectorRefuses checks the facts that errors hold, and their texts.
func TestParseSelectorRefuses(t *testing.T) {
	t.Parallel()
	for term, want := range map[string]answer.TermError{
		"roel:worker":  {Key: "roel", Near: "role"},
		"has: ":        {Key: "has"},
		"":             {Key: "name"},
		"id:x":         {Key: "id", Err: errors.New(`must be a number, got "x"`)},
		"role:action":  {Key: "role", Err: errors.New(`must be worker or sensor, got "action"`)},
		"status:gone":  {Key: "status", Err: errors.New(`must be active, inactive, busy, error or stale, got "gone"`)},
		"silent:0s":    {Key: "silent", Err: errors.New(`must be greater than 0, got "0s"`)},
		"silent:soon":  {Key: "silent", Err: errors.New(`must be a time such as 10s, 1h30m or 7d, of at most 99999d, got "soon"`)},
		"has:@3":       {Key: "has", Err: errors.New(`must name a runtime, such as python or python@>=3.12, got "@3"`)},
		"lacks:ruby@ ": {Key: "lacks", Err: errors.New(`"ruby@ ": no versions after the @`)},
	} {
		_, err := answer.ParseSelector([]string{"web", term}, false)
		var got *answer.TermError
		if !errors.As(err, &got) {
			t.Errorf("%q: got %v", term, err)
			continue
		}
		want.Term = term
		textOf := cmp.Comparer(func(a, b error) bool { return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error()) })
		if diff := cmp.Diff(want, *got, textOf); diff != "" {
			t.Errorf("%q (-want +got):\n%s", term, diff)
		}
	}
	_, err := answer.ParseSelector([]string{"lacks:ruby@"}, false)
	var term *answer.RuntimeTermError
	if !errors.As(err, &term) || term.Runtime != "ruby" || !errors.Is(err, answer.ErrNoVersions) {
		t.Errorf("got %#v", err)
	}
}

// worker registers a running worker with a report.
func worker(t *testing.T, st *store.Store, role metadata.Role, name string, caps *capability.Document) *schema.Worker {
	t.Helper()
	caps.Format, caps.Source = capability.Format, capability.SourceDatabase
	caps.Arrange()
	found, err := service.CapabilitiesOf(caps, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	row, _, err := st.Workers.Register(t.Context(), store.Registration{
		Name: name, Role: role, Host: new("h-" + name), Instance: new("i-" + name), HeartbeatInterval: new(30), Capabilities: found,
	})
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func installed(ref, name, version string) capability.Installation {
	return capability.Installation{
		Ref: ref, Name: name, Version: version, Path: "/usr/bin/" + name, Outcome: capability.Available,
		Source: capability.Verified, VerifiedAt: time.Now(),
	}
}

var pythons = metadata.NewIndex([]metadata.Definition{{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}}})

func TestResolveAndLookUp(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		st := store.New(db, store.Config{Schema: db.Schema})
		row := worker(t, st, metadata.Worker, "web-1", &capability.Document{Detected: []capability.Installation{
			installed("core.python", "python", "3.12.1"), {Name: "fortran", Outcome: capability.Available, Source: capability.Declared},
		}})
		worker(t, st, metadata.Sensor, "web-1", &capability.Document{})
		worker(t, st, metadata.Worker, "eye", &capability.Document{})

		s, err := answer.ParseSelector([]string{"has:PYTHON3@3.12", "has:fortran"}, false)
		if err != nil {
			t.Fatal(err)
		}
		selection, err := s.Resolve(t.Context(), st, pythons)
		if err != nil || len(selection.Has) != 2 || selection.Has[0].Ref != "core.python" || selection.Has[1].Ref != "" || selection.Has[1].Name != "fortran" {
			t.Fatalf("got %+v, %v", selection, err)
		}
		if s.Has[0].Definition == nil || s.Has[1].Definition != nil || len(s.Runtimes()) != 2 {
			t.Errorf("got %+v", s.Has)
		}
		found, err := answer.FindWorkers(t.Context(), st, answer.WorkersQuery{Selection: selection})
		if err != nil || len(found.Items) != 1 || found.Items[0].ID != row.ID {
			t.Errorf("got %+v, %v", found, err)
		}
		for text, want := range map[string]answer.UnknownRuntimeError{
			"pyton": {Name: "pyton", Near: "python"}, "cobol": {Name: "cobol"}, "python>=3.12": {Name: "python>=3.12", Term: "python@>=3.12"},
			"python==3.12": {Name: "python==3.12", Term: "python@3.12"}, "python 3.12": {Name: "python 3.12", Term: "python@3.12"},
		} {
			term := answer.RuntimeTerm{Written: text}
			var got *answer.UnknownRuntimeError
			if err := term.Resolve(t.Context(), st, pythons); !errors.As(err, &got) || *got != want {
				t.Errorf("%q: got %+v (%v), want %+v", text, got, err, want)
			}
		}

		id := strconv.FormatInt(row.ID, 10)
		for text, want := range map[string]int{"web-1": 2, "web-*": 2, id: 1, "id:" + id: 1, "h-eye": 1, "host:h-eye": 1, "name:eye": 1} {
			if found, err := answer.LookUpWorkers(t.Context(), answer.In(st), text); err != nil || len(found) != want {
				t.Errorf("%q: got %d, %v, want %d", text, len(found), err, want)
			}
		}
		if found, err := answer.LookUpWorkers(t.Context(), answer.In(st), "web-1", metadata.Sensor); err != nil || len(found) != 1 {
			t.Errorf("got %d, %v", len(found), err)
		}
		for text, want := range map[string]answer.UnknownWorkerError{
			"web-3": {Key: "name", Value: "web-3", Near: "web-1"}, "name:h-eye": {Key: "name", Value: "name:h-eye"},
			"python>=3": {Key: "name", Value: "python>=3", Runtime: "python@>=3"}, "python@3": {Key: "name", Value: "python@3", Runtime: "python@3"},
		} {
			_, err := answer.LookUpWorkers(t.Context(), answer.In(st), text)
			if got := (*answer.UnknownWorkerError)(nil); !errors.As(err, &got) || *got != want {
				t.Errorf("%q: got %+v (%v), want %+v", text, got, err, want)
			}
		}
		if _, err := answer.LookUpWorkers(t.Context(), answer.In(st), "id:x"); !errors.As(err, new(*answer.TermError)) {
			t.Errorf("got %v", err)
		}
		missing, err := answer.Missing(t.Context(), answer.In(st), store.Selection{
			Names: []string{"eye", "nobody", "x*"}, IDs: []int64{row.ID, 999_999}, Hosts: []string{"h-eye", "nowhere"},
		})
		var keys []string
		for _, e := range missing {
			keys = append(keys, e.Key+" "+e.Value)
		}
		if diff := cmp.Diff([]string{"name nobody", "id 999999", "host nowhere"}, keys); diff != "" || err != nil {
			t.Errorf("%v, missing (-want +got):\n%s", err, diff)
		}

		holders, all, err := answer.HoldersOf(t.Context(), st, "core.python", 10)
		want := []answer.Subject{{ID: row.ID, Name: "web-1", Role: "worker", Status: "active"}}
		if diff := cmp.Diff(want, holders); diff != "" || err != nil || all != 1 {
			t.Errorf("%v, holders (-want +got):\n%s", err, diff)
		}
	})
}
