package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

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

// request sends a request and checks the answer against the specification.
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
		req.Header.Set("Content-Type", bodyOf(method, path))
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return s.do(req)
}

// bodyOf returns the media type of the body of a request, by the specification.
func bodyOf(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	content, _ := at(specification(), "paths", templateOf(path), strings.ToLower(method), "requestBody", "content")
	if _, form := at(content, "application/x-www-form-urlencoded"); form {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// do sends a request and checks the answer against the specification.
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
	if err := conforms(req, strings.TrimPrefix(req.URL.Path, s.prefix), got, text); err != nil {
		s.t.Errorf("%s %s: %d: %v\n%s", req.Method, req.URL, got.StatusCode, err, text)
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

// specification is openapi.yaml as JSON.
var specification = sync.OnceValue(func() map[string]any {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(api.Spec())))
	if err != nil {
		panic(err)
	}
	return doc.(map[string]any)
})

// compiler has the specification as a resource. It keeps what it has compiled.
var compiler = sync.OnceValue(func() *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://spec/", specification()); err != nil {
		panic(err)
	}
	return c
})

var compiling sync.Mutex

// at returns the value under keys of the specification.
func at(value any, keys ...string) (any, bool) {
	for _, key := range keys {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

// templateOf returns the path of the specification that a path is an instance of.
func templateOf(path string) string {
	paths, _ := at(specification(), "paths")
	for _, template := range slices.Sorted(maps.Keys(paths.(map[string]any))) {
		want, have := strings.Split(template, "/"), strings.Split(path, "/")
		same := len(want) == len(have)
		for i := 0; same && i < len(want); i++ {
			same = want[i] == have[i] || strings.HasPrefix(want[i], "{") && have[i] != ""
		}
		if same {
			return template
		}
	}
	return ""
}

// conforms returns an error unless the specification has an answer.
func conforms(req *http.Request, path string, got *http.Response, body []byte) error {
	method := strings.ToLower(req.Method)
	if method == "head" {
		method = "get"
	}
	pointer := []string{"paths", templateOf(path), method, "responses"}
	responses, known := at(specification(), pointer...)
	if !known {
		pointer = []string{"components", "responses"}
		responses, _ = at(specification(), pointer...)
		responses = map[string]any{"default": responses.(map[string]any)["Problem"]}
	}
	status := fmt.Sprint(got.StatusCode)
	if _, ok := at(responses, status); !ok {
		status = "default"
	}
	answer, _ := at(responses, status)
	if ref, ok := at(answer, "$ref"); ok {
		pointer = strings.Split(strings.TrimPrefix(ref.(string), "#/"), "/")
		answer, _ = at(specification(), pointer...)
	} else if known {
		pointer = append(pointer, status)
	} else {
		pointer = append(pointer, "Problem")
	}
	contents, ok := at(answer, "content")
	if !ok || req.Method == http.MethodHead {
		if len(body) > 0 {
			return errors.New("it has a body")
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if _, ok := at(contents, kind); !ok {
		return fmt.Errorf("the specification has no content %s", kind)
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	return valid(append(pointer, "content", kind, "schema"), body)
}

// valid checks a document against a schema of the specification.
func valid(pointer []string, body []byte) error {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	location := "https://spec/#"
	for _, key := range pointer {
		location += "/" + escape.Replace(key)
	}
	compiling.Lock()
	schema, err := compiler().Compile(location)
	compiling.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	return schema.Validate(value)
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
