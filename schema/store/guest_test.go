package store_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/layout"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// eachGuest runs a test on a database of each shape of the platform that attune has moved
// into.
func eachGuest(t *testing.T, test func(t *testing.T, db *testdb.DB, shape platform.Shape)) {
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			test(t, guestOf(t, shape), shape)
		})
	}
}

// guestOf returns a database of a shape of the platform that attune has moved into.
func guestOf(t *testing.T, shape platform.Shape) *testdb.DB {
	t.Helper()
	db := platform.New(t, shape)
	m, err := migrations.New(db.DB, migrations.Config{})
	if err == nil {
		_, err = m.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func openGuest(t *testing.T, db *testdb.DB, cfg store.Config) *store.Store {
	t.Helper()
	cfg.Schema = platform.Schema
	st, err := store.Open(t.Context(), db.DB, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func guestCaps(versions ...string) *store.Capabilities {
	caps := &store.Capabilities{Document: json.RawMessage(`{"runtimes": []}`)}
	for _, v := range versions {
		caps.Document = json.RawMessage(`{"runtimes": ["python"], "labels": {"zone": "b"}}`)
		caps.Runtimes = append(caps.Runtimes, schema.WorkerRuntime{
			RuntimeRef: "core.python", Name: "python", Outcome: schema.OutcomeAvailable, Version: v, Path: "/usr/bin/python" + v,
		})
	}
	return caps
}

// platforms is what is the platform's, without its own history of workers and the rows of
// worker.
func platforms(t *testing.T, db *testdb.DB) []string {
	t.Helper()
	return slices.DeleteFunc(platform.Theirs(platform.Snapshot(t, db)), func(line string) bool { return strings.HasPrefix(line, "rows worker") })
}

const foreignRows = `SELECT coalesce(string_agg(w::text, E'\n' ORDER BY id), '') FROM attune.worker w WHERE id < 1000`

func text(t *testing.T, db *testdb.DB, query string, args ...any) string {
	t.Helper()
	var found string
	if err := db.NewRaw(query, args...).Scan(t.Context(), &found); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}

// TestGuestWorker: a worker of attune's registers, beats, reports, is swept and revived,
// ends and is deleted, and the platform's rows stay as they are.
func TestGuestWorker(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		ctx := t.Context()
		st := openGuest(t, db, store.Config{})
		before, rows := platforms(t, db), text(t, db, foreignRows)
		request := store.Registration{
			Name: "attune-worker-x", Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(10), Host: ptr("x"), Capabilities: guestCaps("3.12.1"),
		}
		row, changes, err := st.Workers.Register(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) != 1 || row.Identity == nil || *row.Identity != "action/attune-worker-x" || *row.Status != schema.WorkerActive || row.LastHeartbeat == nil {
			t.Errorf("registered %+v with %d changes", row, len(changes))
		}
		again, changes, err := st.Workers.Register(ctx, request)
		if err != nil || again.ID != row.ID || len(changes) > 0 {
			t.Errorf("registered again: row %v, %d changes, %v; want row %d", again, len(changes), err, row.ID)
		}
		other := request
		other.Instance = ptr("i2")
		var live *store.LiveError
		if _, _, err := st.Workers.Register(ctx, other); !errors.As(err, &live) || live.Instance != "i1" {
			t.Errorf("second instance: %v, want that i1 is live", err)
		}

		// The platform's scheduler must not choose it.
		chosen := `SELECT count(*) FROM attune.worker WHERE id = ? AND status = 'active' AND last_heartbeat > now() - interval '90 seconds'`
		if shape.Has(platform.A) {
			chosen += ` AND NOT capabilities->'taints' @> '[{"key": "attune/report-only", "effect": "no_schedule"}]'`
		}
		if n := text(t, db, chosen, row.ID); n != "0" {
			t.Error("the platform's scheduler would choose attune's worker")
		}
		beat, err := st.Workers.Heartbeat(ctx, row.ID, "i1")
		if err != nil || beat.Revived || beat.RefreshRequested != nil {
			t.Errorf("heartbeat = %+v, %v", beat, err)
		}
		if n, err := st.Workers.RequestRefresh(ctx, row.ID, 1); n != 1 || err != nil {
			t.Errorf("refresh of attune's and a foreign worker: %d, %v; want 1", n, err)
		}
		if beat, err = st.Workers.Heartbeat(ctx, row.ID, "i1"); err != nil || beat.RefreshRequested == nil {
			t.Errorf("heartbeat after a request = %+v, %v", beat, err)
		}
		if changes, err = st.Workers.Report(ctx, row.ID, "i1", *guestCaps("3.12.1", "3.13.0")); err != nil || len(changes) != 1 {
			t.Errorf("report: %d changes, %v", len(changes), err)
		}
		if _, err := st.Workers.Report(ctx, row.ID, "i2", *guestCaps()); !errors.Is(err, store.ErrSuperseded) {
			t.Errorf("report of another instance: %v", err)
		}
		having, err := st.Workers.Having(ctx, "core.python", store.HavingFilter{Limit: 5})
		var names []string
		for _, m := range having {
			names = append(names, m.Name+" "+m.Version)
		}
		if diff := cmp.Diff([]string{"attune-worker-x 3.13.0", "worker-alpha 3.12.1"}, names); err != nil || diff != "" {
			t.Errorf("%v; having python (-want +got):\n%s", err, diff)
		}
		if having, err := st.Workers.Having(ctx, "core.elixir", store.HavingFilter{}); err != nil || len(having) > 0 {
			t.Errorf("the core pack needs no rows here: %v, %v", having, err)
		}
		var unknown *store.UnknownRuntimeError
		if _, err := st.Workers.Having(ctx, "core.elxir", store.HavingFilter{}); !errors.As(err, &unknown) || unknown.Near != "core.elixir" {
			t.Errorf("an unknown ref: %v", err)
		}

		if _, err := db.ExecContext(ctx, `UPDATE attune.attune_worker_state SET last_heartbeat = now() - interval '1 hour'`); err != nil {
			t.Fatal(err)
		}
		swept, err := st.Workers.Sweep(ctx, time.Second, store.HeartbeatSpan{})
		if err != nil || len(swept) != 1 || swept[0].ID != row.ID {
			t.Errorf("swept %v, %v; want attune's worker alone", swept, err)
		}
		if beat, err = st.Workers.Heartbeat(ctx, row.ID, "i1"); err != nil || !beat.Revived {
			t.Errorf("heartbeat after a sweep = %+v, %v", beat, err)
		}
		if _, err := st.Workers.Prune(ctx, time.Second, 24*time.Hour); err != nil {
			t.Error(err)
		}
		if history, err := st.Changes.List(ctx, store.ChangeFilter{Names: []string{"attune-*"}}); err != nil || len(history) != 2 {
			t.Errorf("history %v, %v", history, err)
		}
		if last, err := st.Changes.Last(ctx); err != nil || last == 0 {
			t.Errorf("last change %d, %v", last, err)
		}
		found, err := st.Workers.ByIdentity(ctx, metadata.Worker, "attune-worker-x")
		if err != nil || found.ID != row.ID {
			t.Errorf("by identity: %v, %v", found, err)
		}
		if _, err := st.Workers.ByIdentity(ctx, metadata.Worker, "worker-alpha"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a foreign row by identity: %v, want not found", err)
		}
		if _, err := st.Workers.Update(ctx, row.ID, store.WorkerChanges{Port: metadata.Some(ptr(99)), Status: metadata.Some(ptr(schema.WorkerBusy))}); err != nil {
			t.Error(err)
		}
		if _, err := st.Workers.Update(ctx, 1, store.WorkerChanges{Port: metadata.Some(ptr(99))}); !errors.Is(err, store.ErrForeign) {
			t.Errorf("update of a foreign row: %v", err)
		}
		if err := st.Workers.Delete(ctx, 1); !errors.Is(err, store.ErrForeign) {
			t.Errorf("delete of a foreign row: %v", err)
		}
		if err := st.Workers.Deactivate(ctx, row.ID, "i1"); err != nil {
			t.Error(err)
		}
		if _, err := st.Workers.Heartbeat(ctx, row.ID, "i1"); !errors.Is(err, store.ErrSuperseded) {
			t.Errorf("late heartbeat: %v", err)
		}
		if err := st.Workers.Delete(ctx, row.ID); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(before, platforms(t, db)); diff != "" {
			t.Errorf("the platform's (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(rows, text(t, db, foreignRows)); diff != "" {
			t.Errorf("the platform's workers (-before +after):\n%s", diff)
		}
	})
}

// TestGuestTaken: a name that another row has is refused; a row of the platform's is taken
// only when asked, and given back.
func TestGuestTaken(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, _ platform.Shape) {
		ctx := t.Context()
		st := openGuest(t, db, store.Config{})
		const row3 = `SELECT to_jsonb(w) - 'updated' FROM attune.worker w WHERE id = 3`
		rows := text(t, db, row3)
		request := store.Registration{Name: "sensor-gamma", Role: metadata.Sensor, Instance: ptr("i1"), HeartbeatInterval: ptr(10), Capabilities: guestCaps("3.12.1")}
		_, _, err := st.Workers.Register(ctx, request)
		var taken *store.TakenError
		if !errors.As(err, &taken) || taken.ID != 3 || taken.Identity != "" || !errors.Is(err, store.ErrTaken) {
			t.Fatalf("register: %v, want that row 3 of the platform's has the name", err)
		}
		other := request
		other.Role = metadata.Worker
		if _, _, err := st.Workers.Register(ctx, other); !errors.As(err, &taken) {
			t.Errorf("register with another role: %v, want that the name is taken", err)
		}
		request.Takeover = true
		row, _, err := st.Workers.Register(ctx, request)
		if err != nil || row.ID != 3 {
			t.Fatalf("take over: %v, %v", row, err)
		}
		other.Takeover = true
		if _, _, err := st.Workers.Register(ctx, other); !errors.As(err, &taken) || taken.Identity != "sensor/sensor-gamma" {
			t.Errorf("take over what is attune's: %v", err)
		}
		if _, err := st.Workers.Heartbeat(ctx, 3, "i1"); err != nil {
			t.Error(err)
		}
		if n, err := st.Workers.DeleteAll(ctx, 3); n != 1 || err != nil {
			t.Errorf("delete: %d, %v", n, err)
		}
		if got := text(t, db, row3); got != rows {
			t.Errorf("given back:\n%s\nwant\n%s", got, rows)
		}
	})
}

// TestGuestReportOnly: what was asked for counts, and a platform that takes executions sees
// what it knows.
func TestGuestReportOnly(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		for _, reportOnly := range []*bool{nil, ptr(true), ptr(false)} {
			st := openGuest(t, db, store.Config{ReportOnly: reportOnly})
			row, _, err := st.Workers.Register(t.Context(), store.Registration{
				Name: "x", Role: metadata.Worker, Instance: ptr("i"), HeartbeatInterval: ptr(10), Capabilities: guestCaps("3.12.1"),
			})
			if err != nil {
				t.Fatal(err)
			}
			reports := reportOnly == nil || *reportOnly
			tainted := text(t, db, `SELECT coalesce(capabilities->'taints' @> '[{"key": "attune/report-only"}]', false)::text FROM attune.worker WHERE id = ?`, row.ID) == "true"
			active := text(t, db, `SELECT (status = 'active' AND last_heartbeat IS NOT NULL)::text FROM attune.worker WHERE id = ?`, row.ID) == "true"
			if tainted != reports || active != (!reports || shape.Has(platform.A)) {
				t.Errorf("report only %v: taint %v, active %v", reportOnly, tainted, active)
			}
		}
	})
}

