//go:build unix

package store_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

var (
	fleetSizes   = flag.String("fleet", "10000,20000,40000,80000,160000", "how many workers BenchmarkFleet simulates, until they are too many")
	fleetWindow  = flag.Duration("fleet-window", 20*time.Second, "how long BenchmarkFleet watches each number of workers")
	fleetClients = flag.Int("fleet-clients", 32, "how many connections the workers of BenchmarkFleet share")
)

// What a worker does, and how often: a heartbeat interval of 30 s, and else the
// defaults of the service.
const (
	fleetBeat   = 30 * time.Second
	fleetVerify = time.Minute
	fleetReport = 10 * fleetVerify
	fleetSweep  = store.Missed * fleetBeat
	// mostLag is how late 99 of 100 heartbeats may be.
	mostLag = time.Second
)

// BenchmarkFleet looks for the greatest number of workers whose heartbeats arrive in
// time. Lag is from when a heartbeat is due until the answer to it is there, so it
// includes the wait for one of the connections, which the workers share as they would
// through a pooler.
//
// Simulated is everything that a worker asks of the database while nothing changes:
// heartbeats, and with every third a sweep; each minute the mark of the definitions
// (those of the core pack); every tenth minute a report that says what the one before
// said. Due times are spread as the service spreads them.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		f := newFleet(b)
		held, from := fleetStep{}, 0
		for _, text := range strings.Split(*fleetSizes, ",") {
			size, err := strconv.Atoi(text)
			if err != nil {
				b.Fatal(err)
			}
			f.grow(from, size)
			from = size
			step := f.watch(size)
			if !step.holds() {
				if between := (held.workers + size) / 2; held.workers > 0 {
					if step := f.watch(between); step.holds() {
						held = step
					}
				}
				break
			}
			held = step
		}
		outage := fleetStep{}
		if held.workers > 0 {
			outage = f.watchOutage(held.workers)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(ms(outage.p99), "p99-lag-ms-in-outage")
		b.ReportMetric(float64(held.workers), "workers")
		b.ReportMetric(ms(held.p99), "p99-lag-ms")
		b.ReportMetric(ms(held.most), "max-lag-ms")
		b.ReportMetric(held.hot, "%HOT")
		b.ReportMetric(held.server, "%CPU-server")
		b.ReportMetric(held.client, "%CPU-client")
	}
}

// fleet is a database of workers, and the connections that they share.
type fleet struct {
	*testing.B
	env
	db        *testdb.DB
	reporting int // so many workers have rows that they report again
}

// fleetStep is what came of one number of workers.
type fleetStep struct {
	workers, beats, failed int
	p50, p99, most         time.Duration
	hot, server, client    float64 // percent
}

func (s fleetStep) holds() bool { return s.workers > 0 && s.failed == 0 && s.p99 < mostLag }

func newFleet(b *testing.B) *fleet {
	b.Helper()
	db := testdb.Postgres(b)
	durable(b, db)
	if _, err := install.Load(b.Context(), db.DB, store.Config{Schema: db.Schema}, packs.Core(), install.Options{}); err != nil {
		b.Fatal(err)
	}
	pool := open(b, db.URL)
	pool.SetMaxOpenConns(*fleetClients)
	pool.SetMaxIdleConns(*fleetClients)
	return &fleet{B: b, db: db, env: env{pool, store.New(pool, store.Config{Schema: db.Schema}), db.Schema, true}}
}

// fleetRuntimes is the number of installations of each worker, a quarter of them with evidence.
const fleetRuntimes = 28

// says is what a worker reports.
func says() store.Capabilities {
	var caps store.Capabilities
	doc := map[string]any{"format": 1}
	var names []string
	for n := range fleetRuntimes {
		r := row(fmt.Sprint("core.runtime", n), fmt.Sprint("runtime", n), fmt.Sprintf("3.12.%d", n), fmt.Sprint("/usr/local/bin/runtime", n))
		r.VersionRaw, r.RealPath = "Runtime "+r.Version, fmt.Sprintf("/usr/lib/runtime%d/bin/runtime", n)
		if r.Evidence = nil; n%4 == 2 {
			r.Evidence = json.RawMessage(`[{"omits": "entry", "output": "` + r.VersionRaw + `\nCopyright (C) 2026 The Authors\nThis is free software; see the source for copying conditions."}]`)
		}
		caps.Runtimes, names = append(caps.Runtimes, r), append(names, r.Name)
	}
	doc["runtimes"], doc["detected"] = names, caps.Runtimes
	var err error
	if caps.Document, err = json.Marshal(doc); err != nil {
		panic(err)
	}
	return caps
}

