// Package api serves the answers of packages answer and placement over HTTP, as openapi.yaml
// describes. An API can be mounted in any server, under any prefix:
//
//	a, err := api.New(st, api.Config{Authorize: authorize})
//	…
//	mux.Handle("/attune/", http.StripPrefix("/attune", a.Handler()))
//	go a.Run(ctx)
//
// Package client is the generated Go client.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A Config configures an API.
type Config struct {
	// Authorize returns who sends a request, or an error that wraps ErrUnauthorized. It is asked
	// again every few seconds while a stream is open. It is required; Tokens and Loopback are
	// two.
	Authorize func(*http.Request) (Principal, error)
	// Definitions returns the definitions. Defaults to the rows of the database that can be read.
	Definitions func(context.Context) ([]metadata.Definition, error)
	// Retired returns the definitions of refs that a platform has retired, so that their names are known too. Defaults to
	// definitions that have their refs only.
	Retired func(refs []string) []metadata.Definition
	// Words returns the words for a cue of an explanation. Nil leaves out what needs them.
	Words func(answer.Cue, *answer.WorkerState) string
	// Registry holds the metrics, and /metrics returns what it holds. APIs may share one: their counts add up, and the
	// workers of a Store count once.
	// Defaults to a registry of the API's own.
	Registry *prometheus.Registry
	// Limits bounds what a principal can use.
	Limits Limits
	// Logger logs failures. Defaults to slog.Default().
	Logger *slog.Logger
}

// Limits bounds what clients can use. Values of 0 stand for the defaults.
type Limits struct {
	// Rate is the number of requests that a principal may send in a second in the long run.
	// Defaults to 100.
	Rate float64
	// Burst is the number of requests that a principal may send at once. Defaults to 200.
	Burst int
	// Streams is the number of streams and waiting requests that a principal may have open.
	// Defaults to 50.
	Streams int
	// Statement is the longest time for an answer that does not wait. Defaults to 30s.
	Statement time.Duration
	// Body is the longest time that a client may take for its body. Defaults to 10s.
	Body time.Duration
	// Write is the longest time that a client may take to read an answer, and each event of a stream. Defaults to 30s.
	Write time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Rate == 0 {
		l.Rate = 100
	}
	if l.Burst == 0 {
		l.Burst = 200
	}
	if l.Streams == 0 {
		l.Streams = 50
	}
	if l.Statement == 0 {
		l.Statement = 30 * time.Second
	}
	if l.Body == 0 {
		l.Body = 10 * time.Second
	}
	if l.Write == 0 {
		l.Write = 30 * time.Second
	}
	return l
}

// validate returns an error that names every wrong limit.
func (l Limits) validate() error {
	var errs []error
	for _, one := range []struct {
		name  string
		value float64
	}{{"Rate", l.Rate}, {"Burst", float64(l.Burst)}, {"Streams", float64(l.Streams)}, {"Statement", l.Statement.Seconds()},
		{"Body", l.Body.Seconds()}, {"Write", l.Write.Seconds()}} {
		if one.value < 0 {
			errs = append(errs, fmt.Errorf("config Limits.%s must be at least 0, got %v", one.name, one.value))
		}
	}
	return errors.Join(errs...)
}

// An API answers requests. New returns one; its zero value cannot be used.
type API struct {
	store    *store.Store
	cfg      Config
	router   router
	hub      *hub
	metrics  *metrics
	limiter  *limiter
	handler  http.Handler
	protects *http.CrossOriginProtection
	cache    cache
	groups   groupsCache
}

// ErrNoAuthorize means that Config.Authorize is missing.
var ErrNoAuthorize = errors.New("config Authorize must be set")

// New returns an API over a store, which must work on a pool. It does not use the database.
// Errors: ErrNoAuthorize; limits below 0; metrics of others under the names of attune's in the
// registry.
func New(st *store.Store, cfg Config) (*API, error) {
	err := cfg.Limits.validate()
	if cfg.Authorize == nil {
		err = errors.Join(ErrNoAuthorize, err)
	}
	if err != nil {
		return nil, err
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a := &API{
		store: st, cfg: cfg, hub: newHub(st, cfg.Logger, cfg.Limits.Statement), limiter: newLimiter(cfg.Limits),
		protects: http.NewCrossOriginProtection(),
	}
	if a.cfg.Definitions == nil {
		a.cfg.Definitions = func(ctx context.Context) ([]metadata.Definition, error) {
			defs, _, err := st.BoundedDefinitions(ctx)
			return defs, err
		}
	}
	if a.cfg.Retired == nil {
		a.cfg.Retired = func(refs []string) []metadata.Definition {
			defs := make([]metadata.Definition, len(refs))
			for i, ref := range refs {
				defs[i].Ref = ref
			}
			return defs
		}
	}
	if a.metrics, err = newMetrics(cfg.Registry, &fleetMetric{log: cfg.Logger, stores: []*store.Store{st}}); err != nil {
		return nil, err
	}
	a.hub.begun = a.countAhead
	strict := server.NewStrictHandlerWithOptions(a, nil, server.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: a.fail, ResponseErrorHandlerFunc: a.fail,
	})
	inner := http.NewServeMux()
	server.HandlerWithOptions(strict, server.StdHTTPServerOptions{BaseRouter: inner, ErrorHandlerFunc: a.fail})
	for pattern, op := range spec().operations {
		if op.body == formBody {
			inner.Handle(pattern, http.NotFoundHandler()) // serve makes a GET of it
		}
	}
	a.router = newRouter(inner)
	a.handler = http.HandlerFunc(a.serve)
	return a, nil
}

// Handler returns the handler of all paths of openapi.yaml. Mount it with http.StripPrefix under
// a prefix.
func (a *API) Handler() http.Handler { return a.handler }

// Run follows the changes for all streams, until ctx ends. Then it ends the streams, and returns
// nil. Without it streams are refused and the API is not ready. It returns an error if it runs
// already.
func (a *API) Run(ctx context.Context) error { return a.hub.run(ctx) }

// Principal returns who sends a request, as Config.Authorize does. Pages beside the API ask it, to show
// what the reader may do.
func (a *API) Principal(r *http.Request) (Principal, error) {
	ctx, cancel := a.bounded(r.Context())
	defer cancel()
	return a.cfg.Authorize(r.WithContext(ctx))
}
