package service_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestCapabilitiesOf checks that the rows match the document, that the attempts are evidence instead
// of part of the document, and that any output of a tool can be stored.
func TestCapabilitiesOf(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		now := time.Now()
		verified := now.Add(-time.Minute)
		attempt := capability.Attempt{Command: []string{"python3", "--version"}, Path: "/usr/bin/python3", Output: "Python\x00 3.12.1 \\u0000", Outcome: capability.Available}
		caps := &capability.Document{
			Format: capability.Format, Runtimes: []string{"cobol", "python"}, RuntimeVersions: map[string][]string{"python": {"3.12.1"}},
			Detected: []capability.Installation{
				{Name: "cobol", Outcome: capability.Available, Source: capability.Declared},
				{Ref: "core.python", Name: "python", Version: "3.12.1", VersionRaw: "Python\x00 3.12.1", Path: "/usr/bin/python3", RealPath: "/usr/bin/python3.12",
					Outcome: capability.Available, Source: capability.Verified, VerifiedAt: verified, Attempts: []capability.Attempt{attempt}},
			},
			Undetected: []capability.Absence{{Ref: "core.ruby", Name: "ruby", Outcome: capability.Timeout, Detail: "no answer", Hint: "wait", Attempts: []capability.Attempt{attempt}}},
		}
		found, err := service.CapabilitiesOf(caps, now)
		if err != nil {
			t.Fatal(err)
		}
		if caps.Detected[1].Attempts == nil {
			t.Error("the capabilities that were given have lost their attempts")
		}
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		row, _, err := st.Workers.Register(ctx, store.Registration{Name: "build-7", Role: metadata.Worker, Capabilities: found})
		if err != nil {
			t.Fatal(err)
		}
		kept := new(capability.Document)
		if err := json.Unmarshal(row.Capabilities, kept); err != nil || kept.Detected[1].Attempts != nil || kept.Undetected[0].Attempts != nil {
			t.Errorf("the document: %v, %s", err, row.Capabilities)
		}
		rows, err := st.WorkerRuntimes.ByWorker(ctx, row.ID)
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d rows, %v; want 3", len(rows), err)
		}
		var evidence []capability.Attempt
		if err := json.Unmarshal(rows[1].Evidence, &evidence); err != nil {
			t.Fatal(err)
		}
		attempt.Output = "Python\uFFFD 3.12.1 \\u0000"
		if diff := cmp.Diff([]capability.Attempt{attempt}, evidence); diff != "" {
			t.Errorf("evidence (-want +got):\n%s", diff)
		}
		if at := rows[1].VerifiedAt; at == nil || at.Sub(verified).Abs() > 30*time.Second {
			t.Errorf("verified at %v, want %v", at, verified)
		}
		for i := range rows {
			rows[i] = schema.WorkerRuntime{RuntimeRef: rows[i].RuntimeRef, Name: rows[i].Name, Outcome: rows[i].Outcome, Source: rows[i].Source, Version: rows[i].Version,
				VersionRaw: rows[i].VersionRaw, Path: rows[i].Path, RealPath: rows[i].RealPath, Detail: rows[i].Detail, Hint: rows[i].Hint}
		}
		want := []schema.WorkerRuntime{
			{Name: "cobol", Outcome: "available", Source: "declared"},
			{RuntimeRef: "core.python", Name: "python", Outcome: "available", Source: "verified", Version: "3.12.1", VersionRaw: "Python\uFFFD 3.12.1", Path: "/usr/bin/python3", RealPath: "/usr/bin/python3.12"},
			{RuntimeRef: "core.ruby", Name: "ruby", Outcome: "timeout", Detail: new("no answer"), Hint: new("wait")},
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}
