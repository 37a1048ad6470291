package api_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestMounted mounts two APIs in a platform's server, under prefixes, behind its own authorization
// and with its own registry. Nothing is left of them in the end.
func TestMounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "platform_up"}, func() float64 { return 1 }))
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "platform") })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	var servers []*server
	for _, prefix := range []string{"/one", "/two/deep"} {
		db := testdb.SQLite(t)
		fleet(t, db)
		st := store.New(db, store.Config{})
		a, err := api.New(st, api.Config{Registry: registry, Authorize: func(r *http.Request) (api.Principal, error) {
			if name, password, _ := r.BasicAuth(); password != "secret" {
				return api.Principal{}, fmt.Errorf("%w: user %q", api.ErrUnauthorized, name)
			}
			return api.Principal{Name: "alice", Scopes: []api.Scope{api.Read}}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(prefix+"/", http.StripPrefix(prefix, a.Handler()))
		go func() { ended <- a.Run(ctx) }()
		servers = append(servers, &server{t: t, db: db, store: st, prefix: prefix})
	}
	platform := httptest.NewServer(mux)
	checked(t, platform.Client())
	defer platform.Close()
	for _, s := range servers {
		s.Server = platform
		until(t, "the API is ready", func() bool { return s.request(http.MethodGet, "/readyz", "").StatusCode == http.StatusOK })
		s.refused(s.request(http.MethodGet, "/v1/workers", ""), http.StatusUnauthorized, api.Unauthorized)
		basic := []string{"Authorization", "Basic YWxpY2U6c2VjcmV0"}
		s.refused(s.request(http.MethodPost, "/v1/workers/1/refresh", "", basic...), http.StatusForbidden, api.Forbidden, "operate")
		var list struct{ Next string }
		got := s.request(http.MethodGet, "/v1/workers?limit=2", "", basic...)
		got.into(t, &list)
		next, err := got.Request.URL.Parse(strings.TrimPrefix(strings.Split(got.Header.Get("Link"), ">")[0], "<"))
		if err != nil || !strings.HasPrefix(next.Path, s.prefix+"/v1/workers") {
			t.Errorf("the link leads to %v: %v", next, err)
		}
		if got := s.request(http.MethodGet, "/v1/runtimes/core%2Epython", "", basic...); got.StatusCode != http.StatusOK {
			t.Errorf("%d: %s", got.StatusCode, got.body)
		}
		metrics := s.request(http.MethodGet, "/metrics", "", basic...)
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(string(metrics.body)))
		if err != nil || families["platform_up"] == nil || families["attune_api_requests_total"] == nil {
			t.Errorf("%v in\n%s", err, metrics.body)
		}
	}
	for _, same := range []*store.Store{servers[0].store, store.New(servers[0].db, store.Config{Schema: servers[0].db.Schema})} { // of one database
		if _, err := api.New(same, api.Config{Registry: registry, Authorize: byName}); err != nil {
			t.Fatal(err)
		}
	}
	body := string(servers[0].request(http.MethodGet, "/metrics", "", "Authorization", "Basic YWxpY2U6c2VjcmV0").body)
	if !strings.Contains(body, `attune_workers{status="active"} 8`) {
		t.Errorf("the workers of two databases are\n%s", body)
	}
	servers[0].scope = "x"
	l := servers[0].listen("/v1/changes", "Authorization", "Basic YWxpY2U6c2VjcmV0")
	reports.Register(t, servers[1].db, metadata.Worker, "two", with("3.12.1"))
	reports.Register(t, servers[0].db, metadata.Worker, "one", with("3.12.1"))
	l.change("one")
	cancel()
	for range servers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if e := l.next(); e.name != "end" {
		t.Errorf("the stream ends with %+v", e)
	}
	until(t, "no goroutine of the API is left", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "attune/runtime/api.(")
	})
	if got := servers[0].request(http.MethodGet, "/readyz", ""); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an API that has ended is ready: %d", got.StatusCode)
	}
	servers[0].refused(servers[0].request(http.MethodGet, "/v1/changes?wait=1s", "", "Authorization", "Basic YWxpY2U6c2VjcmV0"),
		http.StatusServiceUnavailable, api.Unavailable)
}

// TestConfig: a wrong configuration is refused with all its faults.
func TestConfig(t *testing.T) {
	t.Parallel()
	st := store.New(testdb.SQLite(t), store.Config{})
	_, err := api.New(st, api.Config{Limits: api.Limits{Rate: -1, Streams: -2}})
	for _, word := range []string{"Limits.Rate must be at least 0, got -1", "Limits.Streams must be at least 0, got -2"} {
		if !errors.Is(err, api.ErrNoAuthorize) || !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in %v", word, err)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "attune_api_streams", Help: "of others"}))
	if _, err := api.New(st, api.Config{Authorize: api.Loopback, Registry: registry}); err == nil {
		t.Error("metrics of others are taken for ours")
	}
	a, err := api.New(st, api.Config{Authorize: api.Loopback})
	if err != nil {
		t.Fatal(err)
	}
	run(t, a)
	if err := a.Run(t.Context()); err == nil {
		t.Error("it runs twice")
	}
}

// A platform serves attune's answers to the users that it knows, below /attune/.
func Example() {
	var st *store.Store // store.Open over the platform's database
	var user func(*http.Request) (name string, operator bool, err error)
	a, err := api.New(st, api.Config{Authorize: func(r *http.Request) (api.Principal, error) {
		name, operator, err := user(r)
		if err != nil {
			return api.Principal{}, fmt.Errorf("%w: %w", api.ErrUnauthorized, err)
		}
		p := api.Principal{Name: name, Scopes: []api.Scope{api.Read}}
		if operator {
			p.Scopes = append(p.Scopes, api.Operate)
		}
		return p, nil
	}})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/attune/", http.StripPrefix("/attune", a.Handler()))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { log.Print(a.Run(ctx)) }()
}
