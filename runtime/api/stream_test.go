package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// An event is a server-sent event.
type event struct{ id, name, data string }

// A listener reads a stream.
type listener struct {
	t      *testing.T
	events chan event
	close  func()
}

// listen opens a stream.
func (s *server) listen(path string, headers ...string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+s.prefix+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(s.scope))
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	got, err := s.Client().Do(req) //nolint:bodyclose // the goroutine below closes it
	if err != nil {
		s.t.Fatal(err)
	}
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%s: %d %s", path, got.StatusCode, got.Header)
	}
	l := &listener{s.t, make(chan event, 100), cancel}
	go func() {
		defer close(l.events)
		defer got.Body.Close()
		var e event
		for lines := bufio.NewScanner(got.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				l.events <- e
				e = event{}
			}
		}
	}()
	s.t.Cleanup(cancel)
	if first := l.next(); first.name != "begin" {
		s.t.Fatalf("the stream begins with %+v", first)
	}
	return l
}

// next returns the next event. The event of a stream that has ended has no name.
func (l *listener) next() event {
	l.t.Helper()
	select {
	case e := <-l.events:
		return e
	case <-time.After(30 * time.Second):
		l.t.Fatal("no event after 30s")
		return event{}
	}
}

// change returns the next event, which must be a change of a worker.
func (l *listener) change(name string) answer.Change {
	l.t.Helper()
	e := l.next()
	var c answer.Change
	if e.name != "change" || json.Unmarshal([]byte(e.data), &c) != nil || itoa(c.ID) != e.id || c.Name != name {
		l.t.Fatalf("got %+v, want a change of %s", e, name)
	}
	if err := openapi.Valid([]string{"components", "schemas", "Change"}, []byte(e.data)); err != nil {
		l.t.Error(err)
	}
	return c
}

func with(version string) *capability.Document {
	return &capability.Document{Detected: []capability.Installation{reports.Python(version, "/usr/bin/python3")}}
}

// TestStream follows changes, some of them only, and goes on where an earlier stream ended.
func TestStream(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		all, some := s.listen("/v1/changes"), s.listen("/v1/changes?name=b*&runtime=python&role=worker")
		reports.Register(t, db, metadata.Worker, "a-1", with("3.12.1"))
		reports.Register(t, db, metadata.Worker, "b-1", with("3.12.1"))
		first := all.change("a-1")
		all.change("b-1")
		some.change("b-1")
		all.close()
		reports.Register(t, db, metadata.Worker, "c-1", with("3.12.1"))
		some.close()
		again := s.listen("/v1/changes?from=0", "Last-Event-ID", itoa(first.ID)) // the header is newer than the address
		again.change("b-1")
		again.change("c-1")
		var status struct {
			LastChange int64 `json:"last_change"`
			Streams    int
		}
		until(t, "the closed streams have ended", func() bool { s.get("/v1/status", &status); return status.Streams == 1 })
		if status.LastChange != first.ID+2 {
			t.Errorf("%+v", status)
		}
	})
}

// TestHistoryOfStream: a client that comes back is told if changes were deleted.
func TestHistoryOfStream(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		old := "datetime('now', '-2 days')"
		if db.Schema != "" {
			old = "now() - interval '2 days'"
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE capability_change SET created = "+old); err != nil {
			t.Fatal(err)
		}
		s := start(t, db, api.Config{})
		var list struct {
			Items []answer.Change
			Last  int64
		}
		s.get("/v1/changes?from=0&limit=2", &list)
		if len(list.Items) != 2 || list.Items[0].ID != 1 || list.Last != list.Items[1].ID {
			t.Fatalf("%+v", list)
		}
		s.get("/v1/changes?limit=1000&from="+itoa(list.Last), &list)
		last := list.Last
		s.get("/v1/changes?from="+itoa(last), &list)
		if len(list.Items) != 0 || list.Last != last {
			t.Errorf("%+v", list)
		}
		for _, id := range []int64{last + 1, 1 << 62} {
			s.refused(s.request(http.MethodGet, "/v1/changes?from="+itoa(id), ""), http.StatusGone, api.HistoryPruned)
			s.refused(s.request(http.MethodGet, "/v1/changes", "", "Accept", "text/event-stream", "Last-Event-ID", itoa(id)), http.StatusGone, api.HistoryPruned)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM capability_change WHERE id = 3"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"1", "2", "3"} {
			s.refused(s.request(http.MethodGet, "/v1/changes?from="+id, ""), http.StatusGone, api.HistoryPruned)
		}
		s.get("/v1/changes?from=4", &list)
		s.get("/v1/changes?from=0", &list) // what is kept
		if len(list.Items) == 0 {
			t.Error("nothing is kept")
		}
	})
}

