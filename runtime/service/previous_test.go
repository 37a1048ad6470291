package service_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// sent is what an earlier program sent to Postgres: testdata/previous/README.md
// says how it was recorded.
type sent struct {
	program    string // its version
	statements []struct{ session, sql string }
}

func recorded(t *testing.T, path string) *sent {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), "\n")
	s := &sent{program: head[strings.LastIndexByte(head, ' ')+1:]}
	for part := range strings.SplitSeq(strings.TrimPrefix(rest, "-- session "), "\n-- session ") {
		session, statement, found := strings.Cut(part, "\n")
		if !found {
			t.Fatalf("%s: no statement in %q", path, part)
		}
		s.statements = append(s.statements, struct{ session, sql string }{session, statement})
	}
	if !strings.HasPrefix(head, "-- program ") || len(s.statements) < 20 {
		t.Fatalf("%s: %d statements after %q", path, len(s.statements), head)
	}
	return s
}

// send sends it once more, each session's statements by a connection of its own,
// which ends with the last of them.
func (s *sent) send(ctx context.Context, db *testdb.DB) error {
	last := map[string]int{}
	for n, statement := range s.statements {
		last[statement.session] = n
	}
	sessions := map[string]*sql.Conn{}
	end := func(session string) {
		_ = sessions[session].Raw(func(any) error { return driver.ErrBadConn })
		delete(sessions, session)
	}
	defer func() {
		for session := range sessions {
			end(session)
		}
	}()
	for n, statement := range s.statements {
		if sessions[statement.session] == nil {
			conn, err := db.DB.DB.Conn(ctx)
			if err != nil {
				return err
			}
			sessions[statement.session] = conn
		}
		if _, err := sessions[statement.session].ExecContext(ctx, statement.sql); err != nil {
			return fmt.Errorf("statement %d: %w\n%s", n+1, err, statement.sql)
		}
		if last[statement.session] == n {
			end(statement.session)
		}
	}
	return nil
}

