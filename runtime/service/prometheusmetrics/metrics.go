// Package prometheusmetrics exports the metrics of package service to Prometheus.
package prometheusmetrics

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// Metrics holds the metrics of the services of a process. It is a prometheus.Collector.
// NewMetrics returns them; the zero value cannot be used.
type Metrics struct {
	probes         *prometheus.CounterVec
	rounds         *prometheus.CounterVec
	databaseErrors *prometheus.CounterVec
	changes        *prometheus.CounterVec
	detection      prometheus.Histogram
	heartbeats     prometheus.Counter
	runtimes       prometheus.Gauge
	unconfirmed    prometheus.Gauge
	heartbeatLag   prometheus.GaugeFunc
	hanging        prometheus.GaugeFunc

	mu       sync.Mutex
	attached map[*source]bool
}

// A source holds the gauges of one service.
type source struct {
	lag     func() time.Duration
	hanging func() int
}

var (
	_ service.Metrics      = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// NewMetrics returns the metrics of a registry. It registers new ones, or returns those that
// an earlier call has registered there. A nil registry registers nothing. It returns an error
// if the registry has other metrics with these names.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := newMetrics()
	if registry == nil {
		return m, nil
	}
	err := registry.Register(m)
	var registered prometheus.AlreadyRegisteredError
	if errors.As(err, &registered) {
		if existing, ok := registered.ExistingCollector.(*Metrics); ok {
			return existing, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return m, nil
}

func newMetrics() *Metrics {
	counter := func(name, help string, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "attune", Name: name, Help: help}, []string{label})
	}
	gauge := func(name, help string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Namespace: "attune", Name: name, Help: help}
	}
	m := &Metrics{
		attached:       map[*source]bool{},
		probes:         counter("probes_total", "Probes, by outcome.", "outcome"),
		rounds:         counter("reverifications_total", "Rounds of verification: full, unchanged or failed.", "result"),
		databaseErrors: counter("database_errors_total", "Uses of the database without an answer.", "doing"),
		changes:        counter("capability_changes_total", "Capabilities gained, lost or changed in version.", "kind"),
		detection: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "attune", Name: "detection_seconds", Help: "Duration of full detections.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 12),
		}),
		heartbeats: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "attune", Name: "heartbeats_total", Help: "Heartbeats that arrived.",
		}),
		runtimes: prometheus.NewGauge(gauge("runtimes", "Runtimes of this host.")),
		unconfirmed: prometheus.NewGauge(
			gauge("unconfirmed_installations", "Installations that could no longer be determined and are kept.")),
	}
	m.heartbeatLag = prometheus.NewGaugeFunc(
		gauge("heartbeat_lag_seconds", "Time by which a heartbeat is overdue, or else by which the last one was late."),
		func() float64 { return m.greatest(func(s *source) float64 { return s.lag().Seconds() }) })
	m.hanging = prometheus.NewGaugeFunc(
		gauge("hanging_places", "Files and folders of this host that do not answer and are left out."),
		func() float64 { return m.greatest(func(s *source) float64 { return float64(s.hanging()) }) })
	// Rates need series that exist before their first event.
	for _, use := range service.DatabaseUses() {
		m.databaseErrors.WithLabelValues(use)
	}
	for _, outcome := range []service.RoundOutcome{service.RoundFull, service.RoundUnchanged, service.RoundFailed} {
		m.rounds.WithLabelValues(string(outcome))
	}
	for _, kind := range []schema.ChangeKind{schema.CapabilityGained, schema.CapabilityLost, schema.VersionChanged} {
		m.changes.WithLabelValues(string(kind))
	}
	return m
}

// greatest returns the greatest value among the attached services, or 0 without any.
func (m *Metrics) greatest(value func(*source) float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	greatest := 0.0
	for s := range m.attached {
		greatest = max(greatest, value(s))
	}
	return greatest
}

// Attach adds a service, until it calls detach. With several services the gauges of the lag
// and the hanging places have the greatest value.
func (m *Metrics) Attach(lag func() time.Duration, hanging func() int) (detach func()) {
	s := &source{lag, hanging}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attached[s] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.attached, s)
	}
}

// CountHeartbeat counts a heartbeat that arrived.
func (m *Metrics) CountHeartbeat() { m.heartbeats.Inc() }

// CountRound counts a round of verification.
func (m *Metrics) CountRound(o service.RoundOutcome) { m.rounds.WithLabelValues(string(o)).Inc() }

// CountProbe counts a probe.
func (m *Metrics) CountProbe(o capability.Outcome) { m.probes.WithLabelValues(string(o)).Inc() }

// CountChange counts a capability change.
func (m *Metrics) CountChange(k schema.ChangeKind) { m.changes.WithLabelValues(string(k)).Inc() }

// CountDatabaseError counts a use of the database without an answer.
func (m *Metrics) CountDatabaseError(use string) { m.databaseErrors.WithLabelValues(use).Inc() }

// ObserveDetection records the duration of a full detection.
func (m *Metrics) ObserveDetection(d time.Duration) { m.detection.Observe(d.Seconds()) }

// SetRuntimes sets the number of runtimes of the host.
func (m *Metrics) SetRuntimes(n int) { m.runtimes.Set(float64(n)) }

// SetUnconfirmed sets the number of unconfirmed installations.
func (m *Metrics) SetUnconfirmed(n int) { m.unconfirmed.Set(float64(n)) }

// collectors returns the collectors of all metrics.
func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.probes, m.rounds, m.databaseErrors, m.changes, m.detection, m.heartbeats, m.runtimes, m.unconfirmed, m.heartbeatLag, m.hanging,
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(to)
	}
}
