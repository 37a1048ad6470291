package guards_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
)

// BenchmarkGuards writes definitions with and without the guards, in turns, and reports the increase of
// an INSERT's time, by the medians.
func BenchmarkGuards(b *testing.B) {
	const command = `{"args": ["--version"], "binary": "python3", "pattern": "(?m)^Python 3\\.", "priority": 1, "exit_code": 0, "timeout": "20s"}`
	for _, open := range []struct {
		name string
		open func(testing.TB, ...testdb.Option) *testdb.DB
	}{{"postgres", testdb.Postgres}, {"sqlite", testdb.SQLite}} {
		for _, commands := range []int{3, 64} {
			b.Run(fmt.Sprintf("%s/commands=%d", open.name, commands), func(b *testing.B) {
				ctx := context.Background()
				g := &guarded{DB: open.open(b), postgres: open.name == "postgres", schema: `"main"`}
				if g.postgres {
					g.schema = `"` + g.Schema + `"`
				}
				switchTo := func(sql string) {
					if _, err := g.DB.DB.DB.ExecContext(ctx, strings.ReplaceAll(sql, "{schema}", g.schema)); err != nil {
						b.Fatal(err)
					}
				}
				doc := `{"min_version": "3.8", "verification": {"commands": [` + strings.Repeat(command+", ", commands-1) + command + `]}}`
				const turn = 20
				var with, without []time.Duration
				for b.Loop() {
					for _, t := range []struct {
						sql   string
						spent *[]time.Duration
					}{{g.set().Drop, &without}, {g.set().Apply, &with}} {
						switchTo(t.sql)
						start := time.Now()
						for range turn {
							if err := g.insert(doc); err != nil {
								b.Fatal(err)
							}
						}
						*t.spent = append(*t.spent, time.Since(start)/turn)
					}
				}
				median := func(list []time.Duration) time.Duration {
					slices.Sort(list)
					return list[len(list)/2]
				}
				b.ReportMetric(float64(median(without).Nanoseconds())/1e3, "µs/unguarded")
				b.ReportMetric(float64(median(with).Nanoseconds())/1e3, "µs/guarded")
				b.ReportMetric(float64(median(with))/float64(median(without)), "x/unguarded")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
