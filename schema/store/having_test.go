package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

func constraint(t *testing.T, text string) *version.Constraint {
	t.Helper()
	c, err := version.ParseConstraint(text)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// matched are matches in short.
func matched(list []store.Match) []string {
	out := []string{}
	for _, m := range list {
		out = append(out, strings.TrimSpace(m.Name+" "+m.Version+" "+m.Path))
	}
	return out
}

func TestHaving(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		py := func(version, path string) schema.WorkerRuntime { return row("core.python", "python", version, path) }
		running(t, e, "old", py("2.7.18", "/usr/bin/python"))
		running(t, e, "several", py("3.11.7", "/usr/bin/python3"), py("3.12.1", "/opt/a"), py("3.12.1", "/opt/B"), py("3.14.0-rc1", "/opt/next"), row("core.ruby", "ruby", "3.12", "/r"))
		running(t, e, "new", py("3.13.0", "/usr/bin/python3"))
		running(t, e, "next", py("3.13.0rc2", "/usr/bin/python3"))
		running(t, e, "declared", row("core.python", "python", "", ""))
		running(t, e, "none", negative("core.python", "python", "below_min_version", "it is 3.12.0"))
		running(t, e, "ended", py("3.12.9", "/usr/bin/python3"))
		e.exec(t, "UPDATE {schema}.worker SET status = 'inactive' WHERE name = 'ended'")
		busy := running(t, e, "busy", py("3.12.9", "/usr/bin/python3"))
		e.exec(t, "UPDATE {schema}.worker SET status = 'busy' WHERE id = ?", busy.ID)
		silent(t, e, running(t, e, "silent", py("3.12.9", "/usr/bin/python3")).ID, 90)
		if _, _, err := e.Workers.Register(ctx, store.Registration{
			Name: "sensor", Role: metadata.Sensor, Host: ptr("10.0.0.1"), Port: ptr(80), Instance: ptr("i"), HeartbeatInterval: ptr(1), Capabilities: found(t, py("3.12", "/s")),
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			ref    string
			filter store.HavingFilter
			want   []string
		}{
			{"core.python", store.HavingFilter{}, []string{"several 3.14.0-rc1 /opt/next", "new 3.13.0 /usr/bin/python3", "next 3.13.0-rc2 /usr/bin/python3", "sensor 3.12.0 /s", "old 2.7.18 /usr/bin/python", "declared"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, ">=3.11,<4")}, []string{"new 3.13.0 /usr/bin/python3", "several 3.12.1 /opt/B", "sensor 3.12.0 /s"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, ">=3.11,<4"), Prereleases: true},
				[]string{"several 3.14.0-rc1 /opt/next", "new 3.13.0 /usr/bin/python3", "next 3.13.0-rc2 /usr/bin/python3", "sensor 3.12.0 /s"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, ">=3.13.0-rc1")}, []string{"new 3.13.0 /usr/bin/python3", "next 3.13.0-rc2 /usr/bin/python3"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, "<3 || 3.11 || 3.13.0")}, []string{"new 3.13.0 /usr/bin/python3", "several 3.11.7 /usr/bin/python3", "old 2.7.18 /usr/bin/python"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, "<3 || 3.11 || 3.13.0"), Limit: 2}, []string{"new 3.13.0 /usr/bin/python3", "several 3.11.7 /usr/bin/python3"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, "*"), Limit: 1}, []string{"new 3.13.0 /usr/bin/python3"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, ">4,<3")}, []string{}},
			{"core.python", store.HavingFilter{Constraint: &version.Constraint{}}, []string{}},
			{"core.python", store.HavingFilter{Role: metadata.Sensor}, []string{"sensor 3.12.0 /s"}},
			{"core.python", store.HavingFilter{Constraint: constraint(t, "3.12"), Role: metadata.Worker}, []string{"several 3.12.1 /opt/B"}},
			{"core.ruby", store.HavingFilter{Constraint: constraint(t, "3.12")}, []string{"several 3.12.0 /r"}},
		} {
			got, err := e.Workers.Having(ctx, c.ref, c.filter)
			if diff := gocmp.Diff(c.want, matched(got)); err != nil || diff != "" {
				t.Errorf("%s %v %+v: %v (-want +got):\n%s", c.ref, c.filter.Constraint, c.filter, err, diff)
			}
		}
		got, err := e.Workers.Having(ctx, "core.python", store.HavingFilter{Role: metadata.Sensor})
		if err != nil || len(got) != 1 || *got[0].Host != "10.0.0.1" || *got[0].Port != 80 || got[0].Role != schema.RoleSensor {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// TestHavingIsMatch: on many workers with many versions the database finds what
// Constraint.Match is true for, by pages of any size.
func TestHavingIsMatch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		random := rand.New(rand.NewPCG(3, 5))
		versions := []string{"", "2.7.18", "3.9.1", "3.10.0", "3.11.0-rc1", "3.11.0", "3.11.7", "3.12.0-a1", "3.12.1", "3.12.1", "3.13.0-rc2", "3.13.0", "4.0.0-dev", "4.0.0", "10.0.0"}
		type host struct {
			id   int64
			has  []version.Version
			none bool // one without a version
		}
		var hosts []host
		for n := range 60 {
			h := host{}
			var rows []schema.WorkerRuntime
			for i := range random.IntN(5) {
				text := versions[random.IntN(len(versions))]
				rows = append(rows, row("core.python", "python", text, fmt.Sprintf("/opt/%d", i)))
				if v, err := version.Parse(text); err == nil {
					h.has = append(h.has, v)
				} else {
					h.none = true
				}
			}
			h.id = running(t, e, fmt.Sprintf("host-%02d", n), rows...).ID
			hosts = append(hosts, h)
		}
		for _, text := range []string{"", "*", ">=3.11,<4", "3.12", "<=3.11", ">3.11", "!=3.12.1", "~3.11 || ^2", ">=3.11.0-rc1,<3.13", "3.12.1 || 3.13.0-rc1 - 4", ">10", "2.7.18 || 3.9.1 || 10"} {
			for _, prereleases := range []bool{false, true} {
				filter := store.HavingFilter{Prereleases: prereleases}
				if text != "" {
					filter.Constraint = constraint(t, text)
				}
				type best struct {
					id  int64
					key string
				}
				var want []best
				for _, h := range hosts {
					newest, any := version.Version{}, filter.Constraint == nil && h.none
					for _, v := range h.has {
						if filter.Constraint == nil || filter.Constraint.Match(v, prereleases) {
							if any = true; v.Compare(newest) > 0 {
								newest = v
							}
						}
					}
					if any {
						want = append(want, best{h.id, newest.Key()})
					}
				}
				slices.SortFunc(want, func(a, b best) int {
					return cmp.Or(-strings.Compare(a.key, b.key), -cmp.Compare(schema.Spread(a.id), schema.Spread(b.id)))
				})
				for _, size := range []int{0, 1, 7} {
					filter.Limit, filter.After = size, nil
					var got []best
					for {
						part, err := e.Workers.Having(t.Context(), "core.python", filter)
						if err != nil {
							t.Fatal(err)
						}
						for _, m := range part {
							key := ""
							if m.Key != nil {
								key = *m.Key
							}
							got = append(got, best{m.Worker, key})
						}
						if size == 0 || len(part) < size {
							break
						}
						filter.After = &part[len(part)-1]
					}
					if !slices.Equal(want, got) {
						t.Fatalf("%q, pre-releases %v, by %d: got %v, want %v", text, prereleases, size, got, want)
					}
				}
			}
		}
	})
}

