package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// row returns an installation as a host reports it.
func row(ref, name, version, path string) schema.WorkerRuntime {
	return schema.WorkerRuntime{
		RuntimeRef: ref, Name: name, Outcome: schema.OutcomeAvailable, Source: "verified", Version: version, Path: path,
		Evidence: json.RawMessage(`[{"command": ["` + name + `", "--version"]}]`),
	}
}

// negative returns the negative result of a runtime.
func negative(ref, name, outcome, detail string) schema.WorkerRuntime {
	return schema.WorkerRuntime{RuntimeRef: ref, Name: name, Outcome: outcome, Detail: &detail}
}

// failure returns an executable that does not count, or without a path a declared version.
func failure(ref, name, outcome, path, declared string) schema.WorkerRuntime {
	r := negative(ref, name, outcome, "seen at "+path)
	r.Source, r.Path, r.VersionRaw = "verified", path, declared
	return r
}

// found returns a report of rows.
func found(t *testing.T, rows ...schema.WorkerRuntime) *store.Capabilities {
	t.Helper()
	return foundBy(t, "database", rows...)
}

// foundBy returns a report of rows from a source.
func foundBy(t *testing.T, source string, rows ...schema.WorkerRuntime) *store.Capabilities {
	t.Helper()
	names := []string{}
	for _, r := range rows {
		if r.Outcome == schema.OutcomeAvailable {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	doc, err := json.Marshal(map[string]any{"source": source, "runtimes": slices.Compact(names)})
	if err != nil {
		t.Fatal(err)
	}
	return &store.Capabilities{Document: doc, Runtimes: rows}
}

// running registers an instance.
func running(t *testing.T, e env, name string, rows ...schema.WorkerRuntime) *schema.Worker {
	t.Helper()
	w, _, err := e.Workers.Register(t.Context(), store.Registration{
		Name: name, Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(30), Capabilities: found(t, rows...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// shown returns rows as short texts.
func shown(rows []schema.WorkerRuntime) []string {
	list := []string{}
	for _, r := range rows {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.RuntimeRef, r.Outcome, r.Version, r.Path)))
	}
	return list
}

// describe returns changes as short texts.
func describe(changes []schema.CapabilityChange) []string {
	list := []string{}
	for _, c := range changes {
		text := func(s *string) string {
			if s == nil {
				return "-"
			}
			return *s
		}
		list = append(list, fmt.Sprintf("%s %s %s>%s %s", c.Kind, c.Name, text(c.OldVersion), text(c.NewVersion), text(c.Detail)))
	}
	return list
}

func TestReport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		if err := e.Runtimes.Create(ctx, &schema.Runtime{Ref: "core.python", Name: "Python"}); err != nil {
			t.Fatal(err)
		}
		w := running(t, e, "host-1")
		python311, python312 := row("core.python", "python", "3.11.7", "/usr/bin/python3"), row("core.python", "python", "3.12.1", "/opt/python3")
		for _, step := range []struct {
			name    string
			rows    []schema.WorkerRuntime
			want    []string
			changes []string
		}{
			{"gains", []schema.WorkerRuntime{python311, row("core.native", "native", "", ""), negative("core.ruby", "ruby", "not_found", "no ruby in PATH")},
				[]string{"core.native available", "core.python available 3.11.7 /usr/bin/python3", "core.ruby not_found"},
				[]string{"gained native ->- -", "gained python ->3.11.7 /usr/bin/python3"}},
			{"a second installation", []schema.WorkerRuntime{python311, python312, python312, row("core.native", "native", "", ""), negative("core.ruby", "ruby", "not_found", "no ruby in PATH")},
				[]string{"core.native available", "core.python available 3.12.1 /opt/python3", "core.python available 3.11.7 /usr/bin/python3", "core.ruby not_found"},
				[]string{"gained python ->3.12.1 /opt/python3"}},
			{"the same version once more", []schema.WorkerRuntime{python311, python312, row("core.python", "python", "3.12.1", "/bin/python3"), row("core.native", "native", "", "")},
				[]string{"core.native available", "core.python available 3.12.1 /bin/python3", "core.python available 3.12.1 /opt/python3", "core.python available 3.11.7 /usr/bin/python3"},
				[]string{}},
			{"an upgrade in its place, and a loss", []schema.WorkerRuntime{row("core.python", "python", "3.11.8", "/usr/bin/python3"), row("core.native", "native", "", "")},
				[]string{"core.native available", "core.python available 3.11.8 /usr/bin/python3"},
				[]string{"lost python 3.12.1>- no longer found at /bin/python3", "version_changed python 3.11.7>3.11.8 /usr/bin/python3"}},
			{"all of it lost", []schema.WorkerRuntime{negative("core.python", "python", "not_found", "no python3 in PATH")},
				[]string{"core.python not_found"},
				[]string{"lost native ->- no longer requested: no definition for this worker", "lost python 3.11.8>- not_found: no python3 in PATH"}},
			{"back, with the last negative", []schema.WorkerRuntime{python312},
				[]string{"core.python available 3.12.1 /opt/python3", "core.python not_found"},
				[]string{"gained python ->3.12.1 /opt/python3"}},
			{"another negative", []schema.WorkerRuntime{python312, negative("core.python", "python", "timeout", "no answer within 10s")},
				[]string{"core.python available 3.12.1 /opt/python3", "core.python timeout"}, []string{}},
			{"unknown names that were declared", []schema.WorkerRuntime{row("", "cobol", "", ""), row("", "algol", "", "")},
				[]string{"available", "available"},
				[]string{"gained algol ->- -", "gained cobol ->- -", "lost python 3.12.1>- no longer requested: no definition for this worker"}},
			{"nothing", nil, []string{}, []string{"lost algol ->- no longer requested: no definition for this worker", "lost cobol ->- no longer requested: no definition for this worker"}},
		} {
			caps := found(t, step.rows...)
			last, err := e.Changes.Last(ctx)
			if err != nil {
				t.Fatal(err)
			}
			changes, err := e.Workers.Report(ctx, w.ID, "i1", *caps)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			rows, err := e.WorkerRuntimes.ByWorker(ctx, w.ID)
			if diff := cmp.Diff(step.want, shown(rows)); err != nil || diff != "" {
				t.Errorf("%s: rows: %v (-want +got):\n%s", step.name, err, diff)
			}
			if diff := cmp.Diff(step.changes, describe(changes)); diff != "" {
				t.Errorf("%s: changes (-want +got):\n%s", step.name, diff)
			}
			stored, err := e.Changes.After(ctx, last, 0)
			if diff := cmp.Diff(changes, stored); err != nil || diff != "" {
				t.Errorf("%s: what is returned and what is stored differ: %v\n%s", step.name, err, diff)
			}
			now, err := e.Workers.Get(ctx, w.ID)
			if err != nil || meaning(t, now.Capabilities) != meaning(t, caps.Document) {
				t.Errorf("%s: the document is %s, %v", step.name, now.Capabilities, err)
			}
			for _, r := range rows {
				if r.Active != (r.Outcome == schema.OutcomeAvailable) || (r.Runtime != nil) != (r.RuntimeRef == "core.python") || (r.SortKey == nil) != (r.Version == "") {
					t.Errorf("%s: %+v", step.name, r)
				}
			}
		}
		// The whole history, newest first, also when the worker is gone.
		if err := e.Workers.Delete(ctx, w.ID); err != nil {
			t.Fatal(err)
		}
		filter := store.ChangeFilter{Names: []string{"host-1"}, Roles: []metadata.Role{metadata.Worker}}
		all, err := e.Changes.List(ctx, filter)
		if err != nil || len(all) != 13 || all[0].ID < all[12].ID || all[0].Worker != nil || all[0].WorkerRole != schema.RoleAction {
			t.Errorf("history: %d changes, %v, the first %+v", len(all), err, all[0])
		}
		filter.Before, filter.Limit = all[2].ID, 2
		part, err := e.Changes.List(ctx, filter)
		if diff := cmp.Diff(all[3:5], part); err != nil || diff != "" {
			t.Errorf("a part of the history: %v\n%s", err, diff)
		}
		for text, want := range map[string]int{"host-1": len(all), "host-2": 0} { // a name that no row could have hides no other
			got, err := e.Changes.List(ctx, store.ChangeFilter{Names: []string{"\xff", text, "a\x00*"}, Roles: filter.Roles})
			if err != nil || len(got) != want {
				t.Errorf("%s: %d changes, want %d: %v", text, len(got), want, err)
			}
		}
		if none, err := e.Changes.List(ctx, store.ChangeFilter{Names: filter.Names, Roles: []metadata.Role{metadata.Sensor}}); err != nil || len(none) != 0 {
			t.Errorf("the sensor's history: %v, %v", none, err)
		}
	})
}

