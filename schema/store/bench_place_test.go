package store_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

var (
	placeSizes   = flag.String("place-sizes", "1000,100000", "how many workers BenchmarkPlace has, smallest first")
	whyNotSizes  = flag.String("why-not-sizes", "1000,10000,100000", "how many workers BenchmarkWhyNot has; SQLite has the first only")
	placeRound   = flag.Duration("place-round", 3*time.Second, "how long BenchmarkPlace places in a round")
	placeFor     = flag.Duration("place-for", 5*time.Second, "how long BenchmarkPlacements places")
	placeClients = flag.Int("place-clients", 8, "how many clients of BenchmarkPlacements place at once")
)

// placeFleet makes a fleet with documents, labels and taints. Every third worker is inactive. The label
// rack is rare; zone and disk are frequent, and no worker has zone=a with disk=ssd. A hundredth has
// row=w7, and none of them hall=warm, which all others have.
func placeFleet(b *testing.B, kind string, workers int) env {
	b.Helper()
	var db *testdb.DB
	e := env{schema: "main"}
	if kind == "postgres" {
		db = testdb.Postgres(b)
		e = env{schema: db.Schema, postgres: true}
	} else {
		db = testdb.SQLite(b)
	}
	e.DB, e.Store = db.DB, store.New(db.DB, store.Config{Schema: db.Schema})
	manyWorkers(b, e, workers)
	withDocuments(b, e)
	with := "capabilities || jsonb_build_object('labels', jsonb_build_object({labels}), 'taints', CASE WHEN id % 20 = 0 THEN {taints}::jsonb ELSE '[]' END)"
	if !e.postgres {
		with = "json_set(capabilities, '$.labels', json_object({labels}), '$.taints', CASE WHEN id % 20 = 0 THEN json({taints}) ELSE json('[]') END)"
	}
	with = strings.ReplaceAll(with, "{labels}", "'zone', CASE {hash} WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END, "+
		"'disk', CASE {hash} WHEN 1 THEN 'hdd' ELSE 'ssd' END, 'rack', 'r' || (id % 997), "+
		"'row', 'w' || (id % 100), 'hall', CASE id % 100 WHEN 7 THEN 'cold' ELSE 'warm' END")
	set := strings.NewReplacer("{hash}", "(id * 2654435769 / 4096) % 4", // versions follow from the ID too
		"{taints}", `'[{"key": "gpu", "effect": "no_schedule"}]'`).Replace(with)
	for _, q := range []string{"UPDATE {schema}.worker SET capabilities = " + set, e.vacuum()} {
		if _, err := e.DB.DB.Exec(e.sql(q)); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

// A placeCase is a requirement and how many of the first 20 workers satisfy it.
type placeCase struct {
	name, requirement string
	matches           int
}

var placeCases = []placeCase{
	{"common", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"zone": "a"}}`, 20},
	{"rare", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"rack": "r7"}}`, -1},
	{"none-rare", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"rack": "none"}}`, 0},
	{"none-hundredth", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"row": "w7", "hall": "warm"}}`, 0},
	{"none-frequent", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"zone": "a", "disk": "ssd"}}`, 0},
	{"preferred", `{"runtimes": {"core.runtime3": ">=3.11,<4"}, "selector": {"zone": "c"}, "affinity": {
		"preferred": [{"weight": 50, "term": {"match_labels": {"rack": "r9"}}}]}}`, 20},
}

// BenchmarkPlace asks for the first 20 workers that satisfy a runtime, its constraint and labels, beside
// loading every active worker and filtering, and beside plain SQL over the documents with LIMIT. In the same round it asks
// for nothing and has the database compute.
func BenchmarkPlace(b *testing.B) {
	for _, kind := range []string{"postgres", "sqlite"} {
		b.Run(kind, func(b *testing.B) {
			smallest := map[string]time.Duration{}
			for _, size := range sizesOf(b, *placeSizes) {
				e := placeFleet(b, kind, size)
				for _, c := range placeCases {
					r, err := requirement.Parse([]byte(c.requirement))
					if err != nil {
						b.Fatal(err)
					}
					b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
						p99 := benchPlace(b, e, &r, c.matches)
						if smallest[c.name] == 0 {
							smallest[c.name] = p99
						}
						b.ReportMetric(ms(p99)/ms(smallest[c.name]), "x-p99-of-smallest")
					})
				}
			}
		})
	}
}

func sizesOf(b *testing.B, list string) (sizes []int) {
	b.Helper()
	for _, text := range strings.Split(list, ",") {
		size, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, size)
	}
	return sizes
}

// computes is a statement that reads no table and takes about as long as a placement. It shows how often the machine
// alone takes much longer than it mostly does.
const computes = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1500) SELECT count(*) FROM number"

func benchPlace(b *testing.B, e env, r *requirement.Requirement, matches int) time.Duration {
	b.Helper()
	var index, memory, query, one, computing []time.Duration
	timed := func(list *[]time.Duration, place func() int) {
		begin := time.Now()
		n := place()
		*list = append(*list, time.Since(begin))
		if n != matches && (matches >= 0 || n == 0) {
			b.Fatalf("%d matches, want %d", n, matches)
		}
	}
	ask := func(list *[]time.Duration, question string) {
		begin := time.Now()
		var n int
		if err := e.NewRaw(question).Scan(b.Context(), &n); err != nil {
			b.Fatal(err)
		}
		*list = append(*list, time.Since(begin))
	}
	for b.Loop() {
		for begin := time.Now(); len(index) < 20 || time.Since(begin) < *placeRound; {
			timed(&index, func() int {
				placed, err := e.Workers.Place(b.Context(), r, 20)
				if err != nil {
					b.Fatal(err)
				}
				return len(placed)
			})
			ask(&one, "SELECT 1")
			ask(&computing, computes)
		}
		for len(memory) < 3 {
			timed(&memory, func() int { return placedInMemory(b, e, r) })
			if e.postgres {
				timed(&query, func() int { return placedByDocuments(b, e, r) })
			}
		}
	}
	p50, p99 := quantile(index, 0.5), quantile(index, 0.99)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(p50), "p50-ms")
	b.ReportMetric(ms(p99), "p99-ms")
	for what, times := range map[string][]time.Duration{"select-1": one, "computing": computing} {
		b.ReportMetric(ms(quantile(times, 0.5)), what+"-p50-ms")
		b.ReportMetric(ms(quantile(times, 0.99)), what+"-p99-ms")
	}
	b.ReportMetric(float64(len(index)), "placements")
	b.ReportMetric(ms(quantile(memory, 0.5)), "memory-ms")
	b.ReportMetric(ms(quantile(memory, 0.5))/ms(p50), "x-memory")
	if e.postgres {
		b.ReportMetric(ms(quantile(query, 0.5)), "documents-ms")
		b.ReportMetric(ms(quantile(query, 0.5))/ms(p50), "x-documents")
	}
	return p99
}

// placedInMemory loads every active worker, tests each, and returns how many of the first 20 fit.
func placedInMemory(b *testing.B, e env, r *requirement.Requirement) (n int) {
	b.Helper()
	rows, err := e.DB.DB.QueryContext(b.Context(), e.sql("SELECT capabilities FROM {schema}.worker WHERE status = 'active'"))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			b.Fatal(err)
		}
		var document struct {
			Labels   map[string]string
			Taints   []requirement.Taint
			Detected []struct{ Ref, Version string }
		}
		if err := json.Unmarshal(raw, &document); err != nil {
			b.Fatal(err)
		}
		f := placement.Facts{Status: "active", Labels: document.Labels, Taints: document.Taints}
		for _, d := range document.Detected {
			if v, err := version.Parse(d.Version); err == nil {
				f.Installations = append(f.Installations, placement.Installation{Ref: d.Ref, Version: v})
			}
		}
		if n < 20 && placement.Fits(r, &f) {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

// placedByDocuments has Postgres filter the documents, in no order, until 20 fit.
func placedByDocuments(b *testing.B, e env, r *requirement.Requirement) int {
	b.Helper()
	labels, err := json.Marshal(map[string]any{"labels": r.Selector})
	if err != nil {
		b.Fatal(err)
	}
	runtime := r.Runtimes[0]
	ranges := runtime.Constraint.Ranges(false)
	var found []int64
	err = e.NewRaw(e.sql(`SELECT worker.id FROM {schema}.worker WHERE status = 'active'
		AND last_heartbeat > now() - heartbeat_interval * interval '3 seconds' AND capabilities @> ?0
		AND NOT EXISTS (SELECT FROM jsonb_array_elements(capabilities->'taints') AS t WHERE t->>'effect' = 'no_schedule')
		AND EXISTS (SELECT FROM jsonb_array_elements(capabilities->'detected') AS d CROSS JOIN LATERAL {schema}.version_key(d->>'version') AS key
			WHERE d->>'ref' = ?1 AND key COLLATE "C" >= ?2 AND (?3 = '' OR key COLLATE "C" < ?3))
		LIMIT 20`), string(labels), runtime.Name, ranges[0].From, ranges[0].To).Scan(b.Context(), &found)
	if err != nil {
		b.Fatal(err)
	}
	return len(found)
}

// BenchmarkWhyNot is the whole answer about a requirement that nobody satisfies.
func BenchmarkWhyNot(b *testing.B) {
	r, err := requirement.Parse([]byte(`{"runtimes": {"core.runtime3": ">=3.60", "core.runtime4": ">=3.20"}, "selector": {"zone": "a"}}`))
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		for i, size := range sizesOf(b, *whyNotSizes) {
			if kind == "sqlite" && i > 0 {
				break
			}
			e := placeFleet(b, kind, size)
			b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
				for b.Loop() {
					if a, err := answer.Place(b.Context(), e.Store, &r, 20); err != nil || a.Fleet != size || a.Fit != 0 || len(a.Groups) < 2 {
						b.Fatalf("%+v, %v", a, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
			})
		}
	}
}

// BenchmarkWhatIf asks about 1,000 actions with 100 distinct requirements: how many workers fit each of
// them, and how many before and after a change.
func BenchmarkWhatIf(b *testing.B) {
	var subjects []placement.Subject
	for i := range 1000 {
		text := fmt.Sprintf(`{"role": "worker", "runtimes": {"core.runtime%d": ">=3.%d"}, "selector": {"zone": "%c"}}`, 1+i%4, 10+i%25, 'a'+rune(i%100/34))
		r, err := requirement.Parse([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		subjects = append(subjects, placement.Subject{Kind: "action", Ref: fmt.Sprintf("etl.action%d", i), Requirement: r})
	}
	change, err := placement.ParseChange("core.runtime3 min 3.20")
	if err != nil {
		b.Fatal(err)
	}
	digests := map[string]bool{}
	for _, s := range subjects {
		digests[s.Requirement.Digest()] = true
	}
	for kind, size := range map[string]int{"postgres": 10_000, "sqlite": 1000} {
		e := placeFleet(b, kind, size)
		b.Run(fmt.Sprintf("%s/%d", kind, size), func(b *testing.B) {
			for b.Loop() {
				effects, err := answer.WhatIf(b.Context(), e.Store, subjects, []placement.Change{change})
				if err != nil || len(effects) != 1000 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
			b.ReportMetric(float64(len(digests)), "requirements")
		})
	}
}

// BenchmarkPlacements has several clients place one worker at a time.
func BenchmarkPlacements(b *testing.B) {
	for _, size := range sizesOf(b, *placeSizes) {
		e := placeFleet(b, "postgres", size)
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			e.SetMaxOpenConns(*placeClients)
			e.SetMaxIdleConns(*placeClients)
			for b.Loop() {
				var clients sync.WaitGroup
				var placed atomic.Int64
				until := time.Now().Add(*placeFor)
				for client := range *placeClients {
					clients.Go(func() {
						for i := client; time.Now().Before(until); i++ {
							text := fmt.Sprintf(`{"runtimes": {"core.runtime%d": ">=3.%d"}, "selector": {"zone": "%c"}}`, 1+i%10, 10+i%20, 'a'+rune(i%3))
							r, err := requirement.Parse([]byte(text))
							if err != nil {
								b.Error(err)
								return
							}
							found, err := e.Workers.Place(b.Context(), &r, 1)
							if err != nil || len(found) != 1 {
								b.Errorf("%s: %d placed, %v", text, len(found), err)
								return
							}
							placed.Add(1)
						}
					})
				}
				clients.Wait()
				b.ReportMetric(float64(placed.Load())/placeFor.Seconds(), "placements/s")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPlaceInOutage places while many workers are silent: before a sweep, and during it.
func BenchmarkPlaceInOutage(b *testing.B) {
	r, err := requirement.Parse([]byte(`{"runtimes": {"core.runtime3": ">=3.11"}}`))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db := testdb.Postgres(b)
		e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), db.Schema, true}
		fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *outageWorkers, Stale: *outageStale})
		place := func(times *[]time.Duration) {
			begin := time.Now()
			if placed, err := e.Workers.Place(b.Context(), &r, 20); err != nil || len(placed) != 20 {
				b.Errorf("%d placed, %v", len(placed), err)
			}
			*times = append(*times, time.Since(begin))
		}
		var before, during []time.Duration
		for range 200 {
			place(&before)
		}
		swept := make(chan error, 1)
		go func() {
			for {
				_, more, err := e.Workers.SweepBatch(b.Context(), 0, store.HeartbeatSpan{})
				if err != nil || !more {
					swept <- err
					return
				}
			}
		}()
		for done := false; !done; {
			place(&during)
			select {
			case err := <-swept:
				done = true
				if err != nil {
					b.Fatal(err)
				}
			default:
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(ms(quantile(before, 0.99)), "ms-p99-before")
		b.ReportMetric(ms(quantile(during, 0.5)), "ms-p50")
		b.ReportMetric(ms(quantile(during, 0.99)), "ms-p99")
	}
}