// manyWorkers fills the tables by SQL: every worker has ten runtimes, and every
// third one ended.
func manyWorkers(t testing.TB, e env, workers int) {
	t.Helper()
	numbers, version := "(SELECT n FROM generate_series(1, ?0) AS n) AS numbers", "(n * 7919 + r * 104729) % 40"
	now := "CURRENT_TIMESTAMP"
	if !e.postgres {
		numbers = "(WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ?0) SELECT n FROM up) AS numbers"
		now = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
	}
	runtimes := strings.Replace(numbers, "?0", "10", 1)
	for _, query := range []string{
		`INSERT INTO {schema}.worker (name, worker_type, status, heartbeat_interval, last_heartbeat)
			SELECT 'host-' || n, 'local', CASE WHEN n % 3 = 0 THEN 'inactive' ELSE 'active' END` + enum(e) + `, 86400, ` + now + ` FROM ` + numbers,
		`INSERT INTO {schema}.worker_runtime (worker, runtime_ref, name, active, outcome, version, sort_key, path)
			SELECT id, 'core.runtime' || r, 'runtime' || r, n % 3 <> 0, 'available', '3.' || (10 + v) || '.0', 'A3B' || (10 + v) || 'A0.', '/usr/bin/runtime'
			FROM (SELECT worker.id, n, r, ` + version + ` AS v FROM {schema}.worker
				JOIN ` + numbers + ` ON worker.name = 'host-' || n, (SELECT n AS r FROM ` + runtimes + `) AS runtimes) AS rows`,
	} {
		if _, err := e.NewRaw(e.sql(query), workers).Exec(t.Context()); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if _, err := e.NewRaw("ANALYZE").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func enum(e env) string {
	if e.postgres {
		return "::" + e.schema + ".worker_status_enum"
	}
	return ""
}

// captured is the text of the last statement, and of the one before.
type captured struct{ query, before string }

func (c *captured) BeforeQuery(ctx context.Context, q *bun.QueryEvent) context.Context {
	c.before, c.query = c.query, q.Query
	return ctx
}

func (c *captured) AfterQuery(context.Context, *bun.QueryEvent) {}

// TestHavingIsOneRangeScan reads the plans: of the installations one range of
// one index, in its order; all else are look-ups by key.
func TestHavingIsOneRangeScan(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		manyWorkers(t, e, 3000)
		hook := new(captured)
		hooked := store.New(e.DB.WithQueryHook(hook), store.Config{Schema: e.schema})
		got, err := hooked.Workers.Having(t.Context(), "core.runtime3", store.HavingFilter{Constraint: constraint(t, ">=3.11,<4"), Limit: 20})
		if err != nil || len(got) != 20 {
			t.Fatalf("%d matches, %v; want 20", len(got), err)
		}
		queries := map[string]string{
			"Having": hook.query,
			"the view": e.sql(`SELECT worker, version FROM {schema}.available_runtime
				WHERE ref = 'core.runtime3' AND key >= 'A3B11A0-' AND key < 'A4A0A0-' AND NOT prerelease ORDER BY key DESC LIMIT 20`),
		}
		if e.postgres {
			queries["the view"] = strings.Replace(queries["the view"], "key DESC", "key DESC NULLS LAST", 1)
		}
		for n, query := range documented(t) {
			replace := []string{"core.python", "core.runtime3", "available_runtime", e.schema + ".available_runtime", "worker_runtime b", e.schema + ".worker_runtime b",
				"version_key", e.schema + ".version_key"}
			if !e.postgres {
				replace = append(replace[:6], "version_key('3.11')", "'A3B11A0.'", "version_key('4')", "'A4A0A0.'")
			}
			queries[fmt.Sprint("query ", n+1, " of configuration.md")] = strings.NewReplacer(replace...).Replace(query)
		}
		after := got[19]
		if _, err := hooked.Workers.Having(t.Context(), "core.runtime3", store.HavingFilter{Constraint: constraint(t, ">=3.11,<4"), Limit: 20, After: &after}); err != nil {
			t.Fatal(err)
		}
		queries["the next part"] = hook.query
		for name, query := range queries {
			plan := explain(t, e, query)
			want := []string{"Index Scan Backward using idx_worker_runtime_available on worker_runtime", "(runtime_ref = 'core.runtime3'::text) AND (sort_key >=", "AND (sort_key <", "using worker_pkey"}
			never := []string{"Seq Scan", "Sort", "Bitmap", "Hash"}
			if !e.postgres {
				want = []string{"USING INDEX idx_worker_runtime_available (runtime_ref=? AND ", "sort_key>? AND ", "<", "USING INTEGER PRIMARY KEY (rowid=?)"}
				never = []string{"SCAN", "TEMP B-TREE"}
			}
			for _, part := range want {
				if !strings.Contains(plan, part) {
					t.Errorf("the plan of %s lacks %q:\n%s", name, part, plan)
				}
			}
			for _, part := range never {
				if strings.Contains(plan, part) {
					t.Errorf("the plan of %s has %q:\n%s", name, part, plan)
				}
			}
			if n := strings.Count(plan, "idx_worker_runtime_available"); n != 1 {
				t.Errorf("the plan of %s reads %d ranges, want 1:\n%s", name, n, plan)
			}
		}
		// Whether anybody knows a ref that nobody has is found by indexes too.
		for _, ref := range []string{"core.runtime3", "core.runtime11"} {
			_, _ = hooked.Workers.Having(t.Context(), ref, store.HavingFilter{Constraint: constraint(t, ">=3.50")})
			known := hook.query
			if ref == "core.runtime11" { // the refs that may be meant are read last
				known = hook.before
			}
			if plan := explain(t, e, known); !strings.Contains(known, "EXISTS") || strings.Contains(plan, "Seq Scan on worker_runtime") || strings.Contains(plan, "SCAN found") {
				t.Errorf("%s: %s\nhas the plan\n%s", ref, known, plan)
			}
		}
	})
}

