package store_test

import (
	"flag"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

var labelWorkers = flag.Int("label-workers", 10_000, "how many workers BenchmarkLabels groups")

// BenchmarkLabels counts the workers of each label's value and runtime, from the rows and from the documents, in turns.
// It also lists the first hundred of a label and a runtime.
func BenchmarkLabels(b *testing.B) {
	const (
		rows = `SELECT label.value, had.runtime_ref AS ref, count(*) AS count FROM {schema}.worker_label AS label
			JOIN {schema}.worker_runtime AS had ON had.worker = label.worker
			WHERE label.key = 'zone' AND had.outcome = 'available' GROUP BY 1, 2`
		documents = `SELECT capabilities->'labels'->>'zone' AS value, d->>'ref' AS ref, count(*) AS count FROM {schema}.worker, jsonb_array_elements(capabilities->'detected') AS d
			WHERE d->>'outcome' = 'available' GROUP BY 1, 2`
	)
	db := testdb.Postgres(b)
	e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), db.Schema, true}
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *labelWorkers})
	var took [3][]time.Duration
	timed := func(i int, do func() error) {
		begin := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		took[i] = append(took[i], time.Since(begin))
	}
	zone := "z3"
	some := store.Listing{Selection: store.Selection{
		Labels: []store.Label{{Key: "zone", Value: &zone}}, Has: []store.RuntimeFilter{{Ref: "core.runtime7"}}, Limit: 100,
	}}
	for b.Loop() {
		for range 20 {
			for i, query := range []string{rows, documents} {
				if i == 1 && len(took[1]) > 2 {
					continue // it takes seconds
				}
				timed(i, func() error {
					var found []struct {
						Value, Ref string
						Count      int
					}
					return e.NewRaw(e.sql(query)).Scan(b.Context(), &found)
				})
			}
			timed(2, func() error {
				_, err := e.Workers.List(b.Context(), some)
				return err
			})
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(quantile(took[0], 0.5)), "rows-p50-ms")
	b.ReportMetric(ms(quantile(took[1], 0.5)), "documents-p50-ms")
	b.ReportMetric(ms(quantile(took[2], 0.5)), "first-100-p50-ms")
}
