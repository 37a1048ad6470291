package layout_test

import (
	"database/sql"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/layout"
)

// models are read in every layout, own where attune is migrated.
var (
	models = []any{schema.Pack{}, schema.Runtime{}, schema.RuntimeVersion{}, schema.Action{}, schema.Sensor{}, schema.Worker{}}
	own    = []any{
		schema.WorkerRuntime{}, schema.CapabilityChange{}, schema.WorkerSweep{}, schema.WorkerCordon{}, schema.WorkerOperatorTaint{},
	}
)

// reads checks that the layout gives every model its columns, and no other.
func reads(t *testing.T, db *testdb.DB, l *layout.Layout, models []any) {
	t.Helper()
	for _, model := range models {
		table := db.Dialect().Tables().Get(reflect.TypeOf(model))
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+l.Rows(table.Name)+" AS rows_of_model")
		if err != nil {
			t.Errorf("%s: %v", table.Name, err)
			continue
		}
		got, want := columns(t, rows), []string{}
		for _, f := range table.Fields {
			want = append(want, f.Name)
		}
		slices.Sort(want)
		// A platform has further columns of packs.
		if diff := cmp.Diff(want, got); diff != "" && !(table.Name == "pack" && l.Guest()) {
			t.Errorf("%s: columns (-model +layout):\n%s", table.Name, diff)
		}
	}
}

func columns(t *testing.T, rows *sql.Rows) []string {
	t.Helper()
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func read(t *testing.T, db *testdb.DB, name string) *layout.Layout {
	t.Helper()
	l, err := layout.Read(t.Context(), db.DB, name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOwn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		l := read(t, db, db.Schema)
		if !l.Own || l.Guest() || !l.Migrated {
			t.Errorf("layout = %+v, want attune's own, migrated", l)
		}
		reads(t, db, l, append(models, own...))
	})
}

// A platform's database is read before and after attune moves in.
func TestGuest(t *testing.T) {
	for _, shape := range platform.Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			db := platform.New(t, shape)
			for _, migrated := range []bool{false, true} {
				if migrated {
					m, err := migrations.New(db.DB, migrations.Config{})
					if err == nil {
						_, err = m.Up(t.Context())
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				l := read(t, db, platform.Schema)
				if l.Own || l.Migrated != migrated || !l.Executions || !l.UniqueNames || l.Taints != shape.Has(platform.A) {
					t.Errorf("layout = %+v", l)
				}
				reads(t, db, l, models)
				if migrated {
					reads(t, db, l, own)
				}
				var fresh []string
				err := db.NewRaw("SELECT name FROM "+l.Rows("worker")+` w WHERE status = 'active' AND identity IS NULL
					AND last_heartbeat > now() - heartbeat_interval * interval '3 seconds'`).Scan(t.Context(), &fresh)
				if err != nil || !slices.Equal(fresh, []string{"worker-alpha"}) {
					t.Errorf("fresh workers = %v, %v", fresh, err)
				}
				var aliases []string
				err = db.NewRaw("SELECT jsonb_array_elements_text(aliases) FROM "+l.Rows("runtime")+" r WHERE ref = 'core.python'").Scan(t.Context(), &aliases)
				if want := shape.Has(platform.A); err != nil || (len(aliases) == 2) != want {
					t.Errorf("aliases = %v, %v", aliases, err)
				}
			}
		})
	}
}