// TestGuestRegisterAtOnce: of many processes with one identity one has it.
func TestGuestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, _ platform.Shape) {
		st := openGuest(t, db, store.Config{})
		const processes = 8
		results := make(chan error, processes)
		for i := range processes {
			go func() {
				_, _, err := st.Workers.Register(t.Context(), store.Registration{
					Name: "x", Role: metadata.Worker, Instance: ptr(string(rune('a' + i))), HeartbeatInterval: ptr(10), Capabilities: guestCaps("3.12.1"),
				})
				results <- err
			}()
		}
		won := 0
		for range processes {
			if err := <-results; err == nil {
				won++
			} else if !errors.Is(err, store.ErrLive) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d processes have the name, want 1", won)
		}
	})
}

// TestGuestDefinitions: definitions of attune's are written beside the platform's, whose own
// are not written.
func TestGuestDefinitions(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		ctx := t.Context()
		if shape.Has(platform.V) { // not every platform has defaults
			if _, err := db.ExecContext(ctx, `ALTER TABLE attune.runtime ALTER execution_config DROP DEFAULT;
				ALTER TABLE attune.runtime_version ALTER execution_config DROP DEFAULT, ALTER distributions DROP DEFAULT`); err != nil {
				t.Fatal(err)
			}
		}
		st := openGuest(t, db, store.Config{})
		before := platform.Snapshot(t, db)
		mark := func() string {
			t.Helper()
			m, err := st.DefinitionsMark(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		first := mark()
		def := &metadata.Definition{
			Ref: "acme.tool", Name: "Tool", Aliases: metadata.Aliases{"tool", "to'ol"},
			Versions: []metadata.VersionDefinition{{Version: "2.1"}, {Version: "2.0", IsDefault: true}},
		}
		for range 2 {
			if _, err := st.Runtimes.UpsertDefinition(ctx, def, ptr("d1")); err != nil {
				t.Fatal(err)
			}
		}
		if mark() == first {
			t.Error("the mark does not show a definition of attune's")
		}
		row, err := st.Runtimes.Resolve(ctx, "TO'OL")
		if err != nil || row.Digest == nil || *row.Digest != "d1" || !slices.Equal(row.Aliases, def.Aliases) {
			t.Errorf("resolved %+v, %v", row, err)
		}
		if shape.Has(platform.A) {
			if n := text(t, db, `SELECT count(*) FROM attune.runtime WHERE aliases @> ARRAY['tool']::text[]`); n != "1" {
				t.Error("the platform does not find attune's alias")
			}
		}
		got, err := st.Runtimes.Definition(ctx, "acme.tool")
		if err != nil || len(got.Versions) != 2 || got.Versions[0].Version != "2.1" || !got.Versions[1].IsDefault {
			t.Errorf("definition %+v, %v", got, err)
		}
		if _, err := st.Runtimes.Update(ctx, "acme.tool", store.RuntimeChanges{Aliases: metadata.Some(metadata.Aliases{"t"}), Name: metadata.Some("T")}); err != nil {
			t.Error(err)
		}
		if row, err := st.Runtimes.Resolve(ctx, "t"); err != nil || row.Name != "T" {
			t.Errorf("after an update: %+v, %v", row, err)
		}
		for what, err := range map[string]error{
			"upsert": second(st.Runtimes.UpsertDefinition(ctx, &metadata.Definition{Ref: "core.python", Name: "P"}, nil)),
			"update": second(st.Runtimes.Update(ctx, "core.python", store.RuntimeChanges{Name: metadata.Some("P")})),
			"delete": st.Runtimes.Delete(ctx, "etl.none"),
		} {
			if want := map[bool]error{true: store.ErrNotFound, false: store.ErrForeign}[what == "delete"]; !errors.Is(err, want) {
				t.Errorf("%s of a row of the platform's: %v", what, err)
			}
		}
		if err := st.Runtimes.Create(ctx, &schema.Runtime{Ref: "core.python", Name: "P"}); !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("create what is there: %v", err)
		}
		if err := st.Runtimes.Delete(ctx, "go"); !errors.Is(err, store.ErrForeign) {
			t.Errorf("delete a runtime of the platform's: %v", err)
		}
		if err := st.Runtimes.Delete(ctx, "acme.tool"); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(withoutMark(before), withoutMark(platform.Snapshot(t, db))); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestGuestLooking: a database that attune has not moved into is read as far as its tables
// say.
func TestGuestLooking(t *testing.T) {
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			db := platform.New(t, shape)
			ctx := t.Context()
			l, err := layout.Read(ctx, db.DB, platform.Schema)
			if err != nil {
				t.Fatal(err)
			}
			st := store.New(db.DB, store.Config{Layout: l})
			defs, err := st.Definitions(ctx)
			retired := map[bool]int{true: 1}[shape.Has(platform.C)]
			added := map[bool]int{true: 1}[shape.Has(platform.A)]
			if want := 8 + added - retired; err != nil || len(defs) != want {
				t.Errorf("%d definitions, %v; want %d", len(defs), err, want)
			}
			workers, err := st.Workers.Select(ctx, store.Selection{})
			if err != nil || len(workers) != 4 {
				t.Errorf("workers %v, %v", workers, err)
			}
			if rows, err := st.WorkerRuntimes.ByWorker(ctx, 1); err != nil || len(rows) != 0 {
				t.Errorf("runtimes of a worker: %v, %v", rows, err)
			}
			if history, err := st.Changes.List(ctx, store.ChangeFilter{}); err != nil || len(history) != 0 {
				t.Errorf("history: %v, %v", history, err)
			}
		})
	}
}

