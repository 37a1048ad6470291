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
	"github.com/attune-go/attune/runtime/service"
)

// gauge is the value of a metric without labels.
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

// TestLagInAnOutage grows for as long as it lasts, so that an alert can fire.
func TestLagInAnOutage(t *testing.T) {
	b, cfg, p := behind(t)
	registry := prometheus.NewRegistry()
	cfg.Metrics = service.NewMetrics(registry)
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

// TestSeriesFromTheStart: each use of the database, and none besides, has one
// before its first error.
func TestSeriesFromTheStart(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	service.NewMetrics(registry)
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
		for _, m := range regexp.MustCompile(`s\.ask\(ctx, "([^"]+)"`).FindAllSubmatch(text, -1) {
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

// TestLagBeforeTheFirstRegistration: a service that the database never answered
// lags too.
func TestLagBeforeTheFirstRegistration(t *testing.T) {
	t.Parallel()
	b := newBench(t, testdb.SQLite(t))
	registry := prometheus.NewRegistry()
	cfg := b.config()
	cfg.Metrics = service.NewMetrics(registry)
	b.start(cfg)
	b.clock.advance(time.Minute)
	if lag := gauge(t, registry, "attune_heartbeat_lag_seconds"); lag != 60 {
		t.Errorf("%v s after a minute", lag)
	}
}
