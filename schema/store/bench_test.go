package store_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/version"
	"github.com/attune-go/attune/schema/store"
)

var (
	benchSizes   = flag.String("sizes", "1000,100000", "how many workers BenchmarkHaving has, smallest first")
	benchClients = flag.Int("clients", 16, "how many clients BenchmarkHeartbeat has")
	benchRound   = flag.Duration("round", 4*time.Second, "how long each of BenchmarkHeartbeat's three contenders runs in a round")
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
		for range 200 {
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

// BenchmarkHeartbeat has -clients beat for 10,000 workers, beside the bare UPDATE
// of a row of the same width in a table of the same indexes and storage: by the
// same driver, and by pgbench -M simple where there is one. The three take turns.
func BenchmarkHeartbeat(b *testing.B) {
	const workers = 10_000
	db := testdb.Postgres(b)
	prepareHeartbeat(b, env{db.DB, nil, db.Schema, true}, workers)
	_ = db.Close() // its sessions hand in their statistics
	pool := open(b, db.URL)
	e := env{pool, store.New(pool, store.Config{Schema: db.Schema}), db.Schema, true}
	e.SetMaxOpenConns(*benchClients)
	e.SetMaxIdleConns(*benchClients)
	if _, err := pool.DB.Exec(e.sql(`SELECT pg_stat_reset_single_table_counters('{schema}.worker'::regclass)`)); err != nil {
		b.Fatal(err)
	}
	var beat, bare, pgbench []float64
	for b.Loop() {
		beat = append(beat, e.rate(b, func(ctx context.Context, id int64) error {
			_, err := e.Workers.Heartbeat(ctx, id, "i1")
			return err
		}, workers))
		bare = append(bare, e.rate(b, func(ctx context.Context, id int64) error {
			_, err := e.DB.DB.ExecContext(ctx, fmt.Sprintf("UPDATE %s.bare SET last_heartbeat = now() WHERE id = %d", e.schema, id))
			return err
		}, workers))
		if rate := pgbenchRate(b, db.URL, e.schema, workers); rate > 0 {
			pgbench = append(pgbench, rate)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(beat), "beats/s")
	b.ReportMetric(median(bare), "bare/s")
	b.ReportMetric(median(bare)/median(beat), "x-bare")
	if len(pgbench) > 0 {
		b.ReportMetric(median(pgbench), "pgbench/s")
		b.ReportMetric(median(pgbench)/median(beat), "x-pgbench")
	}
	_ = pool.Close()
	again := open(b, db.URL)
	var hot float64
	var fsync, commit string
	if err := again.DB.QueryRow(`SELECT 100.0 * n_tup_hot_upd / n_tup_upd, current_setting('fsync'), current_setting('synchronous_commit')
		FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'worker'`, e.schema).Scan(&hot, &fsync, &commit); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(hot, "%HOT")
	b.Logf("%d clients, fsync %s, synchronous_commit %s", *benchClients, fsync, commit)
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
func (e env) rate(b *testing.B, do func(ctx context.Context, id int64) error, workers int) float64 {
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

// pgbenchRate is what pgbench says of the bare UPDATE; 0 where there is none.
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

func quantile(list []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(q*float64(len(sorted)-1))]
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