// TestGuestMayDelete: a login that lacks a right on a table of attune's is refused before the
// deletion as by it.
func TestGuestMayDelete(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, _ platform.Shape) {
		roles := testdb.MakeRoles(t, db, `DO $$ BEGIN CREATE ROLE attune_operator NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
			GRANT USAGE ON SCHEMA attune TO attune_operator; GRANT ALL ON ALL TABLES IN SCHEMA attune TO attune_operator`)
		st := openGuest(t, db, store.Config{})
		worker, _, err := st.Workers.Register(t.Context(), store.Registration{Name: "build-7", Role: metadata.Worker, Capabilities: guestCaps()})
		if err != nil {
			t.Fatal(err)
		}
		runtime := &schema.Runtime{Ref: "acme.cobol", Name: "COBOL"}
		if err := st.Runtimes.Create(t.Context(), runtime); err != nil {
			t.Fatal(err)
		}
		operator, err := store.Open(t.Context(), open(t, roles.Login(t, "operator-"+strings.ToLower(rand.Text()[:8]), "attune_operator")), store.Config{Schema: platform.Schema})
		if err != nil {
			t.Fatal(err)
		}
		workers := func() (may, did error) {
			_, did = operator.Workers.DeleteAll(t.Context(), worker.ID)
			return operator.Workers.MayDelete(t.Context()), did
		}
		runtimes := func() (may, did error) {
			did = operator.Runtimes.Delete(t.Context(), runtime.Ref)
			return operator.Runtimes.MayDelete(t.Context()), did
		}
		for _, c := range []struct {
			right  string
			delete func() (may, did error)
		}{
			{"UPDATE ON attune.attune_worker_state", workers}, {"DELETE ON attune.attune_worker_state", workers},
			{"UPDATE ON attune.attune_runtime_state", runtimes},
		} {
			for _, sql := range []string{"REVOKE " + c.right + " FROM attune_operator", "GRANT " + c.right + " TO attune_operator"} {
				if err := roles.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(sql, "GRANT") {
					continue
				}
				may, did := c.delete()
				for _, err := range []error{may, did} {
					if err == nil || !strings.Contains(err.Error(), "42501") {
						t.Errorf("%s: %v; want it to be refused", sql, err)
					}
				}
			}
		}
		for what, delete := range map[string]func() (may, did error){"workers": workers, "runtimes": runtimes} {
			if may, did := delete(); may != nil || did != nil {
				t.Errorf("%s with all rights: %v, %v", what, may, did)
			}
		}
	})
}