// TestReportOfFailures checks that failures have rows beside installations and the last
// negative result, disappear from a report that does not list them, and explain losses.
func TestReportOfFailures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "host-1")
		first, second := row("t.kit", "kit", "1.0.0", "/bin/kit"), row("t.kit", "kit", "1.2.4", "/opt/kit")
		linked := second
		linked.Path, linked.RealPath = "/usr/bin/kit1.2", "/opt/kit"
		declaredOnly := schema.WorkerRuntime{RuntimeRef: "t.kit", Name: "kit", Outcome: schema.OutcomeAvailable, Source: "declared"}
		failed := failure("t.kit", "kit", "exit_mismatch", "/opt/kit", "")
		failed.RealPath = "/opt/kit"
		for _, step := range []struct {
			name    string
			source  string
			rows    []schema.WorkerRuntime
			want    []string
			changes []string
		}{
			{"not there", "", []schema.WorkerRuntime{negative("t.kit", "kit", "not_found", "no kit")}, []string{"t.kit not_found"}, []string{}},
			{"one fails from the start", "", []schema.WorkerRuntime{first, failed, failure("t.kit", "kit", "not_found", "", "1.3"), failure("t.kit", "kit", "not_found", "", "1.4")},
				[]string{"t.kit available 1.0.0 /bin/kit", "t.kit not_found", "t.kit not_found", "t.kit exit_mismatch  /opt/kit", "t.kit not_found"},
				[]string{"gained kit ->1.0.0 /bin/kit"}},
			{"it works", "", []schema.WorkerRuntime{first, linked},
				[]string{"t.kit available 1.2.4 /usr/bin/kit1.2", "t.kit available 1.0.0 /bin/kit", "t.kit not_found"}, []string{"gained kit ->1.2.4 /usr/bin/kit1.2"}},
			{"it fails again", "", []schema.WorkerRuntime{first, failed, failure("t.kit", "kit", "invalid_metadata", "", "1.2")},
				[]string{"t.kit available 1.0.0 /bin/kit", "t.kit invalid_metadata", "t.kit exit_mismatch  /opt/kit", "t.kit not_found"},
				[]string{"lost kit 1.2.4>- exit_mismatch: seen at /opt/kit"}},
			{"it works again", "", []schema.WorkerRuntime{first, second},
				[]string{"t.kit available 1.2.4 /opt/kit", "t.kit available 1.0.0 /bin/kit", "t.kit not_found"}, []string{"gained kit ->1.2.4 /opt/kit"}},
			{"its version is rubbish, and so are others", "", []schema.WorkerRuntime{first, failure("t.kit", "kit", "timeout", "", "1.1"), failure("t.kit", "kit", "invalid_metadata", "", "1.2")},
				[]string{"t.kit available 1.0.0 /bin/kit", "t.kit timeout", "t.kit invalid_metadata", "t.kit not_found"},
				[]string{"lost kit 1.2.4>- invalid_metadata: seen at"}},
			{"declared", "environment", []schema.WorkerRuntime{declaredOnly}, []string{"t.kit available", "t.kit not_found"},
				[]string{"gained kit ->- -", "lost kit 1.0.0>- now declared by the worker's environment and not verified"}},
			{"verified again", "", []schema.WorkerRuntime{first}, []string{"t.kit available 1.0.0 /bin/kit", "t.kit not_found"},
				[]string{"gained kit ->1.0.0 /bin/kit", "lost kit ->- now verified, and not found"}},
			{"others are declared", "config", nil, []string{},
				[]string{"lost kit 1.0.0>- no longer requested: not in the list of runtimes in the worker's config"}},
		} {
			changes, err := e.Workers.Report(t.Context(), w.ID, "i1", *foundBy(t, step.source, step.rows...))
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
			if diff := cmp.Diff(step.want, shown(rows)); err != nil || diff != "" {
				t.Errorf("%s: rows: %v (-want +got):\n%s", step.name, err, diff)
			}
			got := describe(changes)
			for i := range got {
				got[i] = strings.TrimSpace(got[i])
			}
			if diff := cmp.Diff(step.changes, got); diff != "" {
				t.Errorf("%s: changes (-want +got):\n%s", step.name, diff)
			}
		}
	})
}

