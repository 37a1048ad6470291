package prometheusmetrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-go/attune/runtime/service/prometheusmetrics"
)

// TestOneRegistryTwice makes the metrics of a registry twice, for two services.
func TestOneRegistryTwice(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	first, err := prometheusmetrics.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	second, err := prometheusmetrics.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	first.CountHeartbeat()
	second.CountHeartbeat()
	detach := first.Attach(func() time.Duration { return time.Minute }, func() int { return 0 })
	second.Attach(func() time.Duration { return time.Second }, func() int { return 2 })
	want := func(name string, value float64) {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == name {
				m := f.GetMetric()[0]
				if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); got != value {
					t.Errorf("%s is %v, want %v", name, got, value)
				}
				return
			}
		}
		t.Errorf("there is no metric %s", name)
	}
	want("attune_heartbeats_total", 2)
	want("attune_heartbeat_lag_seconds", 60)
	want("attune_hanging_places", 2)
	detach()
	want("attune_heartbeat_lag_seconds", 1)
}

// TestOtherMetricsOfTheName registers metrics where another package has one of the names.
func TestOtherMetricsOfTheName(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_heartbeats_total", Help: "Another."}))
	if _, err := prometheusmetrics.NewMetrics(registry); err == nil || !strings.Contains(err.Error(), "register metrics: ") {
		t.Errorf("got %v, want an error", err)
	}
}