// TestSkipPruned reads a long and old history with gaps from its beginning and, where the client asks for that, behind
// what was deleted.
func TestSkipPruned(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		ago := "datetime('now', '-2 days')"
		if db.Schema != "" {
			ago = "now() - interval '2 days'"
		}
		for _, statement := range []string{
			`INSERT INTO capability_change (id, worker, worker_name, worker_role, runtime_ref, name, kind)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
				SELECT 100 + 2 * i, worker, worker_name, worker_role, runtime_ref, name, kind FROM capability_change, n WHERE id = 1`,
			"UPDATE capability_change SET created = " + ago,
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		s := start(t, db, api.Config{})
		type page struct {
			Items []answer.Change
			Last  int64
		}
		var first, second, none page
		s.get("/v1/changes?from=0&limit=1000", &first)
		if len(first.Items) != 1000 || first.Items[0].ID != 1 {
			t.Fatalf("%d changes up to %d", len(first.Items), first.Last)
		}
		from := "/v1/changes?limit=1000&from=" + itoa(first.Last)
		s.refused(s.request(http.MethodGet, from, ""), http.StatusGone, api.HistoryPruned)
		s.get(from+"&pruned=skip", &second)
		if len(second.Items) < 500 || second.Items[0].ID != first.Last+2 || second.Last != 3100 {
			t.Errorf("%d changes up to %d", len(second.Items), second.Last)
		}
		s.get("/v1/changes?from=4000&pruned=skip", &none) // of another history
		if len(none.Items) > 0 || none.Last != 4000 {
			t.Errorf("%+v", none)
		}
		l := s.listen(from + "&pruned=skip")
		for range second.Items {
			l.change("web-1")
		}
		for _, path := range []string{"/v1/changes?pruned=skip", "/v1/changes?pruned=skip&wait=1s", "/v1/changes?from=1&pruned=x"} {
			s.refused(s.request(http.MethodGet, path, ""), http.StatusBadRequest, api.InvalidRequest, "pruned")
		}
	})
}

// TestWait waits for a change.
func TestWait(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		var list struct {
			Items []answer.Change
			Last  int64
		}
		s.get("/v1/changes?wait=10ms", &list)
		if len(list.Items) != 0 || list.Last == 0 {
			t.Errorf("%+v", list)
		}
		got := make(chan *response, 1)
		go func() { got <- s.request(http.MethodGet, "/v1/changes?wait=30s&name=a-*&from="+itoa(list.Last), "") }()
		var status struct{ Streams int }
		until(t, "the request waits", func() bool { s.get("/v1/status", &status); return status.Streams == 1 })
		reports.Register(t, db, metadata.Worker, "b-1", with("3.12.1"))
		reports.Register(t, db, metadata.Worker, "a-1", with("3.12.1"))
		before := list.Last
		(<-got).into(t, &list)
		if len(list.Items) != 1 || list.Items[0].Name != "a-1" || list.Last != before+2 {
			t.Errorf("%+v", list)
		}
	})
}

