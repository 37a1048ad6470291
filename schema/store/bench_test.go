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
	"github.com/attune-go/attune/schema/metadata"
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
// in memory; and on Postgres, the database filters the documents and stops at 20.
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
				withDefinitions(b, e)
				withDocuments(b, e)
				b.Run(text, func(b *testing.B) { smallest = benchHaving(b, e, smallest) })
			}
		})
	}
}

// A havingCase is a constraint and how many workers satisfy it.
type havingCase struct {
	name, constraint string
	matches          int // of the first 20; negative means at least one
}

var havingCases = []havingCase{
	{"common", ">=3.11,<4", 20},
	{"rare", "3.49", -1},  // one of 40 versions
	{"none", ">=3.50", 0}, // no worker has it
}

// withDefinitions defines the runtimes of manyWorkers.
func withDefinitions(b *testing.B, e env) {
	b.Helper()
	for i := 1; i <= 10; i++ {
		if _, err := e.Runtimes.UpsertDefinition(b.Context(), &metadata.Definition{Ref: fmt.Sprintf("core.runtime%d", i), Name: fmt.Sprintf("runtime%d", i)}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func benchHaving(b *testing.B, e env, smallest time.Duration) time.Duration {
	common := time.Duration(0)
	for _, c := range havingCases {
		b.Run(c.name, func(b *testing.B) {
			p99 := benchHavingCase(b, e, c, smallest)
			if c.name == "common" {
				common = p99
			}
		})
	}
	if smallest > 0 {
		return smallest
	}
	return common
}

func benchHavingCase(b *testing.B, e env, c havingCase, smallest time.Duration) time.Duration {
	want, err := version.ParseConstraint(c.constraint)
	if err != nil {
		b.Fatal(err)
	}
	var index, memory, query []time.Duration
	timed := func(list *[]time.Duration, ask func(ref string) int) {
		ref := fmt.Sprintf("core.runtime%d", 1+rand.IntN(10))
		begin := time.Now()
		n := ask(ref)
		*list = append(*list, time.Since(begin))
		if n != c.matches && (c.matches >= 0 || n == 0) {
			b.Fatalf("%d matches of %s, want %d", n, c.constraint, c.matches)
		}
	}
	for b.Loop() {
		for range 1000 {
			timed(&index, func(ref string) int {
				got, err := e.Workers.Having(b.Context(), ref, store.HavingFilter{Constraint: &want, Limit: 20})
				if err != nil {
					b.Fatal(err)
				}
				return len(got)
			})
		}
		for len(memory) < 3 {
			timed(&memory, func(ref string) int { return len(byDocuments(b, e, ref, want, 20)) })
			if e.postgres {
				timed(&query, func(ref string) int { return len(byDocumentsInSQL(b, e, ref, want, 20)) })
			}
		}
	}
	p50, p99 := quantile(index, 0.5), quantile(index, 0.99)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(p50), "p50-ms")
	b.ReportMetric(ms(p99), "p99-ms")
	b.ReportMetric(ms(quantile(memory, 0.5)), "memory-ms")
	b.ReportMetric(ms(quantile(memory, 0.5))/ms(p50), "x-memory")
	if e.postgres {
		b.ReportMetric(ms(quantile(query, 0.5)), "documents-ms")
		b.ReportMetric(ms(quantile(query, 0.5))/ms(p50), "x-documents")
	}
	if smallest > 0 {
		b.ReportMetric(ms(p99)/ms(smallest), "x-p99-of-smallest")
	}
	return p99
}

// byDocumentsInSQL returns the first workers whose document has a matching installation. The database
// filters the documents and stops when it has enough; their order is of no account.
func byDocumentsInSQL(b *testing.B, e env, ref string, want version.Constraint, limit int) (found []int64) {
	b.Helper()
	ranges := want.Ranges(false)
	if len(ranges) != 1 {
		b.Fatalf("%d ranges, want 1", len(ranges))
	}
	err := e.NewRaw(e.sql(`SELECT worker.id FROM {schema}.worker WHERE status = 'active'
		AND last_heartbeat > now() - heartbeat_interval * interval '3 seconds' AND EXISTS (
			SELECT FROM jsonb_array_elements(capabilities->'detected') AS d CROSS JOIN LATERAL {schema}.version_key(d->>'version') AS key
			WHERE d->>'ref' = ?0 AND key COLLATE "C" >= ?1 AND (?2 = '' OR key COLLATE "C" < ?2))
		LIMIT ?3`), ref, ranges[0].From, ranges[0].To, limit).Scan(b.Context(), &found)
	if err != nil {
		b.Fatal(err)
	}
	return found
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
