package store_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// TestNotFoundHasNoRow checks that a runtime that was not found explains a loss and gets no row, if the
// document names the definitions. What could not be told, and failures, keep theirs.
func TestNotFoundHasNoRow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		python := row("core.python", "python", "3.12.1", "/usr/bin/python3")
		w := running(t, e, "host-1", python, negative("core.ruby", "ruby", "not_found", "no ruby in PATH"))
		named := func(rows ...schema.WorkerRuntime) store.Capabilities {
			t.Helper()
			caps := found(t, rows...)
			var document map[string]any
			if err := json.Unmarshal(caps.Document, &document); err != nil {
				t.Fatal(err)
			}
			state, err := e.DefinitionsState(t.Context())
			if err != nil || state.Read.IsZero() || (state.Mark == "") == e.postgres {
				t.Fatalf("%+v, %v", state, err)
			}
			document["definitions"] = state
			if caps.Document, err = json.Marshal(document); err != nil {
				t.Fatal(err)
			}
			return *caps
		}
		for _, step := range []struct {
			name    string
			report  store.Capabilities
			rows    []string
			changes []string
		}{
			{"the row of an earlier report goes", named(python, negative("core.ruby", "ruby", "not_found", "no ruby in PATH")), []string{"core.python available"}, []string{}},
			{"what could not be told stays", named(python, negative("core.ruby", "ruby", "timeout", "no answer")), []string{"core.python available", "core.ruby timeout"}, []string{}},
			{"until it is known", named(python, negative("core.ruby", "ruby", "not_found", "no ruby in PATH")), []string{"core.python available"}, []string{}},
			{"a loss has its reason", named(negative("core.python", "python", "not_found", "no python3 in PATH")), []string{}, []string{"lost not_found: no python3 in PATH"}},
			{"a failure has a row", named(failure("core.python", "python", "exit_mismatch", "/usr/bin/python3", "")), []string{"core.python exit_mismatch"}, []string{}},
		} {
			changes, err := e.Workers.Report(t.Context(), w.ID, "i1", step.report)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			said := []string{}
			for _, c := range changes {
				said = append(said, string(c.Kind)+" "+*c.Detail)
			}
			if diff := cmp.Diff(step.changes, said); diff != "" {
				t.Errorf("%s: changes (-want +got):\n%s", step.name, diff)
			}
			rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, r := range rows {
				got = append(got, r.RuntimeRef+" "+r.Outcome)
			}
			if diff := cmp.Diff(step.rows, got); diff != "" {
				t.Errorf("%s: rows (-want +got):\n%s", step.name, diff)
			}
		}
	})
}
