package answer_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// TestPlaceIsNaiveInGuest compares as TestPlaceIsNaive does, on fleets of the platform's workers and of
// attune's beside them. The platform knows cordons.
func TestPlaceIsNaiveInGuest(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	platform.Make(t, db, platform.A)
	m, err := migrations.New(db.DB, migrations.Config{})
	if err == nil {
		_, err = m.Up(t.Context())
	}
	if err == nil {
		_, err = db.ExecContext(t.Context(), `TRUNCATE attune.worker CASCADE;
			INSERT INTO attune.runtime (ref, name, distributions) VALUES ('acme.tool', 'tool', '{}')`)
	}
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), db.DB, store.Config{Schema: platform.Schema})
	if err != nil {
		t.Fatal(err)
	}
	g := randomFleets{naive.World{Rand: rand.New(rand.NewPCG(23, 24))}, db, st}
	g.compare(t, g.guestFleet)
}

// guestFleet replaces the workers of a guest.
func (g *randomFleets) guestFleet(t *testing.T, n int) []*naive.Worker {
	t.Helper()
	if _, err := g.db.ExecContext(t.Context(), "DELETE FROM attune.worker"); err != nil {
		t.Fatal(err)
	}
	var workers []*naive.Worker
	for i := range n {
		w := g.Worker(int64(i))
		w.Name, w.Used = fmt.Sprintf("host-%d", i), 0
		if g.IntN(4) == 0 && w.Role != requirement.Hybrid {
			g.ours(t, w)
		} else {
			g.foreign(t, w)
		}
		w.Spread = schema.Spread(w.Worker)
		g.operate(t, w)
		workers = append(workers, w)
	}
	return workers
}

// foreignNames are the names by which the platform's workers declare runtimes.
var foreignNames = map[string]string{"core.python": "Python3", "core.nodejs": "node", "acme.tool": "tool"}

// foreign adds a worker of the platform. It declares its runtimes, each version once, or none.
func (g *randomFleets) foreign(t *testing.T, w *naive.Worker) {
	t.Helper()
	if w.Status == "" {
		w.Status = "inactive"
	}
	w.Stale = w.Stale && (w.Status == "active" || w.Status == "busy")
	versions := map[string][]string{}
	for _, i := range w.Installed {
		name := foreignNames[i.Ref]
		if versions[name] == nil {
			versions[name] = []string{}
		}
		if i.Version != nil && !slices.Contains(versions[name], i.Version.String()) {
			versions[name] = append(versions[name], i.Version.String())
		}
	}
	w.Unknown, w.NotReported, w.Installed = nil, nil, declared(w.Installed)
	var document map[string]any
	if err := json.Unmarshal(documentOf(t, w), &document); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for name, list := range versions {
		names = append(names, name)
		if len(list) == 0 {
			delete(versions, name)
		}
	}
	document["runtimes"], document["runtime_versions"] = names, versions
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	capabilities := new(string(text))
	if w.NeverReported {
		capabilities, w.Labels, w.Taints, w.Slots = nil, nil, nil, 0
	}
	role := string(w.Role)
	if w.Role == requirement.Worker {
		role = string(schema.RoleAction)
	}
	heartbeat := "1 hour"
	if w.Stale {
		heartbeat = "-91 seconds"
	}
	err = g.db.NewRaw(`INSERT INTO attune.worker (name, worker_type, worker_role, status, capabilities, last_heartbeat)
		VALUES (?, 'local', CAST(? AS attune.worker_role_enum), CAST(? AS attune.worker_status_enum), ?, now() + CAST(? AS interval)) RETURNING id`,
		w.Name, role, w.Status, capabilities, heartbeat).Scan(t.Context(), &w.Worker)
	if err != nil {
		t.Fatal(err)
	}
}

// declared returns what a worker of the platform can say of its installations: unknown versions only
// if it knows none.
func declared(all []naive.Installation) (out []naive.Installation) {
	known := map[string]bool{}
	for _, i := range all {
		known[i.Ref] = known[i.Ref] || i.Version != nil
	}
	seen := map[string]bool{}
	for _, i := range all {
		key := i.Ref
		if i.Version != nil {
			key += i.Version.String()
		}
		if !seen[key] && (i.Version != nil || !known[i.Ref]) {
			out = append(out, naive.Installation{Ref: i.Ref, Version: i.Version, Declared: true})
		}
		seen[key] = true
	}
	return out
}

// ours registers a worker of attune's. It runs.
func (g *randomFleets) ours(t *testing.T, w *naive.Worker) {
	t.Helper()
	w.Status, w.Stale, w.NeverReported, w.NotReported = "active", false, false, nil
	row, _, err := g.st.Workers.Register(t.Context(), store.Registration{
		Name: w.Name, Role: metadata.Role(w.Role), Instance: new("i1"), HeartbeatInterval: new(3600),
		Capabilities: &store.Capabilities{Document: documentOf(t, w), Runtimes: g.rows(t, w), At: time.Now()},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Worker = row.ID
}