// TestUnchangedRowsAreNotWritten looks at the time that every write leaves.
func TestUnchangedRowsAreNotWritten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		at := time.Now().Add(-time.Minute)
		reported := func(evidence string, since *time.Time) []schema.WorkerRuntime {
			rows := []schema.WorkerRuntime{
				row("core.python", "python", "3.12.1", "/usr/bin/python3"), row("core.shell", "shell", "5.2", "/bin/sh"), negative("core.ruby", "ruby", "not_found", "no"),
			}
			for i := range rows {
				rows[i].VerifiedAt, rows[i].Evidence = &at, json.RawMessage(evidence)
			}
			rows[1].UnconfirmedSince = since
			return rows
		}
		w := running(t, e, "host-1", reported(`[1]`, nil)...)
		backdate(t, e, "worker_runtime")
		written := func() []string {
			rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
			if err != nil {
				t.Fatal(err)
			}
			var fresh []string
			for _, r := range rows {
				if r.Updated.After(r.Created) {
					fresh = append(fresh, r.Name)
				}
			}
			return fresh
		}
		report := func(rows []schema.WorkerRuntime) {
			t.Helper()
			changes, err := e.Workers.Report(t.Context(), w.ID, "i1", *found(t, rows...))
			if err != nil || len(changes) > 0 {
				t.Fatalf("report: %v, changes %v", err, changes)
			}
		}
		report(reported(`[2]`, nil))
		if got := written(); got != nil {
			t.Errorf("the same report wrote %v", got)
		}
		// A row that is written brings its evidence; the first moment stays.
		since := at.Add(-time.Hour)
		report(reported(`[3]`, &since))
		if diff := cmp.Diff([]string{"shell"}, written()); diff != "" {
			t.Errorf("unconfirmed (-want +got):\n%s", diff)
		}
		later := at
		report(reported(`[3]`, &later))
		rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
		if err != nil || len(rows) != 3 {
			t.Fatal(rows, err)
		}
		if shell := rows[2]; shell.UnconfirmedSince == nil || shell.UnconfirmedSince.Sub(since).Abs() > time.Minute || meaning(t, shell.Evidence) != "[3]" {
			t.Errorf("shell is unconfirmed since %v with %s, want %v and [3]", shell.UnconfirmedSince, shell.Evidence, since)
		}
		backdate(t, e, "worker_runtime")
		report(reported(`[4]`, nil))
		if diff := cmp.Diff([]string{"shell"}, written()); diff != "" {
			t.Errorf("confirmed again (-want +got):\n%s", diff)
		}
		backdate(t, e, "worker_runtime")
		at = time.Now()
		report(reported(`[5]`, nil))
		if diff := cmp.Diff([]string{"python", "ruby", "shell"}, written()); diff != "" {
			t.Errorf("verified anew (-want +got):\n%s", diff)
		}
	})
}