// withoutMark leaves out the mark that counts changes of definitions.
func withoutMark(snapshot []string) []string {
	return slices.DeleteFunc(slices.Clone(snapshot), func(line string) bool { return strings.HasPrefix(line, "rows attune_definition_mark ") })
}

// TestGuestUpdateIsSkipped: an update of the platform's row that writes none is an error, and nothing of a registration
// or a report stays.
func TestGuestUpdateIsSkipped(t *testing.T) {
	t.Parallel()
	db := guestOf(t, platform.C)
	st := openGuest(t, db, store.Config{})
	skip := func(do string) {
		t.Helper()
		for _, s := range []string{`CREATE OR REPLACE FUNCTION attune.skips() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`, do} {
			if _, err := db.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	const begin = `CREATE TRIGGER skips BEFORE UPDATE ON attune.worker FOR EACH ROW WHEN (OLD.id > 100) EXECUTE FUNCTION attune.skips()`
	request := store.Registration{Name: "x", Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(10), Capabilities: guestCaps("3.12.1")}
	skip(begin)
	if _, _, err := st.Workers.Register(t.Context(), request); !errors.Is(err, store.ErrHidden) {
		t.Errorf("register: %v, want ErrHidden", err)
	}
	if n := text(t, db, `SELECT (SELECT count(*) FROM attune.worker WHERE name = 'x') + (SELECT count(*) FROM attune.attune_worker_state)`); n != "0" {
		t.Errorf("%s rows of a refused registration", n)
	}
	skip(`DROP TRIGGER skips ON attune.worker`)
	row, _, err := st.Workers.Register(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	skip(begin)
	const rows = `SELECT string_agg(version, ' ') FROM attune.attune_worker_runtime WHERE worker = ?`
	if _, err := st.Workers.Report(t.Context(), row.ID, "i1", *guestCaps("3.13.0")); !errors.Is(err, store.ErrHidden) || text(t, db, rows, row.ID) != "3.12.1" {
		t.Errorf("report: %v and %s, want ErrHidden and 3.12.1", err, text(t, db, rows, row.ID))
	}
}

// TestGuestHoldsItselfToTheRules: without guards the platform may write anything, and attune still may not.
func TestGuestHoldsItselfToTheRules(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, _ platform.Shape) {
		for _, guards := range []migrations.Guarding{migrations.GuardingOff, migrations.GuardingWarn} {
			m, err := migrations.New(db.DB, migrations.Config{Guards: guards})
			if err == nil {
				_, err = m.Up(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			st := openGuest(t, db, store.Config{})
			if _, err := db.ExecContext(t.Context(), `UPDATE attune.runtime SET name = '' WHERE ref = 'go'`); err != nil {
				t.Errorf("%s: the platform: %v", guards, err)
			}
			if _, err := st.Runtimes.UpsertDefinition(t.Context(), &metadata.Definition{Ref: "acme.x"}, nil); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: a definition of attune's without a name: %v, want ErrInvalid", guards, err)
			}
			if n := text(t, db, `SELECT count(*) FROM attune.runtime WHERE ref = 'acme.x'`); n != "0" {
				t.Errorf("%s: %s rows of a refused definition", guards, n)
			}
		}
	})
}
