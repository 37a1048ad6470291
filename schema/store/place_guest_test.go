package store_test

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// In a guest the platform's workers are placed by what they declare, beside attune's.
func TestPlaceInGuest(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		st := openGuest(t, db, store.Config{})
		foreign := func(name, role, status, capabilities, heartbeat string) {
			t.Helper()
			_, err := db.NewRaw(`INSERT INTO attune.worker (name, worker_type, worker_role, status, capabilities, last_heartbeat)
				VALUES (?, 'local', CAST(? AS attune.worker_role_enum), CAST(? AS attune.worker_status_enum), ?, now() - CAST(? AS interval))`,
				name, role, status, capabilities, heartbeat).Exec(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		const python = `{"runtimes": ["Python"], "runtime_versions": {"python": ["3.13.2", "3.11.4"]}, "labels": {"place": "here"}`
		foreign("fits", "action", "active", python+`}`, "1 second")
		foreign("old", "action", "active", `{"runtimes": ["python3"], "runtime_versions": {"python3": "3.9.1"}, "labels": {"place": "here"}}`, "1 second")
		foreign("stale", "action", "active", python+`}`, "2 minutes")
		foreign("tainted", "action", "active", python+`, "taints": [{"key": "gpu", "value": "a100", "effect": "no_schedule"}]}`, "1 second")
		foreign("discouraged", "hybrid", "active", python+`, "taints": [{"key": "slow", "effect": "prefer_no_schedule"}]}`, "1 second")
		foreign("cordoned", "action", "active", python+`}`, "1 second")
		foreign("sensor", "sensor", "active", python+`}`, "1 second")
		foreign("elsewhere", "action", "active", `{"runtimes": ["python"], "runtime_versions": {"python": ["3.13.2"]}}`, "1 second")
		knowsCordons := shape == platform.A || shape == platform.C
		if knowsCordons {
			if _, err := db.NewRaw("UPDATE attune.worker SET cordoned = true WHERE name = 'cordoned'").Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ours := guestCaps("3.12.1")
		ours.Document = []byte(`{"runtimes": ["python"], "labels": {"place": "here"}}`)
		if _, _, err := st.Workers.Register(t.Context(), store.Registration{
			Name: "ours", Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(30), Capabilities: ours,
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			terms requirement.Terms
			want  []string
		}{
			{requirement.Terms{Runtimes: []string{"core.python@>=3.11"}, Role: "worker"}, []string{"fits", "ours", "discouraged"}},
			{requirement.Terms{Runtimes: []string{"core.python@>=3.11"}, Role: "worker", Verified: true}, []string{"ours"}},
			{requirement.Terms{Runtimes: []string{"core.python@>=3.13"}, Role: "sensor", Tolerate: []string{"slow"}}, []string{"discouraged", "sensor"}},
			{requirement.Terms{Runtimes: []string{"core.python@3.11"}, Role: "worker", Tolerate: []string{"gpu=a100"}}, []string{"fits", "tainted", "discouraged"}},
			{requirement.Terms{Runtimes: []string{"core.python@<3.10"}}, []string{"old"}},
			{requirement.Terms{Runtimes: []string{"core.python@>=3.20"}}, nil},
		} {
			c.terms.Select = []string{"place=here"}
			r, err := c.terms.Requirement()
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(c.want)
			if !knowsCordons && slices.Contains(want, "fits") {
				want = append(want, "cordoned")
			}
			fleet, err := st.Workers.Facts(t.Context(), store.FactsFor(&r))
			if err != nil {
				t.Fatal(err)
			}
			for _, limit := range []int{0, 20} {
				placed, err := st.Workers.Place(t.Context(), &r, limit)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(placement.Place(&r, fleet, limit).Placed, placed); diff != "" {
					t.Errorf("%+v (-want +got):\n%s", c.terms, diff)
				}
				var names []string
				for _, p := range placed {
					names = append(names, p.Name)
				}
				if stated := statedNames(t, db, st, &r, limit); !slices.Equal(stated, names) {
					t.Errorf("%+v: the statement gives %v, want %v", c.terms, stated, names)
				}
				slices.Sort(names)
				slices.Sort(want)
				if !slices.Equal(names, want) {
					t.Errorf("%+v: got %v, want %v", c.terms, names, want)
				}
			}
		}
	})
}

// statedNames returns the names of the workers that the printed statement selects.
func statedNames(t *testing.T, db *testdb.DB, st *store.Store, r *requirement.Requirement, limit int) (names []string) {
	t.Helper()
	statement, err := st.Workers.PlaceStatement(r, limit)
	if err != nil {
		t.Fatal(err)
	}
	query := "SELECT stated.name FROM (?) AS stated"
	if err := db.NewRaw(query, bun.Safe(strings.TrimSuffix(statement, ";\n"))).Scan(t.Context(), &names); err != nil {
		t.Fatalf("%v in:\n%s", err, statement)
	}
	return names
}