// TestTimesAreTheDatabases reports from a host whose clock is an hour off.
func TestTimesAreTheDatabases(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for i, off := range []time.Duration{-time.Hour, time.Hour} {
			here := time.Now().Add(off)
			verified, since := here.Add(-2*time.Minute), here.Add(-time.Minute)
			r := row("core.python", "python", "3.12.1", "/usr/bin/python3")
			r.VerifiedAt, r.UnconfirmedSince = &verified, &since
			caps := found(t, r)
			caps.At = here
			w, changes, err := e.Workers.Register(t.Context(), store.Registration{Name: fmt.Sprint("host-", i), Role: metadata.Worker, Capabilities: caps})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID)
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string][2]time.Time{
				"verified": {*rows[0].VerifiedAt, time.Now().Add(-2 * time.Minute)}, "unconfirmed": {*rows[0].UnconfirmedSince, time.Now().Add(-time.Minute)},
				"changed": {changes[0].Created, time.Now()},
			} {
				if pair[0].Sub(pair[1]).Abs() > 30*time.Second {
					t.Errorf("%v off: %s at %v, want %v", off, what, pair[0], pair[1])
				}
			}
		}
	})
}

func TestReportOfWhoIsNotAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "host-1", row("core.python", "python", "3.12", "/usr/bin/python3"))
		_, err := e.Workers.Report(t.Context(), w.ID, "i2", *found(t))
		wantError(t, err, "superseded", fmt.Sprintf("report worker %d: superseded by instance i1", w.ID))
		_, err = e.Workers.Report(t.Context(), 99, "i1", *found(t))
		wantError(t, err, "not found", "report worker 99: not found")
		if rows, err := e.WorkerRuntimes.ByWorker(t.Context(), w.ID); err != nil || len(rows) != 1 {
			t.Errorf("rows %v, %v; want the one there was", shown(rows), err)
		}
		// All or nothing: the document and the rows before it go back too.
		broken := found(t, row("core.ruby", "ruby", "3.3", "/usr/bin/ruby"), row("core.perl", "perl", "5.36", "/usr/bin/perl"))
		broken.Runtimes[1].Evidence = json.RawMessage(`["\u0000"]`)
		if e.postgres { // SQLite stores it
			_, err = e.Workers.Report(t.Context(), w.ID, "i1", *broken)
			wantError(t, err, "invalid", fmt.Sprintf("report worker %d: invalid: ", w.ID))
			now, _ := e.Workers.Get(t.Context(), w.ID)
			if n := count(t, e, "worker_runtime"); n != 1 || strings.Contains(string(now.Capabilities), "ruby") {
				t.Errorf("%d rows and %s after a failed report", n, now.Capabilities)
			}
		}
	})
}

