package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestMonitoring checks every query of the alerts and the dashboard in docs against the metrics of a
// server that has answered: names, labels and values of labels.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	var queries []string
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations struct{ Summary, Description string }
			}
		}
	}
	read := func(name string, unmarshal func([]byte, any) error, to any) {
		t.Helper()
		text, err := os.ReadFile("../../docs/" + name)
		if err == nil {
			err = unmarshal(text, to)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	read("attune-alerts.yaml", yaml.Unmarshal, &alerts)
	for _, rule := range alerts.Groups[0].Rules {
		queries = append(queries, rule.Expr)
		if rule.Alert == "" || rule.Annotations.Summary == "" || rule.Annotations.Description == "" {
			t.Errorf("an alert says too little: %+v", rule)
		}
	}
	if len(queries) != 4 {
		t.Errorf("%d alerts, want 4", len(queries))
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	read("attune-dashboard.json", json.Unmarshal, &dashboard)
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}

	needsCurl(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	s := serve(t)
	bearer := "Authorization: Bearer " + s.wait(`for this run: (\S+)`)
	s.curl("/v1/workers", "-H", bearer)
	s.curl("/v1/nothing")
	_, text := s.curl("/metrics", "-H", bearer)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]map[string][]string{"up": {}} // Prometheus itself adds up
	for name, family := range families {
		of := map[string][]string{}
		for _, metric := range family.Metric {
			for _, pair := range metric.Label {
				of[pair.GetName()] = append(of[pair.GetName()], pair.GetValue())
			}
		}
		labels[name] = of
		if family.GetType().String() == "HISTOGRAM" {
			of["le"] = nil
			labels[name+"_bucket"] = of
		}
	}
	names := regexp.MustCompile(`\b((?:attune|process|go)_[a-z_]+|up)\b(?:\{([^}]*)\})?`)
	grouped := regexp.MustCompile(`by \(([^)]*)\)`)
	for _, query := range queries {
		found := names.FindAllStringSubmatch(query, -1)
		if len(found) == 0 {
			t.Errorf("no metric in %s", query)
		}
		for _, m := range found {
			has, known := labels[m[1]]
			if !known {
				t.Errorf("no metric %s, of %s", m[1], query)
				continue
			}
			for _, matcher := range regexp.MustCompile(`(\w+)(=~?)"([^"]*)"`).FindAllStringSubmatch(m[2], -1) {
				if matcher[1] == "job" { // Prometheus adds it
					continue
				}
				values, known := has[matcher[1]]
				fits := regexp.MustCompile("^(?:" + matcher[3] + ")$")
				if !known || matcher[2] == "=" && !slices.ContainsFunc(values, fits.MatchString) {
					t.Errorf("no label %s of %s, of %s", matcher[0], m[1], query)
				}
			}
			for _, by := range grouped.FindAllStringSubmatch(query, -1) {
				for label := range strings.SplitSeq(by[1], ", ") {
					if _, known := has[label]; !known && label != "instance" {
						t.Errorf("%s has no label %s, of %s", m[1], label, query)
					}
				}
			}
		}
	}
}