// aDatabase is one of the newest schema in which the earlier programs found theirs.
func aDatabase(t *testing.T) *testdb.DB {
	t.Helper()
	db := testdb.Postgres(t)
	text, err := os.ReadFile("testdata/previous/database.sql")
	if err == nil {
		_, err = db.ExecContext(t.Context(), string(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func ask(t *testing.T, db *testdb.DB, query string) (rows []string) {
	t.Helper()
	if err := db.NewRaw(query).Scan(t.Context(), &rows); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

// unifiedOnly is the program that wrote the document alone: it knew of no
// worker_runtime, no instance and no heartbeat.
const unifiedOnly = "testdata/previous/20260203000001_unify_runtimes.sql"

// TestPreviousPrograms: the workers of earlier programs go on working on the newest
// schema.
func TestPreviousPrograms(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/previous/2*.sql")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			db, s := aDatabase(t), recorded(t, file)
			if err := s.send(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			// It is not told to end, as a program that is too old for the schema is.
			program, err := version.Parse(s.program)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range ask(t, db, "SELECT requires FROM attune_migrations") {
				if requires, err := version.Parse(text); err != nil || requires.Compare(program) > 0 {
					t.Errorf("a migration requires %s, %v; the program is %s", text, err, s.program)
				}
			}
			want := []string{
				`adopted action inactive ["native", "python"]`, `previous action inactive ["native"]`, `previous sensor inactive ["native", "python"]`,
			}
			if file != unifiedOnly {
				want = append(want, `running action inactive ["native", "python"]`, `running sensor inactive ["native", "python"]`)
			}
			got := ask(t, db, `SELECT name || ' ' || worker_role || ' ' || status || ' ' || (capabilities ->> 'runtimes') FROM worker ORDER BY name, worker_role`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("workers (-want +got):\n%s", diff)
			}
			// Nobody runs: nothing is there to be used.
			if got := ask(t, db, "SELECT ref FROM available_runtime"); got != nil {
				t.Errorf("available is %q", got)
			}
			for _, fault := range []string{
				`INSERT INTO runtime (ref, name, distributions) VALUES ('a.b', 'b', '{"verification": 5}')`,
				`UPDATE runtime SET distributions = '{"verification": {"commands": [{"args": []}]}}'`,
			} {
				if _, err := db.ExecContext(t.Context(), fault); err == nil || !strings.Contains(err.Error(), "/verification") {
					t.Errorf("%s: %v; want the guard to refuse it", fault, err)
				}
			}
		})
	}
}

// TestPreviousHistory: the one that knew of a history wrote it.
func TestPreviousHistory(t *testing.T) {
	t.Parallel()
	db := aDatabase(t)
	if err := recorded(t, "testdata/previous/20260310000001_worker_runtime.sql").send(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	got := ask(t, db, `SELECT kind || ' ' || name || coalesce(' ' || old_version, '') || coalesce(' to ' || new_version, '')
		FROM capability_change WHERE worker_name = 'running' AND worker_role = 'action' ORDER BY id`)
	want := []string{
		"gained native", "gained python to 3.11.7", "version_changed python 3.11.7 to 3.12.1", "version_changed python 3.12.1 to 3.13.0-rc1",
		"lost python 3.13.0-rc1", "gained python to 3.12.1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestPreviousProgramUnderAName that this program's worker has: what that one
// wrote beside the document is not taken for what the earlier one has.
func TestPreviousProgramUnderAName(t *testing.T) {
	t.Parallel()
	db := aDatabase(t)
	st := store.New(db, store.Config{Schema: db.Schema})
	interval := 600
	row, _, err := st.Workers.Register(t.Context(), store.Registration{
		Name: "previous", Role: metadata.Worker, Instance: new("new"), HeartbeatInterval: &interval,
		Capabilities: &store.Capabilities{Document: []byte(`{"runtimes": ["python"]}`), Runtimes: []schema.WorkerRuntime{
			{RuntimeRef: "core.python", Name: "python", Outcome: schema.OutcomeAvailable, Version: "3.9.1", Path: "/usr/bin/python3"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	having := func() int {
		t.Helper()
		found, err := st.Workers.Having(t.Context(), "core.python", store.HavingFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if view := len(ask(t, db, "SELECT ref FROM available_runtime WHERE ref = 'core.python'")); view != len(found) {
			t.Errorf("available_runtime shows %d, and Having %d", view, len(found))
		}
		return len(found)
	}
	if n := having(); n != 1 {
		t.Fatalf("%d workers have python, want the new one", n)
	}
	if err := recorded(t, unifiedOnly).send(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	// It says that nobody runs, as it always does.
	if n := having(); n != 0 {
		t.Errorf("%d workers have python after the earlier program has registered", n)
	}
	// This program's worker, which was never gone, heals the row.
	if beat, err := st.Workers.Heartbeat(t.Context(), row.ID, "new"); err != nil || !beat.Revived {
		t.Fatalf("beat: %+v, %v", beat, err)
	}
	if n := having(); n != 1 {
		t.Errorf("%d workers have python, want the new one again", n)
	}
	// A platform that marks an earlier worker active does not make one of it that
	// has been verified: there is no row that says so.
	if _, err := db.ExecContext(t.Context(), `UPDATE worker SET status = 'active', last_heartbeat = now(), heartbeat_interval = 600 WHERE name = 'adopted'`); err != nil {
		t.Fatal(err)
	}
	if n := having(); n != 1 {
		t.Errorf("%d workers have python; one of them has a document alone", n)
	}
}

// TestPreviousProgramsAreMissed: what would break them is seen.
func TestPreviousProgramsAreMissed(t *testing.T) {
	t.Parallel()
	const columnWithoutDefault = `ALTER TABLE worker ADD COLUMN zone text NOT NULL DEFAULT ''; ALTER TABLE worker ALTER COLUMN zone DROP DEFAULT`
	for change, file := range map[string]string{
		columnWithoutDefault: unifiedOnly,
		`DROP TRIGGER worker_bound_documents ON worker; ALTER TABLE worker DROP COLUMN meta`: unifiedOnly,
		`ALTER TABLE worker ADD CHECK (instance IS NOT NULL OR identity IS NULL)`:            unifiedOnly,
		`ALTER TABLE runtime RENAME COLUMN aliases TO names`:                                 unifiedOnly,
		`ALTER TABLE runtime_version DROP COLUMN is_default`:                                 unifiedOnly,
		`DROP TRIGGER worker_stamp_updated ON worker; DROP TRIGGER worker_bound_documents ON worker;
			DROP TRIGGER worker_follow_labels_insert ON worker; DROP TRIGGER worker_follow_labels_update ON worker;
			ALTER TABLE worker ALTER COLUMN capabilities TYPE text[] USING '{}'`: unifiedOnly,
		`ALTER TABLE attune_migrations DROP COLUMN requires`:                       unifiedOnly,
		`ALTER TABLE worker_runtime ADD COLUMN zone text NOT NULL`:                 "testdata/previous/20260310000001_worker_runtime.sql",
		`ALTER TABLE capability_change ADD COLUMN zone text NOT NULL`:              "testdata/previous/20260310000001_worker_runtime.sql",
		`DROP FUNCTION sweep_workers(interval, integer, timestamptz, timestamptz)`: "testdata/previous/20260310000001_worker_runtime.sql",
		`ALTER TABLE capability_change ADD CHECK (kind <> 'lost')`:                 "testdata/previous/20260310000001_worker_runtime.sql",
	} {
		t.Run(change, func(t *testing.T) {
			db := aDatabase(t)
			if _, err := db.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if err := recorded(t, file).send(t.Context(), db); err == nil {
				t.Error("it would not be noticed")
			}
		})
	}
}
