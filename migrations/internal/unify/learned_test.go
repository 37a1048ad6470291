package unify_test

import (
	"context"
	"slices"
	"testing"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// A core runtime whose rows differ in name gets the core definition's name. Others keep the name of the
// surviving row.
func TestNameOfCoreRuntime(t *testing.T) {
	t.Parallel()
	db, url := legacyDB(t, "public")
	must(t, db, `INSERT INTO runtime (ref, runtime_type, name, distributions) VALUES
('core.action.node', 'action', 'Node', '{}'), ('core.sensor.nodejs', 'sensor', 'Node for sensors', '{}'),
('core.action.python', 'action', 'My Python', '{}'), ('core.sensor.python', 'sensor', 'My Python', '{}'),
('core.action.go', 'action', 'Golang', '{}'),
('acme.action.node', 'action', 'Node', '{}'), ('acme.sensor.node', 'sensor', 'Node for sensors', '{}')`)
	before := dump(t, db, url)
	plan, err := unify.Examine(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range plan.Runtimes {
		if got, want := slices.Contains(m.FromCore, "name"), m.Ref == "core.nodejs"; got != want {
			t.Errorf("%s: the plan takes the name from the core definition: %v, want %v", m.Ref, got, want)
		}
	}
	up(t, db, "public")
	equal(t, db, "names", `SELECT string_agg(ref || ' ' || name, ', ' ORDER BY ref) FROM runtime`,
		"acme.node Node, core.go Golang, core.nodejs Node.js, core.python My Python")
	down(t, db, "public", unify.Options{})
	if before != nil && !slices.Equal(before, dump(t, db, url)) {
		t.Error("up and down changed the database")
	}
}

// The name of a core runtime that is always available does not name an interpreter.
func TestBareNameOfNative(t *testing.T) {
	t.Parallel()
	db, _ := legacyDB(t, "public")
	must(t, db, `INSERT INTO runtime (ref, runtime_type, name, distributions) VALUES
('core.action.native', 'action', 'Native', '["Native"]'), ('core.sensor.native', 'sensor', 'Native', '["native", "busybox"]'),
('acme.action.native', 'action', 'Native', '["native"]')`)
	must(t, db, `DELETE FROM runtime WHERE ref = 'core.sensor.native'`)
	up(t, db, "public")
	equal(t, db, "verification", `SELECT string_agg(ref || ' ' || distributions::text, E'\n' ORDER BY ref) FROM runtime`,
		`acme.native {"verification": {"commands": [{"args": ["--version"], "binary": "native"}]}}
core.native {"legacy": ["Native"], "verification": {"always_available": true}}`)
}

// A row without a pack belongs to the pack that its pack_ref names.
func TestPackIsFilled(t *testing.T) {
	t.Parallel()
	db, _ := legacyDB(t, "public")
	must(t, db, `INSERT INTO pack (id, ref, label, version) VALUES (1, 'core', 'Core', '1'), (2, 'acme', 'Acme', '1');
INSERT INTO runtime (ref, runtime_type, name, pack, pack_ref, distributions) VALUES
('core.action.python', 'action', 'P', NULL, 'core', '{}'), ('core.sensor.python', 'sensor', 'P', NULL, NULL, '{}'),
('acme.action.x', 'action', 'X', NULL, 'acme', '{}'), ('gone.action.x', 'action', 'X', NULL, 'gone', '{}'), ('acme.action.y', 'action', 'Y', NULL, NULL, '{}')`)
	up(t, db, "public")
	equal(t, db, "packs", `SELECT string_agg(ref || ' ' || coalesce(pack::text, '-'), ', ' ORDER BY ref) FROM runtime`,
		"acme.x 2, acme.y -, core.python 1, gone.x -")
}

// The keys of a renamed table keep their names, which new keys need. The plan names this, and its SQL
// clears it.
func TestNamesThatARenamedTableLeft(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := legacyDB(t, "public")
	must(t, db, `CREATE TABLE runtime_version (id bigserial CONSTRAINT runtime_version_pkey PRIMARY KEY, runtime text, version text,
CONSTRAINT runtime_version_runtime_version_key UNIQUE (runtime, version)); ALTER TABLE runtime_version RENAME TO former_version;
CREATE VIEW worker_identity_key AS SELECT 1 AS one`)
	plan, err := unify.Examine(ctx, db, "public")
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Obstacles) != 4 {
		t.Fatalf("got obstacles %+v, want the two keys, the sequence and the view", plan.Obstacles)
	}
	for _, o := range plan.Obstacles {
		must(t, db, o.SQL)
	}
	up(t, db, "public")
}