// TestStreamOfRevokedToken: a stream ends soon after its principal may no longer read.
func TestStreamOfRevokedToken(t *testing.T) {
	t.Parallel()
	var revoked atomic.Bool
	s := start(t, testdb.SQLite(t), api.Config{Authorize: func(r *http.Request) (api.Principal, error) {
		if revoked.Load() {
			return api.Principal{}, api.ErrUnauthorized
		}
		return byName(r)
	}})
	l := s.listen("/v1/changes")
	began := time.Now()
	revoked.Store(true)
	if e := l.next(); e.name != "end" || !strings.Contains(e.data, "token") || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %+v", time.Since(began), e)
	}
	if e, open := <-l.events; open {
		t.Errorf("the stream goes on: %+v", e)
	}
}

// TestLimits: a principal has a number of streams and of requests, and others have their own.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), api.Config{Limits: api.Limits{Streams: 2, Rate: 0.001, Burst: 20}})
	first := s.listen("/v1/changes")
	s.listen("/v1/changes")
	s.refused(s.request(http.MethodGet, "/v1/changes?wait=1s", ""), http.StatusTooManyRequests, api.TooManyRequests, "streams")
	s.refused(s.request(http.MethodGet, "/v1/changes", "", "Accept", "text/html, text/event-stream;q=0.5"), http.StatusTooManyRequests, api.TooManyRequests)
	s.scope = api.Read
	s.listen("/v1/changes").close()
	s.scope = api.Operate
	first.close()
	var status struct{ Streams int }
	s.scope = api.Read
	until(t, "a stream has ended", func() bool { s.get("/v1/status", &status); return status.Streams == 1 })
	s.scope = api.Operate
	for range 16 {
		s.get("/v1/packs", nil)
	}
	got := s.request(http.MethodGet, "/v1/packs", "")
	s.refused(got, http.StatusTooManyRequests, api.TooManyRequests)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.scope = api.Read
	s.get("/v1/packs", nil)
}

// TestStreamOfStatuses follows workers that end, are cordoned, come back and are deleted, beside their changes.
func TestStreamOfStatuses(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		fleet(t, db)
		s := start(t, db, api.Config{})
		some, none := s.listen("/v1/changes?include=status&name=web-*"), s.listen("/v1/changes?name=web-1")
		status := func(name, want string) (c api.StatusChange) {
			t.Helper()
			e := some.next()
			if e.name != "status" || json.Unmarshal([]byte(e.data), &c) != nil || c.Name != name || c.Role != "worker" || c.Status != want {
				t.Fatalf("got %+v, want that %s is %s", e, name, want)
			}
			if err := openapi.Valid([]string{"components", "schemas", "StatusChange"}, []byte(e.data)); err != nil {
				t.Error(err)
			}
			return c
		}
		row, err := s.store.Workers.ByIdentity(t.Context(), metadata.Worker, "web-1")
		if err != nil {
			t.Fatal(err)
		}
		eye, err := s.store.Workers.ByIdentity(t.Context(), metadata.Sensor, "eye")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.store.Workers.Deactivate(t.Context(), eye.ID, "i-eye"); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Workers.Deactivate(t.Context(), row.ID, "i-web-1"); err != nil {
			t.Fatal(err)
		}
		status("web-1", "inactive")
		for _, want := range []bool{true, false} {
			op := s.store.Workers.Uncordon
			if want {
				op = func(ctx context.Context, ids ...int64) ([]int64, error) {
					return s.store.Workers.Cordon(ctx, "rest", ids...)
				}
			}
			if _, err := op(t.Context(), row.ID); err != nil {
				t.Fatal(err)
			}
			if c := status("web-1", "inactive"); c.Cordoned != want {
				t.Errorf("got %+v, want cordoned %v", c, want)
			}
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM worker WHERE name = ?", "web-1"); err != nil {
			t.Fatal(err)
		}
		status("web-1", "deleted")
		reports.Register(t, db, metadata.Worker, "web-1", with("3.12.1"))
		some.change("web-1")
		status("web-1", "active")
		none.change("web-1")
	})
}
