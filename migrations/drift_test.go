package migrations_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

func TestModelsAgreeWithBothCatalogs(t *testing.T) {
	each(t, func(t *testing.T, db testDB) {
		up(t, db.DB, migrations.Config{})
		found, err := migrations.Drift(context.Background(), db.DB, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			t.Error(d)
		}
	})
}

func TestBothCatalogsAgree(t *testing.T) {
	ctx := context.Background()
	pg, lite := testdb.EmptyPostgres(t), testdb.EmptySQLite(t)
	up(t, pg.DB, migrations.Config{Schema: "attune"})
	up(t, lite.DB, migrations.Config{})
	want, err := migrations.Shapes(ctx, pg.DB, "attune")
	if err != nil {
		t.Fatal(err)
	}
	got, err := migrations.Shapes(ctx, lite.DB, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-postgres +sqlite):\n%s", diff)
	}
}

func TestDriftIsSeen(t *testing.T) {
	db := testdb.EmptyPostgres(t)
	up(t, db.DB, migrations.Config{})
	run(t, db,
		`ALTER TABLE pack DROP COLUMN label CASCADE`,
		`ALTER TABLE pack ADD COLUMN owner text`, // somebody else's
		`ALTER TABLE pack ALTER COLUMN version DROP NOT NULL`,
		`ALTER TABLE pack ALTER COLUMN meta DROP DEFAULT`,
		`ALTER TABLE pack ALTER COLUMN description TYPE jsonb USING NULL`,
		`ALTER TABLE action DROP CONSTRAINT action_ref_key`,
		`ALTER TABLE runtime DROP CONSTRAINT runtime_pack_fkey`,
		`ALTER TABLE runtime ADD CONSTRAINT runtime_pack_fkey FOREIGN KEY (pack) REFERENCES pack (id)`,
		`DROP TABLE worker CASCADE`)
	found, err := migrations.Drift(context.Background(), db.DB, "public")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		got = append(got, d.String())
	}
	want := []string{
		"pack.description: the type is json, not text",
		"pack.label: there is no such column",
		"pack.meta: it has no default",
		"pack.version: it is nullable, not not null",
		"runtime: the foreign key pack -> pack cascade is missing",
		"action: (ref) is not unique",
		"worker: there is no such table",
		"worker_runtime: the foreign key worker -> worker cascade is missing",
		"capability_change: the foreign key worker -> worker is missing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