// grow adds workers with a document and its rows. Those that will report have reported.
func (f *fleet) grow(from, to int) {
	f.Helper()
	_, err := f.NewRaw(f.sql(`INSERT INTO {schema}.worker (name, worker_type, status, identity, instance, heartbeat_interval, last_heartbeat, capabilities)
		SELECT 'host-' || n, 'local', 'active', 'action/host-' || n, 'i1', 3600, CURRENT_TIMESTAMP, ? FROM generate_series(?, ?) AS n`),
		string(says().Document), from+1, to).Exec(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	reporting := 1 + int(float64(to)*fleetWindow.Seconds()/fleetReport.Seconds())
	var next atomic.Int64
	next.Store(int64(f.reporting))
	var clients sync.WaitGroup
	for range *fleetClients {
		clients.Go(func() {
			for n := next.Add(1); n <= int64(reporting); n = next.Add(1) {
				if _, err := f.Workers.Report(f.Context(), n, "i1", says()); err != nil {
					f.Error(err)
				}
			}
		})
	}
	clients.Wait()
	f.reporting = reporting
	// The others have the rows of the first, as if they had reported.
	_, err = f.NewRaw(f.sql(`INSERT INTO {schema}.worker_runtime (worker, runtime, runtime_ref, name, active, outcome, source, version, version_raw,
			prerelease, sort_key, path, real_path, evidence, verified_at)
		SELECT w.id, r.runtime, r.runtime_ref, r.name, r.active, r.outcome, r.source, r.version, r.version_raw,
			r.prerelease, r.sort_key, r.path, r.real_path, r.evidence, r.verified_at
		FROM {schema}.worker_runtime r, {schema}.worker w
		WHERE r.worker = 1 AND NOT EXISTS (SELECT FROM {schema}.worker_runtime own WHERE own.worker = w.id)`)).Exec(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	for _, query := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := f.DB.DB.Exec(query); err != nil {
			f.Fatal(err)
		}
	}
}

// due is something that a worker is to do at a time.
type due struct {
	after time.Duration // since the beginning
	beat  bool
	do    func(context.Context) error
}

// watch has so many workers live for a while.
func (f *fleet) watch(workers int) fleetStep {
	f.Helper()
	return f.perform(workers, f.schedule(workers, func(int) bool { return true }))
}

// watchOutage has three of ten workers fall silent. The others live on, and one of them sweeps.
func (f *fleet) watchOutage(workers int) fleetStep {
	f.Helper()
	isSilent := func(n int) bool { return n%10 < 3 }
	if _, err := f.NewRaw(f.sql("UPDATE {schema}.worker SET last_heartbeat = last_heartbeat - interval '1 day' WHERE (id - 1) % 10 < 3")).Exec(f.Context()); err != nil {
		f.Fatal(err)
	}
	swept := 0
	jobs := f.schedule(workers, func(n int) bool { return !isSilent(n) })
	jobs = slices.Insert(jobs, 0, due{do: func(context.Context) error {
		for more := true; more; {
			part, again, err := f.Workers.SweepBatch(f.Context(), 0, store.HeartbeatSpan{})
			if err != nil {
				return err
			}
			swept, more = swept+len(part), again
		}
		return nil
	}})
	step := f.perform(workers, jobs)
	f.Logf("%7d workers fell silent and %d were swept", workers*3/10, swept)
	return step
}

// perform does what is due.
func (f *fleet) perform(workers int, jobs []due) fleetStep {
	f.Helper()
	resetStatistics(f.B, f.env, "worker")
	lags := make([]time.Duration, len(jobs))
	var next, failed atomic.Int64
	var clients sync.WaitGroup
	server, client, begin := f.serverCPU(), clientCPU(), time.Now()
	for range *fleetClients {
		clients.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(jobs)); n = next.Add(1) - 1 {
				time.Sleep(jobs[n].after - time.Since(begin))
				ctx, cancel := context.WithTimeout(f.Context(), 5*time.Second)
				if err := jobs[n].do(ctx); err != nil && failed.Add(1) == 1 {
					f.Log(err)
				}
				cancel()
				lags[n] = time.Since(begin) - jobs[n].after
			}
		})
	}
	clients.Wait()
	took := time.Since(begin)
	share := func(used time.Duration) float64 {
		return 100 * used.Seconds() / took.Seconds() / float64(runtime.NumCPU())
	}
	step := fleetStep{workers: workers, failed: int(failed.Load()), server: share(f.serverCPU() - server), client: share(clientCPU() - client)}
	var beats []time.Duration
	for n := range jobs {
		if jobs[n].beat {
			beats = append(beats, lags[n])
		}
	}
	step.beats, step.p50, step.p99, step.most = len(beats), quantile(beats, 0.5), quantile(beats, 0.99), slices.Max(beats)
	step.hot = hot(f.B, f.db, "worker")
	f.Logf("%7d workers: %6.0f beats/s and %6.0f other questions/s, lag p50 %v p99 %v max %v, %.1f %% HOT, CPU: server %.0f %%, clients %.0f %%, %d failed",
		workers, float64(step.beats)/took.Seconds(), float64(len(jobs)-step.beats)/took.Seconds(),
		step.p50.Round(time.Microsecond), step.p99.Round(time.Microsecond), step.most.Round(time.Microsecond), step.hot, step.server, step.client, step.failed)
	return step
}

