package migrations_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/migrations"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const foreign = `INSERT INTO attune_migrations (id, adopted, requires, program) VALUES ('29990101000000_later', false, `
	for _, c := range []struct {
		name     string
		prepare  func(t *testing.T, db testDB)
		err      error
		says     []string
		downErr  error
		upErrors error
	}{
		{name: "empty", prepare: func(*testing.T, testDB) {}, err: migrations.ErrNotMigrated,
			says: []string{"empty", migrations.Baseline, migrations.UnifyRuntimes, "not migrated"}},
		{name: "migrated", prepare: func(t *testing.T, db testDB) { up(t, db.DB, migrations.Config{}) }},
		{name: "one migration short", prepare: func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			down(t, db.DB, migrations.Config{})
		}, err: migrations.ErrNotMigrated, says: []string{"pending: " + ids[len(ids)-1]}},
		{name: "newer, and it can be read", prepare: func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			run(t, db, foreign+`'`+attune.Version+`', '9.0.0')`)
		}, downErr: migrations.ErrTooNew},
		{name: "too new", prepare: func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			run(t, db, foreign+`'9.1.0', '9.2.0')`)
		}, err: migrations.ErrTooNew, says: []string{"29990101000000_later", "9.1.0", "9.2.0", attune.Version},
			upErrors: migrations.ErrTooNew, downErr: migrations.ErrTooNew},
		{name: "a version that says nothing", prepare: func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			run(t, db, foreign+`'what', '9.2.0')`)
		}, err: migrations.ErrTooNew, upErrors: migrations.ErrTooNew, downErr: migrations.ErrTooNew},
		{name: "further columns in the records", prepare: func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			run(t, db, `ALTER TABLE attune_migrations ADD COLUMN checksum text`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, db testDB) {
				ctx := context.Background()
				c.prepare(t, db)
				m := migrator(t, db.DB, migrations.Config{})
				_, err := m.Check(ctx)
				if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
					t.Fatalf("Check: %v, want %v", err, c.err)
				}
				for _, s := range c.says {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("the error does not say %q: %v", s, err)
					}
				}
				if c.downErr != nil {
					if _, err := m.Down(ctx); !errors.Is(err, c.downErr) {
						t.Errorf("Down: %v, want %v", err, c.downErr)
					}
				}
				if c.upErrors != nil {
					if _, err := m.Up(ctx); !errors.Is(err, c.upErrors) {
						t.Errorf("Up: %v, want %v", err, c.upErrors)
					}
				}
			})
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		ctx := context.Background()
		m := migrator(t, db.DB, migrations.Config{})
		show := func() string {
			st, err := m.Status(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for i := range st.Migrations {
				if (st.Migrations[i].Applied == nil) != (st.Migrations[i].State == migrations.Pending) {
					t.Errorf("%+v: a time and %q", st.Migrations[i], st.Migrations[i].State)
				}
				st.Migrations[i].Applied = nil
			}
			st.Database, st.Schema = "", ""
			b, err := json.Marshal(st)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		want := `{"database":"","schema":"","state":"empty","program":"0.1.0","migrations":[` +
			`{"id":"20260203000000_baseline","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20260203000001_unify_runtimes","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20260310000001_worker_runtime","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261128000001_safe_functions","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261129000001_fleet","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261129000002_worker_labels","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261129000003_placement","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261129000011_lookups","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261129000020_server","state":"pending","requires":"0.1.0","known":true},` +
			`{"id":"20261130000001_declarations","state":"pending","requires":"0.1.0","known":true}]}`
		if diff := cmp.Diff(want, show()); diff != "" {
			t.Errorf("empty (-want +got):\n%s", diff)
		}
		up(t, db.DB, migrations.Config{})
		run(t, db, `INSERT INTO attune_migrations (id, adopted, requires, program) VALUES ('29990101000000_later', true, '9.0.0', '9.1.0')`)
		want = `{"database":"","schema":"","state":"unified","program":"0.1.0","migrations":[` +
			`{"id":"20260203000000_baseline","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20260203000001_unify_runtimes","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20260310000001_worker_runtime","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261128000001_safe_functions","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261129000001_fleet","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261129000002_worker_labels","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261129000003_placement","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261129000011_lookups","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261129000020_server","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"20261130000001_declarations","state":"applied","applied_by":"0.1.0","requires":"0.1.0","known":true},` +
			`{"id":"29990101000000_later","state":"adopted","applied_by":"9.1.0","requires":"9.0.0","known":false}],` +
			`"guards":"in place","guarding":"refuse","drift":[],"others":[]}`
		if diff := cmp.Diff(want, show()); diff != "" {
			t.Errorf("migrated (-want +got):\n%s", diff)
		}
	})
}
