package store_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/store"
)

var (
	benchClients = flag.Int("clients", 16, "how many clients BenchmarkHeartbeat has")
	benchRound   = flag.Duration("round", time.Second, "how long each contender of BenchmarkHeartbeat runs at a time")
	benchTurns   = flag.Int("turns", 9, "how many turns each contender of BenchmarkHeartbeat has")
)

// contender is one way to write that a worker is alive.
type contender struct {
	unit  string
	rate  func() float64 // a second
	rates []float64
}

// BenchmarkHeartbeat has -clients beat for 10,000 workers, beside the bare UPDATE
// of a row of the same width in a table of the same indexes and storage: by pgbench
// -M simple, and by the same driver and pool. They take turns; of each the median
// counts.
func BenchmarkHeartbeat(b *testing.B) {
	const workers = 10_000
	db := testdb.Postgres(b)
	durable(b, db)
	prepareHeartbeat(b, env{db.DB, nil, db.Schema, true}, workers)
	_ = db.Close() // its sessions hand in their statistics
	pool := open(b, db.URL)
	e := env{pool, store.New(pool, store.Config{Schema: db.Schema}), db.Schema, true}
	e.SetMaxOpenConns(*benchClients)
	e.SetMaxIdleConns(*benchClients)
	resetStatistics(b, e, "worker")
	contenders := []*contender{
		{unit: "beats/s", rate: func() float64 {
			return e.rate(b, workers, func(ctx context.Context, id int64) error {
				_, err := e.Workers.Heartbeat(ctx, id, "i1")
				return err
			})
		}},
		{unit: "pgbench/s", rate: func() float64 { return pgbenchRate(b, db.URL, db.Schema, workers) }},
		{unit: "bare/s", rate: func() float64 {
			return e.rate(b, workers, func(ctx context.Context, id int64) error {
				_, err := e.DB.DB.ExecContext(ctx, fmt.Sprintf("UPDATE %s.bare SET last_heartbeat = now() WHERE id = %d", e.schema, id))
				return err
			})
		}},
	}
	for b.Loop() {
		for turn := range *benchTurns {
			for i := range contenders {
				c := contenders[(turn+i)%len(contenders)]
				c.rates = append(c.rates, c.rate())
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	beats := median(contenders[0].rates)
	for i, over := range []string{"", "x-pgbench", "x-bare"} {
		if rate := median(contenders[i].rates); rate > 0 {
			b.ReportMetric(rate, contenders[i].unit)
			if over != "" {
				b.ReportMetric(rate/beats, over)
			}
		}
	}
	_ = pool.Close()
	b.ReportMetric(hot(b, db, "worker"), "%HOT")
}

// durable skips where a commit is not on the disk when it is told: whatever were
// measured there would be nobody's figure.
func durable(b *testing.B, db *testdb.DB) {
	b.Helper()
	var fsync, commit, version string
	err := db.DB.DB.QueryRow("SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_version')").Scan(&fsync, &commit, &version)
	if err != nil {
		b.Fatal(err)
	}
	if fsync != "on" || commit != "on" {
		b.Skipf("fsync is %s and synchronous_commit %s: name a server that keeps what it is told with ATTUNE_TEST_DATABASE_URL", fsync, commit)
	}
	b.Logf("Postgres %s, fsync on, synchronous_commit on", version)
}

func resetStatistics(b *testing.B, e env, table string) {
	b.Helper()
	if _, err := e.DB.DB.Exec("SELECT pg_stat_reset_single_table_counters($1::regclass)", e.schema+"."+table); err != nil {
		b.Fatal(err)
	}
}

// hot is how many percent of the updates of a table touched no index. All sessions
// that wrote to it have ended.
func hot(b *testing.B, db *testdb.DB, table string) (percent float64) {
	b.Helper()
	err := open(b, db.URL).DB.QueryRow(`SELECT 100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0)
		FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = $2`, db.Schema, table).Scan(&percent)
	if err != nil {
		b.Fatal(err)
	}
	return percent
}

// prepareHeartbeat makes workers that beat, and a table of rows as wide.
func prepareHeartbeat(b *testing.B, e env, workers int) {
	b.Helper()
	manyWorkers(b, e, workers)
	withDocuments(b, e)
	for _, query := range []string{
		`UPDATE {schema}.worker SET instance = 'i1', status = 'active', identity = 'action/' || name`,
		`CREATE TABLE {schema}.bare (LIKE {schema}.worker INCLUDING ALL) WITH (fillfactor = 50, toast_tuple_target = 128)`,
		`INSERT INTO {schema}.bare SELECT * FROM {schema}.worker`, `VACUUM FULL {schema}.worker`, `VACUUM FULL {schema}.bare`, `VACUUM ANALYZE`, `CHECKPOINT`,
	} {
		if _, err := e.DB.DB.Exec(e.sql(query)); err != nil {
			b.Fatal(err)
		}
	}
}

// rate is how often a second all clients together do something for some worker.
func (e env) rate(b *testing.B, workers int, do func(ctx context.Context, id int64) error) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), *benchRound)
	defer cancel()
	counts := make([]int, *benchClients)
	var clients sync.WaitGroup
	begin := time.Now()
	for n := range counts {
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := do(b.Context(), 1+rand.Int64N(int64(workers))); err != nil {
					b.Error(err)
					return
				}
				counts[n]++
			}
		})
	}
	clients.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds()
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbenchRate returns the rate that pgbench measures for the bare UPDATE, or 0 without
// pgbench.
func pgbenchRate(b *testing.B, url, schema string, workers int) float64 {
	b.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if path, err := exec.LookPath("pgbench"); err == nil {
		found = []string{path}
	}
	if len(found) == 0 {
		return 0
	}
	script := filepath.Join(b.TempDir(), "bare.sql")
	text := fmt.Sprintf("\\set id random(1, %d)\nUPDATE %s.bare SET last_heartbeat = now() WHERE id = :id;\n", workers, schema)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	out, err := exec.CommandContext(b.Context(), found[len(found)-1], "-n", "-M", "simple", "-c", strconv.Itoa(*benchClients),
		"-j", strconv.Itoa(runtime.NumCPU()), "-T", strconv.Itoa(int(max(1, benchRound.Seconds()))), "-f", script, url).CombinedOutput()
	m := tps.FindSubmatch(out)
	if err != nil || m == nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	rate, _ := strconv.ParseFloat(string(m[1]), 64)
	return rate
}
