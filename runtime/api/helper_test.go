package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// byName authorizes requests by a token that is the name of a scope.
func byName(r *http.Request) (api.Principal, error) {
	switch scope := api.Scope(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); scope {
	case api.Read, api.Operate:
		return api.Principal{Name: "test-" + string(scope), Scopes: []api.Scope{scope}}, nil
	}
	return api.Principal{}, fmt.Errorf("%w: no scope", api.ErrUnauthorized)
}

// A server is an API in a server of its own, with a fleet.
type server struct {
	*httptest.Server
	t     *testing.T
	db    *testdb.DB
	store *store.Store
	// scope is the scope of requests.
	scope api.Scope
	// prefix stands before the paths of the specification.
	prefix string
	log    *lines
}

// start runs an API over a database until the test ends.
func start(t *testing.T, db *testdb.DB, cfg api.Config) *server {
	t.Helper()
	return startOn(t, db, store.New(db, store.Config{Schema: db.Schema}), cfg)
}

// startOn runs an API over a store of a database until the test ends.
func startOn(t *testing.T, db *testdb.DB, st *store.Store, cfg api.Config) *server {
	t.Helper()
	s := &server{t: t, db: db, store: st, scope: api.Operate, log: new(lines)}
	if cfg.Authorize == nil {
		cfg.Authorize = byName
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	}
	a, err := api.New(s.store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, a)
	s.Server = httptest.NewServer(a.Handler())
	t.Cleanup(s.Close)
	checked(t, s.Client())
	return s
}

// run runs an API until the test ends.
func run(t *testing.T, a *api.API) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	until(t, "the API is ready", func() bool {
		rec := httptest.NewRecorder()
		a.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", http.NoBody))
		return rec.Code == http.StatusOK
	})
}

// until waits for a state.
func until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatalf("after 30s it is still not so: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A response is an answer that the specification allows.
type response struct {
	*http.Response
	body []byte
}

// into decodes the body.
func (r *response) into(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal(r.body, to); err != nil {
		t.Fatalf("%v in\n%s", err, r.body)
	}
}

// checked has a client check each answer against the specification.
func checked(t *testing.T, client *http.Client) *http.Client {
	t.Helper()
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	client.Transport = &openapi.Transport{Base: base, Wrong: func(err error) { t.Error(err) }}
	return client
}

// request sends a request.
func (s *server) request(method, path, body string, headers ...string) *response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+s.prefix+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.scope != "" {
		req.Header.Set("Authorization", "Bearer "+string(s.scope))
	}
	if body != "" {
		req.Header.Set("Content-Type", openapi.RequestType(method, path))
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return s.do(req)
}

// do sends a request.
func (s *server) do(req *http.Request) *response {
	s.t.Helper()
	got, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return &response{got, text}
}

// get sends a GET that must succeed.
func (s *server) get(path string, to any) *response {
	s.t.Helper()
	got := s.request(http.MethodGet, path, "")
	if got.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d\n%s", path, got.StatusCode, got.body)
	}
	if to != nil {
		got.into(s.t, to)
	}
	return got
}

// A problem is a refusal as a client reads it.
type problem struct {
	Type, Title, Detail string
	Status              int
	Faults              []struct{ Parameter, Pointer, Message string }
}

// refused checks that an answer is a problem.
func (s *server) refused(got *response, status int, kind api.ProblemType, words ...string) {
	s.t.Helper()
	var p problem
	if got.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(got.body, &p) != nil {
		s.t.Errorf("%s %s: %d without a problem\n%s", got.Request.Method, got.Request.URL, got.StatusCode, got.body)
		return
	}
	if got.StatusCode != status || p.Status != status || p.Type != string(kind) {
		s.t.Errorf("%s %s: %d, %d %s, want %d %s", got.Request.Method, got.Request.URL, got.StatusCode, p.Status, p.Type, status, kind)
	}
	for _, word := range words {
		if !strings.Contains(string(got.body), word) {
			s.t.Errorf("%s %s: %q is not in\n%s", got.Request.Method, got.Request.URL, word, got.body)
		}
	}
}

// fleet fills a database with the core pack and a few workers of all kinds.
func fleet(t *testing.T, db *testdb.DB) {
	t.Helper()
	if _, err := install.Load(t.Context(), db, store.Config{Schema: db.Schema}, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	label := func(zone string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"labels": json.RawMessage(`{"zone": "` + zone + `"}`), "max_concurrent_executions": json.RawMessage("7"),
			"taints": json.RawMessage(`[{"key": "gpu", "value": "a100", "effect": "no_schedule"}]`)}
	}
	code := 1
	reports.Register(t, db, metadata.Worker, "web-1", &capability.Document{
		Detected: []capability.Installation{reports.Python("3.12.1", "/usr/bin/python3"), reports.Python("3.11.7", "/opt/python3")}, Extra: label("a"),
	})
	reports.Register(t, db, metadata.Worker, "web-2", &capability.Document{
		Detected: []capability.Installation{reports.Python("3.13.0-rc1", "/usr/bin/python3")}, Extra: label("b"),
		Undetected: []capability.Absence{{
			Ref: "core.ruby", Name: "ruby", Outcome: capability.ExitMismatch, Detail: "it exits with 1", Hint: "install ruby",
			Attempts: []capability.Attempt{{
				Command: []string{"ruby", "--version"}, Path: "/usr/bin/ruby", ExitCode: &code, Output: "broken", Outcome: capability.ExitMismatch,
			}},
		}},
	})
	reports.Register(t, db, metadata.Sensor, "eye", &capability.Document{
		Undetected: []capability.Absence{{Ref: "core.python", Name: "python", Outcome: capability.Timeout, Detail: "no answer within 10s"}},
	})
	reports.Register(t, db, metadata.Worker, "declared", &capability.Document{
		Source: capability.SourceConfig, Detected: []capability.Installation{
			{Ref: "core.python", Name: "python", Outcome: capability.Available, Source: capability.Declared},
			{Name: "fortran", Outcome: capability.Available, Source: capability.Declared},
		},
	})
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
