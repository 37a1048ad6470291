package api_test

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

var apiWorkers = flag.Int("api-workers", 10_000, "how many workers BenchmarkAPI has")

// BenchmarkAPI asks questions about a fleet over HTTP, and beside each the same statements without HTTP
// (bare). p50-ms and p99-ms are of single answers, and KB is the size of one.
func BenchmarkAPI(b *testing.B) {
	db := testdb.Postgres(b)
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *apiWorkers})
	st := store.New(db, store.Config{Schema: db.Schema})
	a, err := api.New(st, api.Config{Authorize: byName, Limits: api.Limits{Rate: 1e9, Burst: 1e9}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	s := httptest.NewServer(a.Handler())
	defer s.Close()
	get := func(path, tag string) (newTag string, size int) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer operate")
		if tag != "" {
			req.Header.Set("If-None-Match", tag)
		}
		got, err := s.Client().Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer got.Body.Close()
		for part := make([]byte, 32<<10); err == nil; {
			var n int
			n, err = got.Body.Read(part)
			size += n
		}
		if got.StatusCode >= http.StatusBadRequest {
			b.Fatalf("%s: %d", path, got.StatusCode)
		}
		return got.Header.Get("ETag"), size
	}
	list := func(q answer.ListQuery) func() {
		return func() {
			if _, err := answer.ListWorkers(ctx, st, q, func([]answer.WorkerItem) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	}
	revision, _ := get("/v1/workers/1", "")
	explained, _ := get("/v1/workers/1/explain?runtime=runtime7", "")
	for _, c := range []struct {
		name, path, tag string
		bare            func()
	}{
		{name: "list-100", path: "/v1/workers?limit=100", bare: list(answer.ListQuery{Limit: 100})},
		{name: "one", path: "/v1/workers/1", bare: list(answer.ListQuery{Selection: store.Selection{IDs: []int64{1}}, Labels: true, Versions: true})},
		{name: "one-304", path: "/v1/workers/1", tag: revision},
		{name: "matrix-100", path: "/v1/matrix?limit=100"},
		{name: "groups", path: "/v1/matrix/groups?by=label:zone"},
		{name: "explain", path: "/v1/workers/1/explain?runtime=runtime7"},
		{name: "explain-304", path: "/v1/workers/1/explain?runtime=runtime7", tag: explained},
		{name: "why-not", path: "/v1/explain?runtime=runtime7@%3E%3D3.50"},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			latencies(b, func() { _, size = get(c.path, c.tag) })
			b.ReportMetric(float64(size)/1024, "KB")
		})
		if c.bare != nil {
			b.Run(c.name+"-bare", func(b *testing.B) { latencies(b, c.bare) })
		}
	}
}

// BenchmarkStatuses reads the statuses of a fleet as a server does while a stream shows them,
// and beside it the rows of the workers.
func BenchmarkStatuses(b *testing.B) {
	db := testdb.Postgres(b)
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *apiWorkers})
	st := store.New(db, store.Config{Schema: db.Schema})
	b.Run("statuses", func(b *testing.B) {
		b.ReportAllocs()
		latencies(b, func() {
			if states, _, err := st.Workers.States(b.Context()); err != nil || len(states) != *apiWorkers {
				b.Fatal(err)
			}
		})
	})
	b.Run("rows", func(b *testing.B) {
		b.ReportAllocs()
		latencies(b, func() {
			if rows, err := st.Workers.Standing(b.Context(), store.Selection{}); err != nil || len(rows) != *apiWorkers {
				b.Fatal(err)
			}
		})
	})
}

// latencies reports the median and the 99th percentile of calls.
func latencies(b *testing.B, call func()) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		call()
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return took[int(share*float64(len(took)-1))].Seconds() * 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}
