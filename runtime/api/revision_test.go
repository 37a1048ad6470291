package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestRevisions: an answer has a revision that its content decides and heartbeats do not.
func TestRevisions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		var list workerList
		s.get("/v1/workers?name=web-1", &list)
		id := list.Items[0].ID
		worker := "/v1/workers/" + itoa(id)
		paths := []string{
			"/v1/workers", worker, worker + "/runtimes", worker + "/history", worker + "/explain?runtime=python", "/v1/runtimes", "/v1/runtimes/core.python",
			"/v1/runtimes/core.python/versions", "/v1/matrix", "/v1/matrix/groups?by=role", "/v1/changes", "/v1/packs",
		}
		tags := map[string]string{}
		for _, path := range paths {
			tags[path] = s.get(path, nil).Header.Get("ETag")
		}
		if _, err := s.store.Workers.Heartbeat(t.Context(), id, "i-web-1"); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			got := s.request(http.MethodGet, path, "", "If-None-Match", `"other", `+tags[path])
			if tags[path] == "" || got.StatusCode != http.StatusNotModified || got.Header.Get("ETag") != tags[path] {
				t.Errorf("%s: %d with the revision %q of a moment ago, now %q", path, got.StatusCode, tags[path], got.Header.Get("ETag"))
			}
		}
		if _, err := s.store.Workers.Update(t.Context(), id, store.WorkerChanges{}); err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Fatal(err)
		}
		if err := s.store.Workers.Deactivate(t.Context(), id, "i-web-1"); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/v1/workers", worker, worker + "/explain?runtime=python", "/v1/matrix"} {
			if got := s.request(http.MethodGet, path, "", "If-None-Match", tags[path]); got.StatusCode != http.StatusOK {
				t.Errorf("%s: %d after the worker ended", path, got.StatusCode)
			}
		}
		s.refused(s.request(http.MethodPost, worker+"/refresh", "", "If-Match", tags[worker]), http.StatusPreconditionFailed, api.PreconditionFailed)
		if got := s.request(http.MethodPost, worker+"/refresh", "", "If-Match", "*"); got.StatusCode != http.StatusAccepted {
			t.Errorf("%d", got.StatusCode)
		}
		for _, path := range paths {
			got := s.request(http.MethodGet, path, "", "If-Match", `"x"`, "If-None-Match", s.get(path, nil).Header.Get("ETag"))
			s.refused(got, http.StatusPreconditionFailed, api.PreconditionFailed)
		}
		for _, path := range []string{worker + "/refresh", worker + "/uncordon", "/v1/refreshes?name=*", "/v1/operations?name=*"} {
			for _, header := range [][]string{{"If-Match", `"x"`}, {"If-None-Match", "*"}} {
				body := ""
				if strings.Contains(path, "operations") {
					body = `{"operation": "uncordon"}`
				}
				s.refused(s.request(http.MethodPost, path, body, header...), http.StatusPreconditionFailed, api.PreconditionFailed)
			}
		}
		s.refused(s.request(http.MethodPost, "/v1/workers/999/refresh", "", "If-Match", "*"), http.StatusNotFound, api.NotFound)
		for _, match := range []string{"*", `"x"`, tags[worker]} { // a selection has no revision
			s.refused(s.request(http.MethodPost, "/v1/refreshes?id=1", "", "If-Match", match), http.StatusPreconditionFailed, api.PreconditionFailed)
			s.refused(s.request(http.MethodPost, "/v1/operations?id=1", `{"operation": "cordon"}`, "If-Match", match), http.StatusPreconditionFailed, api.PreconditionFailed)
		}
	})
}

