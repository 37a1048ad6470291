package api_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

var (
	apiWorkers = flag.Int("api-workers", 10_000, "how many workers BenchmarkAPI has")
	apiStreams = flag.Int("api-streams", 500, "how many streams BenchmarkStreams has")
	apiTokens  = flag.Bool("api-tokens", false, "whether each stream of BenchmarkStreams has a token of the database")
)

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
	changed := func() { // counts by group are forgotten when the hub has seen a change
		if _, err := db.ExecContext(ctx, insertChange); err != nil {
			b.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	revision, _ := get("/v1/workers/1", "")
	explained, _ := get("/v1/workers/1/explain?runtime=runtime7", "")
	for _, c := range []struct {
		name, path, tag string
		bare, before    func()
	}{
		{name: "list-100", path: "/v1/workers?limit=100", bare: list(answer.ListQuery{Limit: 100})},
		{name: "one", path: "/v1/workers/1", bare: list(answer.ListQuery{Selection: store.Selection{IDs: []int64{1}}, Labels: true, Versions: true})},
		{name: "one-304", path: "/v1/workers/1", tag: revision},
		{name: "matrix-100", path: "/v1/matrix?limit=100"},
		{name: "groups", path: "/v1/matrix/groups?by=label:zone"},
		{name: "groups-cold", path: "/v1/matrix/groups?by=label:zone", before: changed},
		{name: "explain", path: "/v1/workers/1/explain?runtime=runtime7"},
		{name: "explain-304", path: "/v1/workers/1/explain?runtime=runtime7", tag: explained},
		{name: "why-not", path: "/v1/explain?runtime=runtime7@%3E%3D3.50"},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			latencies(b, c.before, func() { _, size = get(c.path, c.tag) })
			b.ReportMetric(float64(size)/1024, "KB")
		})
		if c.bare != nil {
			b.Run(c.name+"-bare", func(b *testing.B) { latencies(b, nil, c.bare) })
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
		latencies(b, nil, func() {
			if states, _, err := st.Workers.States(b.Context()); err != nil || len(states) != *apiWorkers {
				b.Fatal(err)
			}
		})
	})
	b.Run("rows", func(b *testing.B) {
		b.ReportAllocs()
		latencies(b, nil, func() {
			if rows, err := st.Workers.Standing(b.Context(), store.Selection{}); err != nil || len(rows) != *apiWorkers {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkStreams has as many streams as -api-streams, half of them with statuses. p50-ms and p99-ms are the times from the
// commit of a change until each of them has it. statements/s and heap-KB/stream are of a second at rest; the heap is of the
// server and of its clients.
func BenchmarkStreams(b *testing.B) {
	db := testdb.Postgres(b)
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *apiWorkers})
	counted := new(statements)
	db.DB = db.WithQueryHook(counted)
	st := store.New(db, store.Config{Schema: db.Schema})
	authorize, tokens := byName, slices.Repeat([]string{"read"}, *apiStreams)
	if *apiTokens {
		authorize = api.Tokens(st)
		for i := range tokens {
			var err error
			if tokens[i], _, err = api.NewToken(b.Context(), st, fmt.Sprint("t", i), api.Read, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	a, err := api.New(st, api.Config{Authorize: authorize, Limits: api.Limits{Rate: 1e9, Burst: 1e9, Streams: 1e6}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s := httptest.NewServer(a.Handler())
	defer func() { cancel(); <-ended; s.Close() }()
	for rec := httptest.NewRecorder(); ; rec = httptest.NewRecorder() {
		if a.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody)); rec.Code == http.StatusOK {
			break
		}
		time.Sleep(time.Millisecond)
	}
	before := heap()
	arrived := make(chan time.Time, *apiStreams)
	for i := range *apiStreams {
		path := "/v1/changes"
		if i%2 == 0 {
			path += "?include=status"
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tokens[i])
		req.Header.Set("Accept", "text/event-stream")
		got, err := s.Client().Do(req) //nolint:bodyclose // the goroutine below closes it
		if err != nil || got.StatusCode != http.StatusOK {
			b.Fatal(got, err)
		}
		go func() {
			defer got.Body.Close()
			for lines := bufio.NewScanner(got.Body); lines.Scan(); {
				if lines.Text() == "event: change" {
					arrived <- time.Now()
				}
			}
		}()
	}
	time.Sleep(2 * time.Second) // the first looks
	idle := counted.n.Load()
	time.Sleep(5 * time.Second)
	rate, grown := float64(counted.n.Load()-idle)/5, float64(heap()-before)/1024/float64(*apiStreams)
	var took []time.Duration
	for b.Loop() {
		time.Sleep(rand.N(250 * time.Millisecond)) // else each is made just after a look of the hub
		if _, err := db.ExecContext(ctx, insertChange); err != nil {
			b.Fatal(err)
		}
		committed := time.Now()
		for range *apiStreams {
			took = append(took, (<-arrived).Sub(committed))
		}
	}
	report(b, took)
	b.ReportMetric(rate, "statements/s")
	b.ReportMetric(grown, "heap-KB/stream")
}

// insertChange makes a change.
const insertChange = `INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind)
	VALUES ('gone', 'action', 'core.python', 'python', 'lost')`

// heap returns the bytes of the heap in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// latencies reports the median and the 99th percentile of calls. before is called before each, unless it is nil.
func latencies(b *testing.B, before, call func()) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		if before != nil {
			before()
		}
		begin := time.Now()
		call()
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

// report reports the median and the 99th percentile of times.
func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	at := func(share float64) float64 {
		return took[int(share*float64(len(took)-1))].Seconds() * 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}