// documented are the queries that docs/configuration.md gives.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, part := range strings.Split(string(text), "```sql\n")[1:] {
		query, _, _ := strings.Cut(part, ";\n```")
		queries = append(queries, query)
	}
	if len(queries) != 2 {
		t.Fatalf("%d queries", len(queries))
	}
	return queries
}

// TestEachWorkerOnce by the query that is documented for it.
func TestEachWorkerOnce(t *testing.T) {
	t.Parallel()
	e := postgres(t, "public")
	py := func(version, path string) schema.WorkerRuntime { return row("core.python", "python", version, path) }
	running(t, e, "one", py("3.11.1", "/a"), py("3.12.9", "/b"), py("3.12.9", "/a"), py("3.14.0-rc1", "/c"), py("2.7.18", "/d"))
	running(t, e, "two", py("3.13.0", "/a"), py("3.12.0", "/b"))
	running(t, e, "none", py("3.10.0", "/a"), py("4.0.0", "/b"))
	silent(t, e, running(t, e, "silent", py("3.12.9", "/a")).ID, 90)
	var found []struct{ WorkerName, Version, Path string }
	if err := e.NewRaw(documented(t)[1]).Scan(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(found), "[{two 3.13.0 /a} {one 3.12.9 /a}]"; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
}

func explain(t *testing.T, e env, query string) string {
	t.Helper()
	if e.postgres {
		var lines []string
		if err := e.NewRaw("EXPLAIN (COSTS OFF) "+query).Scan(t.Context(), &lines); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(strings.Join(lines, "\n"), "pg_catalog.", "")
	}
	var steps []struct {
		ID, Parent, Notused int
		Detail              string
	}
	if err := e.NewRaw("EXPLAIN QUERY PLAN "+query).Scan(t.Context(), &steps); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range steps {
		lines = append(lines, s.Detail)
	}
	return strings.Join(lines, "\n")
}
