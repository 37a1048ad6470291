package store_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

var (
	outageWorkers = flag.Int("outage-workers", 100_000, "how many workers BenchmarkOutage has")
	outageStale   = flag.Int("outage-stale", 30_000, "how many of them become stale at once")
	outageBeats   = flag.Int("outage-beats", 500, "how many heartbeats a second the others send")
)

// BenchmarkOutage marks many workers of a large fleet inactive while the others send heartbeats, and
// somebody looks for workers. Each batch of the sweep has the time of one statement of the service.
func BenchmarkOutage(b *testing.B) {
	for b.Loop() {
		db := testdb.Postgres(b)
		durable(b, db)
		pool := open(b, db.URL)
		pool.SetMaxOpenConns(32)
		pool.SetMaxIdleConns(32)
		e := env{pool, store.New(pool, store.Config{Schema: db.Schema}), db.Schema, true}
		fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *outageWorkers, Stale: *outageStale})

		calm := beatFor(b, e, func() { time.Sleep(5 * time.Second) })
		var longest, took time.Duration
		swept := 0
		during := beatFor(b, e, func() {
			begin := time.Now()
			for more := true; more; {
				ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
				at := time.Now()
				part, again, err := e.Workers.SweepBatch(ctx, 0, store.HeartbeatSpan{})
				cancel()
				if err != nil {
					b.Fatal(err)
				}
				longest, swept, more = max(longest, time.Since(at)), swept+len(part), again
			}
			took = time.Since(begin)
		})
		if swept != *outageStale {
			b.Fatalf("swept %d workers, want %d", swept, *outageStale)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.Seconds(), "s-to-sweep")
		b.ReportMetric(ms(longest), "ms-longest-batch")
		b.ReportMetric(ms(quantile(calm, 0.99)), "ms-beat-p99-before")
		b.ReportMetric(ms(quantile(during, 0.99)), "ms-beat-p99")
		b.ReportMetric(ms(quantile(during, 0.5)), "ms-beat-p50")
	}
}

// beatFor sends heartbeats of workers that are not stale, evenly in time, until do returns. It returns
// how long after it was due each heartbeat was answered.
func beatFor(b *testing.B, e env, do func()) []time.Duration {
	b.Helper()
	var all sync.WaitGroup
	var mutex sync.Mutex
	var lags []time.Duration
	var next atomic.Int64
	done := make(chan struct{})
	begin := time.Now()
	for range 16 {
		all.Go(func() {
			for {
				due := time.Duration(next.Add(1)) * time.Second / time.Duration(*outageBeats)
				select {
				case <-done:
					return
				case <-time.After(due - time.Since(begin)):
				}
				id := int64(*outageStale + 1 + rand.IntN(*outageWorkers-*outageStale))
				if _, err := e.Workers.Heartbeat(b.Context(), id, "i1"); err != nil {
					b.Error(err)
				}
				mutex.Lock()
				lags = append(lags, time.Since(begin)-due)
				mutex.Unlock()
			}
		})
	}
	do()
	close(done)
	all.Wait()
	return lags
}