// TestNotification listens on a real connection. A report that is rolled back sends nothing,
// and another one sends one notice.
func TestNotification(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	listener := listen(t, e, store.ChangeChannel)
	w := running(t, e, "host-1")
	boom := errors.New("boom")
	err := e.RunInTx(ctx, nil, func(ctx context.Context, tx bunTx) error {
		if _, err := store.New(tx, store.Config{Schema: "attune"}).Workers.Report(ctx, w.ID, "i1", *found(t, row("core.a", "a", "1", "/a"))); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if _, err := e.Workers.Report(ctx, w.ID, "i1", *found(t)); err != nil { // nothing changes
		t.Fatal(err)
	}
	changes, err := e.Workers.Report(ctx, w.ID, "i1", *found(t, row("core.b", "b", "1", "/b"), row("core.c", "c", "1", "/c")))
	if err != nil {
		t.Fatal(err)
	}
	var got store.ChangeNotice
	if err := json.Unmarshal([]byte(listener(ctx)), &got); err != nil {
		t.Fatal(err)
	}
	if want := (store.ChangeNotice{Schema: "attune", Worker: w.ID, First: changes[0].ID, Last: changes[1].ID}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestReportWhileDefinitionsGo deletes a definition between its look-up and the row that
// refers to it. The database refuses the row, and the report succeeds with another attempt.
func TestReportWhileDefinitionsGo(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	w := store.New(db.DB, store.Config{}).Workers
	interval := 600
	worker, _, err := w.Register(t.Context(), store.Registration{Name: "w", Role: metadata.Worker, Instance: new("i"), HeartbeatInterval: &interval})
	if err != nil {
		t.Fatal(err)
	}
	// A sequence goes on counting when its transaction is rolled back.
	if _, err := db.ExecContext(t.Context(), `CREATE SEQUENCE tries;
		CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('tries') <= 2 THEN RAISE foreign_key_violation; END IF; RETURN NEW; END $$;
		CREATE TRIGGER gone BEFORE INSERT ON worker_runtime FOR EACH ROW EXECUTE FUNCTION gone()`); err != nil {
		t.Fatal(err)
	}
	changes, err := w.Report(t.Context(), worker.ID, "i", *found(t, row("t.alpha", "alpha", "1.0.0", "/alpha")))
	if err != nil || len(changes) != 1 {
		t.Errorf("%d changes, %v; want the report to arrive", len(changes), err)
	}
	if _, _, err := w.Register(t.Context(), store.Registration{Name: "w", Role: metadata.Worker, Instance: new("i"), HeartbeatInterval: &interval,
		Capabilities: found(t, row("t.beta", "beta", "1.0.0", "/beta"))}); err != nil {
		t.Error(err)
	}
}