// TestRevisionsMove: each change of a worker changes the revision of what is made of it, and nothing of the
// answer changes without it.
func TestRevisionsMove(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		var list workerList
		s.get("/v1/workers?name=web-2", &list)
		id := list.Items[0].ID
		worker := "/v1/workers/" + itoa(id)
		table := s.store.Layout().Table("worker")
		exec := func(query string, args ...any) func() error {
			return func() error { _, err := db.ExecContext(t.Context(), query, args...); return err }
		}
		post := func(path, body string) func() error {
			return func() error {
				if got := s.request(http.MethodPost, worker+path, body); got.StatusCode >= http.StatusBadRequest {
					return errors.New(string(got.body))
				}
				return nil
			}
		}
		paths := []string{worker, worker + "?include=document", worker + "/explain?runtime=python&include=evidence", worker + "/runtimes", worker + "/diff?with=1"}
		type state struct{ tag, body string }
		read := func(path string) state {
			var content map[string]any
			got := s.get(path, &content)
			for _, name := range []string{"now", "last_heartbeat", "silent_seconds"} {
				delete(content, name)
				if of, ok := content["worker"].(map[string]any); ok {
					delete(of, name)
				}
			}
			text, err := json.Marshal(content)
			if err != nil {
				t.Fatal(err)
			}
			return state{got.Header.Get("ETag"), string(text)}
		}
		before := map[string]state{}
		for _, path := range paths {
			before[path] = read(path)
		}
		for _, c := range []struct {
			name   string
			change func() error
		}{
			{"heartbeat", func() error { _, err := s.store.Workers.Heartbeat(t.Context(), id, "i-web-2"); return err }},
			{"cordon", post("/cordon", "{}")},
			{"cordon for a reason", post("/cordon", `{"reason": "disk"}`)},
			{"uncordon", post("/uncordon", "")},
			{"taint", post("/taint", `{"key": "slow"}`)},
			{"taint with a value", post("/taint", `{"key": "slow", "value": "disk"}`)},
			{"untaint", post("/untaint", `{"key": "slow"}`)},
			{"refresh", post("/refresh", "")},
			{"host", exec("UPDATE "+table+" SET host = 'moved' WHERE id = ?", id)},
			{"meta", exec("UPDATE "+table+` SET meta = '{"a": 1}' WHERE id = ?`, id)},
			{"report", func() error {
				reports.Register(t, db, metadata.Worker, "web-2", with("3.12.9"))
				return nil
			}},
			{"stale", exec("UPDATE "+table+" SET heartbeat_interval = 0, last_heartbeat = created WHERE id = ?", id)},
			{"end", func() error { return s.store.Workers.Deactivate(t.Context(), id, "i-web-2") }},
		} {
			if err := c.change(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			changed := 0
			for _, path := range paths {
				now := read(path)
				if now.body != before[path].body {
					if changed++; now.tag == before[path].tag {
						t.Errorf("%s: %s has the same revision, but was\n%s\nand is\n%s", c.name, path, before[path].body, now.body)
					}
				}
				before[path] = now
			}
			if (changed == 0) != (c.name == "heartbeat") {
				t.Errorf("%s changes %d answers", c.name, changed)
			}
		}
	})
}

// TestStatementsOfOneWorker: one worker is read by its ID with a few statements, and its revision alone with one.
func TestStatementsOfOneWorker(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	counted := new(statements)
	db.DB = db.WithQueryHook(counted)
	st := store.New(db, store.Config{Schema: db.Schema})
	a, err := api.New(st, api.Config{Authorize: byName})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := st.Workers.List(t.Context(), store.Listing{})
	if err != nil {
		t.Fatal(err)
	}
	tag := ""
	for _, want := range []struct{ status, statements int }{{http.StatusOK, 7}, {http.StatusNotModified, 1}} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/workers/"+itoa(ids[0]), http.NoBody)
		req.Header.Set("Authorization", "Bearer read")
		req.Header.Set("If-None-Match", tag)
		rec, before := httptest.NewRecorder(), counted.n.Load()
		a.Handler().ServeHTTP(rec, req)
		if n := int(counted.n.Load() - before); rec.Code != want.status || n > want.statements {
			t.Errorf("%d with %d statements, want %d with at most %d", rec.Code, n, want.status, want.statements)
		}
		tag = rec.Header().Get("ETag")
	}
}
