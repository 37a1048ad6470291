package service_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestFirstLines runs the first lines of an embedder, in a schema beside the embedder's own.
func TestFirstLines(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		if _, err := install.Load(ctx, db.DB, store.Config{Schema: db.Schema}, packs.Core(), install.Options{}); err != nil {
			t.Fatal(err)
		}

		st := store.New(db.DB, store.Config{Schema: db.Schema})
		defs, err := st.Definitions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		detector, err := detect.New(defs, detect.Config{Role: metadata.Worker})
		if err != nil {
			t.Fatal(err)
		}
		caps, err := detector.Detect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		row, err := service.Register(ctx, st.Workers, service.Identity{Name: "build-7", Role: metadata.Worker}, caps)
		if err != nil {
			t.Fatal(err)
		}

		if row.Status == nil || *row.Status != schema.WorkerInactive || row.WorkerRole != schema.RoleAction {
			t.Errorf("row: status %v, role %s; want inactive and action", row.Status, row.WorkerRole)
		}
		kept := new(capability.Document)
		if err := json.Unmarshal(row.Capabilities, kept); err != nil {
			t.Fatal(err)
		}
		if diff := capability.Compare(caps, kept); !diff.Empty() {
			t.Errorf("what is registered differs from what was detected: %+v", diff)
		}
		if found, err := st.Workers.Select(ctx, store.Selection{Has: []store.RuntimeFilter{{Ref: "core.native"}}}); err != nil || len(found) != 1 {
			t.Errorf("workers with core.native: %d, %v; want 1", len(found), err)
		}
	}, testdb.Schema("attune"))
}

func TestRegisterKeepsWhatIsNotSaid(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		st := store.New(db.DB, store.Config{Schema: db.Schema})
		caps := &capability.Document{Format: capability.Format}
		id := service.Identity{Name: "s", Role: metadata.Sensor, Type: schema.WorkerContainer, Host: "s.example", Port: 99}
		first, err := service.Register(t.Context(), st.Workers, id, caps)
		if err != nil {
			t.Fatal(err)
		}
		second, err := service.Register(t.Context(), st.Workers, service.Identity{Name: "s", Role: metadata.Sensor}, caps)
		if err != nil {
			t.Fatal(err)
		}
		if second.ID != first.ID || second.Host == nil || *second.Host != "s.example" || second.Port == nil || *second.Port != 99 {
			t.Errorf("registered again without host and port: %+v", second)
		}
		if _, err := service.Register(t.Context(), st.Workers, service.Identity{Role: metadata.Sensor}, caps); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("without a name: got %v", err)
		}
	})
}
