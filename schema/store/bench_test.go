package store_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

var (
	benchSizes = flag.String("sizes", "1000,100000", "how many workers BenchmarkHaving has, smallest first")
)

// withDocuments gives every worker the document that says what its rows say.
func withDocuments(b *testing.B, e env) {
	b.Helper()
	object, array := "jsonb_build_object", "jsonb_agg"
	if !e.postgres {
		object, array = "json_object", "json_group_array"
	}
	query := strings.NewReplacer("object", object, "array", array).Replace(`UPDATE {schema}.worker SET capabilities = (
		SELECT object('format', 1, 'runtimes', array(r.name), 'detected', array(object('ref', r.runtime_ref, 'name', r.name, 'version', r.version,
			'version_raw', r.name || ' ' || r.version, 'path', r.path, 'real_path', r.path, 'outcome', r.outcome, 'source', 'verified',
			'verified_at', '2026-02-03T10:00:00Z', 'duration_ms', 9.1)))
		FROM {schema}.worker_runtime r WHERE r.worker = worker.id)`)
	for _, q := range []string{query, e.vacuum()} {
		if _, err := e.DB.DB.Exec(e.sql(q)); err != nil {
			b.Fatal(err)
		}
	}
}

func (e env) vacuum() string {
	if e.postgres {
		return "VACUUM ANALYZE"
	}
	return "ANALYZE"
}

// BenchmarkHaving asks for the first 20 active workers with a version of one of
// ten runtimes, among as many workers as -sizes says, beside the way without a
// table of installations: every active worker's document is loaded and filtered
// in memory.
func BenchmarkHaving(b *testing.B) {
	for kind, open := range map[string]func() *testdb.DB{
		"postgres": func() *testdb.DB { return testdb.Postgres(b) },
		"sqlite":   func() *testdb.DB { return testdb.SQLite(b) },
	} {
		b.Run(kind, func(b *testing.B) {
			smallest := time.Duration(0)
			for _, text := range strings.Split(*benchSizes, ",") {
				size, err := strconv.Atoi(text)
				if err != nil {
					b.Fatal(err)
				}
				db := open()
				e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), "main", kind == "postgres"}
				if e.postgres {
					e.schema = db.Schema
				}
				manyWorkers(b, e, size)
				withDocuments(b, e)
				b.Run(text, func(b *testing.B) { smallest = benchHaving(b, e, smallest) })
			}
		})
	}
}

func benchHaving(b *testing.B, e env, smallest time.Duration) time.Duration {
	want, err := version.ParseConstraint(">=3.11,<4")
	if err != nil {
		b.Fatal(err)
	}
	var index, memory []time.Duration
	ask := func() {
		ref := fmt.Sprintf("core.runtime%d", 1+rand.IntN(10))
		begin := time.Now()
		got, err := e.Workers.Having(b.Context(), ref, store.HavingFilter{Constraint: &want, Limit: 20})
		index = append(index, time.Since(begin))
		if err != nil || len(got) != 20 {
			b.Fatalf("%d matches, %v", len(got), err)
		}
	}
	load := func() {
		begin := time.Now()
		got := byDocuments(b, e, fmt.Sprintf("core.runtime%d", 1+rand.IntN(10)), want, 20)
		memory = append(memory, time.Since(begin))
		if len(got) != 20 {
			b.Fatalf("%d matches in memory", len(got))
		}
	}
	for b.Loop() {
		for range 1000 {
			ask()
		}
		if len(memory) < 5 {
			load()
		}
	}
	p99 := quantile(index, 0.99)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(quantile(index, 0.5)), "p50-ms")
	b.ReportMetric(ms(p99), "p99-ms")
	b.ReportMetric(ms(quantile(memory, 0.5)), "seed-ms")
	b.ReportMetric(ms(quantile(memory, 0.5))/ms(quantile(index, 0.5)), "x-seed")
	if smallest > 0 {
		b.ReportMetric(ms(p99)/ms(smallest), "x-p99-of-smallest")
		return smallest
	}
	return p99
}

// byDocuments loads every active worker and filters in memory.
func byDocuments(b *testing.B, e env, ref string, want version.Constraint, limit int) []int64 {
	b.Helper()
	rows, err := e.DB.DB.QueryContext(b.Context(), e.sql("SELECT id, capabilities FROM {schema}.worker WHERE status = 'active' ORDER BY id"))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var found []int64
	for rows.Next() {
		var id int64
		var raw []byte
		if err := rows.Scan(&id, &raw); err != nil {
			b.Fatal(err)
		}
		var doc struct {
			Detected []struct{ Ref, Version string }
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			b.Fatal(err)
		}
		for _, d := range doc.Detected {
			if v, err := version.Parse(d.Version); err == nil && d.Ref == ref && want.Match(v, false) && len(found) < limit {
				found = append(found, id)
				break
			}
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return found
}

func quantile(list []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(q*float64(len(sorted)-1))]
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
