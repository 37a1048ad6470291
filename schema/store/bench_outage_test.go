package store_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

var (
	outageWorkers = flag.Int("outage-workers", 100_000, "how many workers BenchmarkOutage has")
	outageStale   = flag.Int("outage-stale", 30_000, "how many of them become stale at once")
	outageBeats   = flag.Int("outage-beats", 500, "how many heartbeats a second the others send")
)

// outageRuntimes is the number of runtimes of each worker: as many as a host with the core pack's and
// some of its own.
const outageRuntimes = 28

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
		outageFleet(b, e)

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

// outageFleet fills the tables. The workers that are stale come first.
func outageFleet(b *testing.B, e env) {
	b.Helper()
	for _, query := range []string{
		`INSERT INTO {schema}.worker (name, worker_type, status, identity, instance, heartbeat_interval, last_heartbeat, capabilities)
			SELECT 'host-' || n, 'local', 'active', 'action/host-' || n, 'i1', 30,
				CASE WHEN n <= ?1 THEN now() - interval '1 hour' ELSE now() + interval '1 hour' END,
				jsonb_build_object('format', 1, 'text', repeat(md5(n::text), 100))
			FROM generate_series(1, ?0) AS n`,
		`INSERT INTO {schema}.worker_runtime (worker, runtime_ref, name, active, outcome, source, version, version_raw, sort_key, path, real_path, verified_at)
			SELECT n, 'core.runtime' || r, 'runtime' || r, true, 'available', 'verified', '3.' || v || '.0', 'Runtime 3.' || v || '.0',
				'A3B' || v || 'A0.', '/usr/bin/runtime' || r, '/usr/bin/runtime' || r || '.' || v, now()
			FROM generate_series(1, ?0) AS n, generate_series(1, ?2) AS r, LATERAL (SELECT 10 + (n::bigint * 7919 + r * 104729) % 40 AS v) AS version`,
	} {
		err := e.RunInTx(b.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			// Without checks of foreign keys, which take most of the time.
			if _, err := tx.ExecContext(ctx, "SET LOCAL session_replication_role = replica"); err != nil {
				return err
			}
			_, err := tx.NewRaw(e.sql(query), *outageWorkers, *outageStale, outageRuntimes).Exec(ctx)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, query := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := e.DB.DB.Exec(query); err != nil {
			b.Fatal(err)
		}
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
