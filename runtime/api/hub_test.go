package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// statements counts the statements of a database.
type statements struct{ n atomic.Int64 }

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (s *statements) AfterQuery(context.Context, *bun.QueryEvent)                        { s.n.Add(1) }

// TestHubAtRest: streams, with and without statuses and each with a session of its own, need at most five statements in a second
// together.
func TestHubAtRest(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		fleet(t, db)
		counted := new(statements)
		db.DB = db.WithQueryHook(counted)
		sessions := api.NewSessions(store.New(db, store.Config{Schema: db.Schema}), api.SessionConfig{})
		s := start(t, db, api.Config{Authorize: sessions.Authorize})
		for i := range 10 {
			text, _, err := api.NewToken(t.Context(), s.store, "t"+itoa(int64(i)), api.Read, 0)
			if err != nil {
				t.Fatal(err)
			}
			rec, req := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/", http.NoBody)
			if _, err := sessions.SignIn(rec, req, text); err != nil {
				t.Fatal(err)
			}
			cookie := rec.Result().Cookies()[0]
			s.listen([]string{"/v1/changes", "/v1/changes?include=status"}[i%2], "Authorization", "", "Cookie", cookie.Name+"="+cookie.Value)
			time.Sleep(200 * time.Millisecond) // the streams do not begin at the same time
		}
		time.Sleep(time.Second)      // the first looks
		const span = 7 * time.Second // the principals are asked for twice
		before := counted.n.Load()
		time.Sleep(span)
		if n := counted.n.Load() - before; n < 5 || float64(n) > 5*span.Seconds() {
			t.Errorf("%d statements in %v", n, span)
		}
	})
}

// TestStreamOfStaleWorker: a stream shows that a worker misses its heartbeats, and that it sends them again.
func TestStreamOfStaleWorker(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		fleet(t, db)
		s := start(t, db, api.Config{})
		l := s.listen("/v1/changes?include=status&name=web-1")
		now, old := "strftime('%Y-%m-%d %H:%M:%f', 'now')", "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 hour')"
		if db.Schema != "" {
			now, old = "now()", "now() - interval '1 hour'"
		}
		for _, c := range [][2]string{{old, `"status":"stale"`}, {now, `"status":"active"`}} {
			if _, err := db.ExecContext(t.Context(), "UPDATE worker SET last_heartbeat = "+c[0]+" WHERE name = 'web-1'"); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if e := l.next(); e.name != "status" || !strings.Contains(e.data, c[1]) || time.Since(began) > 5*time.Second {
				t.Errorf("after %v: %+v, want %s", time.Since(began), e, c[1])
			}
		}
	})
}

// ready returns the answer of /readyz.
func ready(t *testing.T, a *api.API) (status int, body string) {
	t.Helper()
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody))
	return rec.Code, rec.Body.String()
}

// TestReadiness: a server is ready while it follows the changes and its database answers.
func TestReadiness(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		log := new(lines)
		a, err := api.New(store.New(db, store.Config{Schema: db.Schema}), api.Config{Authorize: byName, Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := ready(t, a); status != http.StatusServiceUnavailable || !strings.Contains(body, "does not follow") {
			t.Errorf("before it runs: %d %s", status, body)
		}
		run(t, a)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if status, body := ready(t, a); status != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") {
			t.Errorf("without a database: %d %s", status, body)
		}
		rec := httptest.NewRecorder()
		a.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", http.NoBody))
		if rec.Code != http.StatusOK || !strings.Contains(log.String(), "not ready") {
			t.Errorf("health is %d; the log:\n%s", rec.Code, log)
		}
	})
}

// locked locks a table until unlock is called.
func locked(t *testing.T, db *testdb.DB, table string) (unlock func()) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// TestHubBehindLocks: the hub waits for no lock longer than a statement may take, and goes on when the lock ends. While
// the statuses are locked, changes arrive.
func TestHubBehindLocks(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	log := new(lines)
	says := func(text string) func() bool { return func() bool { return strings.Contains(log.String(), text) } }
	st := store.New(db, store.Config{Schema: db.Schema})
	a, err := api.New(st, api.Config{
		Authorize: byName, Limits: api.Limits{Statement: 300 * time.Millisecond}, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	unlock := locked(t, db, st.Layout().Table("capability_change"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	until(t, "the hub says that it cannot follow", says("changes cannot be followed yet"))
	if status, _ := ready(t, a); status != http.StatusServiceUnavailable {
		t.Errorf("it is ready: %d", status)
	}
	unlock()
	until(t, "the server is ready", func() bool { status, _ := ready(t, a); return status == http.StatusOK })

	s := &server{t: t, db: db, store: st, scope: api.Operate, log: log, Server: httptest.NewServer(a.Handler())}
	checked(t, s.Client())
	t.Cleanup(func() { cancel(); s.Close() })
	l := s.listen("/v1/changes?include=status")
	unlock = locked(t, db, st.Layout().Table("worker_cordon"))
	until(t, "the hub says that statuses are late", says("statuses are late"))
	if _, err := db.ExecContext(t.Context(), `INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind)
		VALUES ('gone', 'action', 'core.python', 'python', 'lost')`); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if e := l.next(); e.name != "change" || !strings.Contains(e.data, "gone") || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %+v", time.Since(began), e)
	}
	unlock()
	if err := st.Workers.Deactivate(t.Context(), 1, "i-web-1"); err != nil {
		t.Fatal(err)
	}
	if e := l.next(); e.name != "status" || !strings.Contains(e.data, "inactive") {
		t.Errorf("%+v", e)
	}
}
