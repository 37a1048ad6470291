package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// TestCountGroups counts random fleets, and compares with the counts that one plain statement returns.
func TestCountGroups(t *testing.T) {
	t.Parallel()
	const key = `a "zone" ?0, {b}`
	plain := map[store.GroupKey]string{
		store.GroupRole:   "worker.worker_role",
		store.GroupStatus: "worker.status",
		store.GroupLabel:  `(SELECT label.value FROM {schema}.worker_label AS label WHERE label.worker = worker.id AND label.key = '` + key + `')`,
	}
	each(t, func(t *testing.T, e env) {
		for i := range 12 {
			var rows []schema.WorkerRuntime
			for j := range rand.IntN(6) {
				r := row(fmt.Sprintf("core.r%d", rand.IntN(3)), "r", fmt.Sprintf("3.%d", j), fmt.Sprintf("/%d", j))
				switch rand.IntN(4) {
				case 0:
					r.Outcome = "timeout"
				case 1:
					r.RuntimeRef = ""
				}
				rows = append(rows, r)
			}
			w := running(t, e, fmt.Sprintf("w%d", i), rows...)
			if value := rand.IntN(3); value > 0 {
				e.exec(t, "INSERT INTO {schema}.worker_label (worker, key, value) VALUES (?, ?, ?)", w.ID, key, fmt.Sprintf("{%d},", value))
			}
			if rand.IntN(3) == 0 {
				e.exec(t, "UPDATE {schema}.worker SET status = 'inactive' WHERE id = ?", w.ID)
			}
		}
		e.exec(t, "UPDATE {schema}.worker SET status = NULL WHERE name = 'w3'")
		for by, group := range plain {
			var want, got []string
			var counted []struct {
				Name, Ref *string
				N         int
			}
			err := e.NewRaw(e.sql(`SELECT g.name, NULL AS ref, count(*) AS n FROM (SELECT `+group+` AS name FROM {schema}.worker AS worker) AS g GROUP BY g.name
				UNION ALL SELECT g.name, g.ref, count(*) FROM (SELECT DISTINCT `+group+` AS name, had.runtime_ref AS ref, worker.id
					FROM {schema}.worker AS worker JOIN {schema}.worker_runtime AS had ON had.worker = worker.id AND had.outcome = 'available' AND had.runtime_ref <> ''
				) AS g GROUP BY g.name, g.ref`)).Scan(t.Context(), &counted)
			if err != nil {
				t.Fatal(err)
			}
			line := func(name *string, ref string, n int) string {
				return fmt.Sprintf("%q %s: %d", *cmp.Or(name, ptr("none")), ref, n)
			}
			for _, c := range counted {
				want = append(want, line(c.Name, *cmp.Or(c.Ref, ptr("workers")), c.N))
			}
			counts, err := e.Workers.CountGroups(t.Context(), store.Grouping{By: by, Label: key})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range counts {
				got = append(got, line(c.Group, "workers", c.Workers))
				for ref, n := range c.Available {
					got = append(got, line(c.Group, ref, n))
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("by %s (-want +got):\n%s", by, diff)
			}
		}
	})
}
