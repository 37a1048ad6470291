package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/store"
)

// metrics counts what an API answers.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	streams  prometheus.Gauge
	events   prometheus.Counter
}

// newMetrics returns the metrics of a registry. It registers them, or returns those that another
// API registered there. The workers of several databases and schemas add up, and those of one count once.
func newMetrics(registry *prometheus.Registry, fleet *fleetMetric) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "attune", Subsystem: "api", Name: "requests_total", Help: "Requests, by operation and status.",
		}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "attune", Subsystem: "api", Name: "request_seconds", Help: "Duration of requests that do not wait, by operation.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10),
		}, []string{"operation"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "attune", Subsystem: "api", Name: "streams", Help: "Open streams and waiting requests.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "attune", Subsystem: "api", Name: "events_total", Help: "Changes that were sent to streams.",
		}),
	}
	own := fleet
	err := errors.Join(
		register(registry, &m.requests), register(registry, &m.seconds), register(registry, &m.streams), register(registry, &m.events),
		register(registry, &fleet))
	if fleet != own {
		fleet.add(own.stores...)
	}
	return m, err
}

// A fleetMetric counts the workers of databases when it is asked.
type fleetMetric struct {
	log *slog.Logger

	mu     sync.Mutex
	stores []*store.Store
}

// add adds stores, each once.
func (f *fleetMetric) add(stores ...*store.Store) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, st := range stores {
		if !slices.Contains(f.stores, st) {
			f.stores = append(f.stores, st)
		}
	}
}

var workersByStatus = prometheus.NewDesc("attune_workers", "Workers and sensors, by status; a stale one counts as stale only.",
	[]string{"status"}, nil)

// Describe implements prometheus.Collector.
func (f *fleetMetric) Describe(to chan<- *prometheus.Desc) { to <- workersByStatus }

// Collect implements prometheus.Collector. It sends nothing while a database does not answer.
func (f *fleetMetric) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	f.mu.Lock()
	stores := slices.Clone(f.stores)
	f.mu.Unlock()
	all, counted := map[string]int{}, map[string]bool{}
	for _, st := range stores {
		id, err := st.Identity(ctx)
		if err == nil && id != "" && counted[id] {
			continue
		}
		counted[id] = true // a database that does not say who it is counts by itself
		counts, err := answer.CountWorkers(ctx, st, store.Selection{})
		if err != nil {
			f.log.WarnContext(ctx, "workers cannot be counted", "error", err)
			return
		}
		for status, n := range map[string]int{
			"active": counts.Active, "busy": counts.Busy, "error": counts.Error, "stale": counts.Stale, "inactive": counts.Inactive,
			"none": counts.None,
		} {
			all[status] += n
		}
	}
	for status, n := range all {
		to <- prometheus.MustNewConstMetric(workersByStatus, prometheus.GaugeValue, float64(n), status)
	}
}

// register registers a metric, or replaces it by the one that is registered.
func register[C prometheus.Collector](registry *prometheus.Registry, c *C) error {
	err := registry.Register(*c)
	var registered prometheus.AlreadyRegisteredError
	if errors.As(err, &registered) {
		if existing, ok := registered.ExistingCollector.(C); ok {
			*c = existing
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// observe counts an answer. Requests without an operation count together.
func (m *metrics) observe(op *operation, status int, took time.Duration) {
	if status == 0 {
		status = http.StatusOK
	}
	if op == nil {
		m.requests.WithLabelValues("none", strconv.Itoa(status)).Inc()
		return
	}
	m.requests.WithLabelValues(op.id, strconv.Itoa(status)).Inc()
	if op.id != followed {
		m.seconds.WithLabelValues(op.id).Observe(took.Seconds())
	}
}

// GetMetrics implements the operation getMetrics.
func (a *API) GetMetrics(ctx context.Context, _ server.GetMetricsRequestObject) (server.GetMetricsResponseObject, error) {
	return scrape{promhttp.HandlerFor(a.cfg.Registry, promhttp.HandlerOpts{}), callOf(ctx).request}, nil
}

// A scrape answers with the metrics.
type scrape struct {
	handler http.Handler
	request *http.Request
}

// VisitGetMetricsResponse writes the metrics.
func (s scrape) VisitGetMetricsResponse(w http.ResponseWriter) error {
	s.handler.ServeHTTP(w, s.request)
	return nil
}
