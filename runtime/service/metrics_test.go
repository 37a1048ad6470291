package service_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service/prometheusmetrics"
)

// metricsOf returns the metrics of a registry.
func metricsOf(t *testing.T, registry *prometheus.Registry) *prometheusmetrics.Metrics {
	t.Helper()
	m, err := prometheusmetrics.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// gauge returns the value of a metric without labels.
func gauge(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

// TestLagInAnOutage checks that the lag grows during an outage, so that an alert can fire.
func TestLagInAnOutage(t *testing.T) {
	b, cfg, p := behind(t)
	registry := prometheus.NewRegistry()
	cfg.Metrics = metricsOf(t, registry)
	svc := b.start(cfg)
	b.pass(svc, round)
	if lag := gauge(t, registry, "attune_heartbeat_lag_seconds"); lag > 1 {
		t.Errorf("%v s while all is well", lag)
	}
	p.cut()
	b.pass(svc, 10*time.Minute)
	if lag := gauge(t, registry, "attune_heartbeat_lag_seconds"); lag < 580 || lag > 600 {
		t.Errorf("%v s after ten minutes", lag)
	}
	p.resume()
	b.pass(svc, time.Minute)
	if lag := gauge(t, registry, "attune_heartbeat_lag_seconds"); lag > 1 {
		t.Errorf("%v s when all is well again", lag)
	}
}

// TestSeriesFromTheStart checks that exactly the uses of the database in the source have a
// series before their first error.
func TestSeriesFromTheStart(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metricsOf(t, registry)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	doing := map[string]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.ask\(ctx, "([^"]+)"`).FindAllSubmatch(text, -1) {
			doing[string(m[1])] = true
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]bool{}
	for _, f := range families {
		if f.GetName() == "attune_database_errors_total" {
			for _, m := range f.GetMetric() {
				series[m.GetLabel()[0].GetValue()] = true
			}
		}
	}
	if !maps.Equal(series, doing) || len(doing) < 5 {
		t.Errorf("series of %v; it asks for %v", series, doing)
	}
}

// TestLagBeforeTheFirstRegistration checks the lag of a service that the database never
// answered.
func TestLagBeforeTheFirstRegistration(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	registry := prometheus.NewRegistry()
	cfg := b.config()
	cfg.Metrics = metricsOf(t, registry)
	b.start(cfg)
	b.clock.advance(time.Minute)
	if lag := gauge(t, registry, "attune_heartbeat_lag_seconds"); lag != 60 {
		t.Errorf("%v s after a minute", lag)
	}
}
