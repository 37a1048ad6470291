package store_test

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

// BenchmarkHostileRows is what a service asks of rows that are meant to cost it time and
// memory: their mark, and the definitions. peak-MiB is by how much the heap grew, what was
// not collected yet included.
func BenchmarkHostileRows(b *testing.B) {
	for name, insert := range map[string]string{
		"400-documents-of-1MB": `INSERT INTO {schema}.runtime (ref, name, distributions)
			SELECT 'evil.r' || n, 'X', pg_catalog.jsonb_build_object('x', pg_catalog.repeat('a', 1000000)) FROM pg_catalog.generate_series(1, 400) AS n`,
		"400-versions-of-1MB": `INSERT INTO {schema}.runtime (ref, name) SELECT 'evil.r' || n, 'X' FROM pg_catalog.generate_series(1, 20) AS n;
			INSERT INTO {schema}.runtime_version (runtime, version, sort_key, distributions)
			SELECT r.id, '1.' || n, '', pg_catalog.jsonb_build_object('x', pg_catalog.repeat('a', 1000000)) FROM {schema}.runtime AS r, pg_catalog.generate_series(1, 20) AS n`,
		"40-documents-of-40MB": `INSERT INTO {schema}.runtime (ref, name, distributions) VALUES ('evil.r', 'X', pg_catalog.jsonb_build_object('x', pg_catalog.repeat('a', 40000000)));
			INSERT INTO {schema}.runtime (ref, name, distributions) SELECT 'evil.r' || n, 'X', r.distributions FROM {schema}.runtime AS r, pg_catalog.generate_series(1, 39) AS n`,
		"400-documents-of-2MB-escaped": `INSERT INTO {schema}.runtime (ref, name, distributions)
			SELECT 'evil.r' || n, 'X', pg_catalog.jsonb_build_object('x', pg_catalog.repeat(E'\x01', 345000)) FROM pg_catalog.generate_series(1, 400) AS n`,
		"400-documents-of-6MB-escaped": `INSERT INTO {schema}.runtime (ref, name, distributions)
			SELECT 'evil.r' || n, 'X', pg_catalog.jsonb_build_object('x', pg_catalog.repeat(E'\x01', 1000000)) FROM pg_catalog.generate_series(1, 400) AS n`,
		"100-versions-of-0.4MB-escaped": `INSERT INTO {schema}.runtime (ref, name) VALUES ('evil.r', 'X'); INSERT INTO {schema}.runtime_version (runtime, version, sort_key, distributions)
			SELECT r.id, '1.' || n, '', pg_catalog.jsonb_build_object('x', pg_catalog.repeat(E'\x01', 400000)) FROM {schema}.runtime AS r, pg_catalog.generate_series(1, 100) AS n WHERE r.ref = 'evil.r'`,
		"100000-definitions": `INSERT INTO {schema}.runtime (ref, name, distributions)
			SELECT 'aaa.r' || n, 'X', '{"verification": {"commands": [{"binary": "nothing"}]}}' FROM pg_catalog.generate_series(1, 100000) AS n`,
	} {
		b.Run(name, func(b *testing.B) {
			db := testdb.Postgres(b)
			e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), db.Schema, true}
			testdb.Unguard(b, e.DB, e.schema)
			if _, err := e.DB.DB.Exec(e.sql(insert)); err != nil {
				b.Fatal(err)
			}
			if _, err := e.DB.DB.Exec("ANALYZE"); err != nil {
				b.Fatal(err)
			}
			var mark, read time.Duration
			var peak uint64
			for b.Loop() {
				grown := heapGrowth()
				begin := time.Now()
				if _, err := e.DefinitionsMark(b.Context()); err != nil {
					b.Fatal(err)
				}
				mark += time.Since(begin)
				begin = time.Now()
				defs, _, err := e.BoundedDefinitions(b.Context())
				if err != nil || len(defs) == 0 {
					b.Fatalf("%d definitions, %v", len(defs), err)
				}
				read += time.Since(begin)
				peak = max(peak, grown())
				runtime.KeepAlive(defs)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(mark.Milliseconds())/float64(b.N), "mark-ms")
			b.ReportMetric(float64(read.Milliseconds())/float64(b.N), "read-ms")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		})
	}
}

// heapGrowth watches the heap; what it returns stops that and returns by how many bytes
// the heap grew at most.
func heapGrowth() func() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	used := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	runtime.GC()
	before := used()
	peak, stop, done := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, used())
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return peak - before
	}
}
