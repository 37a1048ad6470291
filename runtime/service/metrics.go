package service

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// Metrics are the figures of a service, in the form of Prometheus.
type Metrics struct {
	probes         *prometheus.CounterVec
	detection      prometheus.Histogram
	heartbeatLag   prometheus.GaugeFunc
	lag            atomic.Pointer[func() time.Duration] // of the service that runs
	heartbeats     prometheus.Counter
	rounds         *prometheus.CounterVec
	databaseErrors *prometheus.CounterVec
	changes        *prometheus.CounterVec
	runtimes       prometheus.Gauge
	unconfirmed    prometheus.Gauge
	hanging        prometheus.GaugeFunc
	hangs          atomic.Pointer[func() int] // of the host of the service that runs
}

// NewMetrics makes them, and registers them with to; nil registers them nowhere.
func NewMetrics(to prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "attune", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "attune", Name: name, Help: help})
	}
	m := &Metrics{
		probes: counter("probes_total", "Probes, by their outcome.", "outcome"),
		detection: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "attune", Name: "detection_seconds", Help: "How long a full detection took.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 12),
		}),
		heartbeats: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "attune", Name: "heartbeats_total", Help: "Heartbeats that arrived.",
		}),
		rounds:         counter("reverifications_total", "Rounds of verification: full, unchanged or failed.", "result"),
		databaseErrors: counter("database_errors_total", "Uses of the database that it did not answer.", "doing"),
		changes:        counter("capability_changes_total", "Capabilities gained, lost or changed in version.", "kind"),
		runtimes:       gauge("runtimes", "Runtimes that this host has."),
		unconfirmed:    gauge("unconfirmed_installations", "Installations of which the host cannot tell any more."),
	}
	m.heartbeatLag = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "attune", Name: "heartbeat_lag_seconds",
		Help: "How long a heartbeat is overdue; where none is, how late the last one arrived.",
	}, func() float64 {
		if lag := m.lag.Load(); lag != nil {
			return (*lag)().Seconds()
		}
		return 0
	})
	m.hanging = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "attune", Name: "hanging_places",
		Help: "Files and folders of this host that do not answer and are left out.",
	}, func() float64 {
		if hangs := m.hangs.Load(); hangs != nil {
			return float64((*hangs)())
		}
		return 0
	})
	// A rate can be told of a series that was there before its first event.
	for _, doing := range uses {
		m.databaseErrors.WithLabelValues(doing)
	}
	for _, result := range []string{"full", "unchanged", "failed"} {
		m.rounds.WithLabelValues(result)
	}
	for _, kind := range []schema.ChangeKind{schema.CapabilityGained, schema.CapabilityLost, schema.VersionChanged} {
		m.changes.WithLabelValues(string(kind))
	}
	if to != nil {
		to.MustRegister(m.probes, m.detection, m.heartbeatLag, m.heartbeats, m.rounds, m.databaseErrors, m.changes, m.runtimes, m.unconfirmed, m.hanging)
	}
	return m
}

// detected counts the probes of a full detection, each once.
func (m *Metrics) detected(r roundResult) {
	m.detection.Observe(r.took.Seconds())
	seen := map[string]bool{}
	count := func(ref string, attempts []capability.Attempt) {
		for _, a := range attempts {
			key := fmt.Sprintf("%q %q %q", ref, a.Path, a.Command)
			if !seen[key] {
				seen[key] = true
				m.probes.WithLabelValues(string(a.Outcome)).Inc()
			}
		}
	}
	for _, d := range r.caps.Detected {
		count(d.Ref, d.Attempts)
	}
	for _, a := range r.caps.Undetected {
		count(a.Ref, a.Attempts)
	}
}