// schedule is what all workers do while they are watched, in the order in which it is
// due.
func (f *fleet) schedule(workers int, lives func(worker int) bool) []due {
	var jobs []due
	every := func(worker int, interval time.Duration, do func(context.Context) error) {
		for at := time.Duration(rand.Float64() * float64(interval)); at < *fleetWindow; at += time.Duration((0.9 + 0.2*rand.Float64()) * float64(interval)) {
			jobs = append(jobs, due{at, interval == fleetBeat, do})
		}
	}
	report := says()
	for n := range workers {
		id := int64(n + 1)
		if !lives(n) {
			continue
		}
		every(n, fleetBeat, func(ctx context.Context) error {
			_, err := f.Workers.Heartbeat(ctx, id, "i1")
			return err
		})
		every(n, fleetVerify, func(ctx context.Context) error {
			_, err := f.DefinitionsMark(ctx)
			return err
		})
		every(n, fleetSweep, func(ctx context.Context) error {
			_, err := f.Workers.Sweep(ctx, fleetSweep/2, store.HeartbeatSpan{Since: time.Now().Add(-time.Hour), Until: time.Now()})
			return err
		})
	}
	for n := range int(float64(workers) * fleetWindow.Seconds() / fleetReport.Seconds()) {
		if !lives(n) {
			continue
		}
		jobs = append(jobs, due{time.Duration(rand.Float64() * float64(*fleetWindow)), false, func(ctx context.Context) error {
			var changes []schema.CapabilityChange
			changes, err := f.Workers.Report(ctx, int64(n+1), "i1", report)
			if err == nil && len(changes) > 0 {
				err = fmt.Errorf("%d changes of nothing", len(changes))
			}
			return err
		}})
	}
	slices.SortFunc(jobs, func(a, b due) int { return cmp.Compare(a.after, b.after) })
	return jobs
}

// clientCPU is what this process has used.
func clientCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// serverCPU is what the processes of the server have used; 0 where they are not to be
// seen from here.
func (f *fleet) serverCPU() time.Duration {
	f.Helper()
	var pid int
	if err := f.DB.DB.QueryRow("SELECT pg_backend_pid()").Scan(&pid); err != nil {
		f.Fatal(err)
	}
	backend := statOf(fmt.Sprint(pid))
	if backend == nil || backend.name != "postgres" {
		return 0
	}
	total := time.Duration(0)
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range processes {
		if p := statOf(filepath.Base(path)); p != nil && (p.parent == backend.parent || p.pid == backend.parent) {
			total += p.cpu
		}
	}
	return total
}

type process struct {
	name, pid, parent string
	cpu               time.Duration
}

// statOf reads /proc/PID/stat, as proc(5) describes it.
func statOf(pid string) *process {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	name, rest, ok := bytes.Cut(text, []byte(") "))
	fields := strings.Fields(string(rest))
	if err != nil || !ok || len(fields) < 14 {
		return nil
	}
	p := &process{name: string(name[bytes.IndexByte(name, '(')+1:]), pid: pid, parent: fields[1]}
	for _, ticks := range fields[11:13] {
		n, _ := strconv.Atoi(ticks)
		p.cpu += time.Duration(n) * time.Second / 100
	}
	return p
}
