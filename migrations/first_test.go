package migrations_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/migrations/internal/unify"
)

// A first up that is refused does not leave its own record either.
func TestRefusedUpLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T, db testDB)
		in, out string
		adopted []string
		err     error
	}{
		"legacy": {
			prepare: func(t *testing.T, db testDB) { legacy(t, db.DB, "platform") }, adopted: []string{migrations.Baseline},
			in:  `CREATE VIEW platform.sides AS SELECT ref, runtime_type FROM platform.runtime`,
			out: `DROP VIEW platform.sides`, err: unify.ErrObstacles,
		},
		"unified by others": {
			prepare: unifiedByOthers, adopted: []string{migrations.Baseline, migrations.UnifyRuntimes},
			in:  `CREATE TABLE platform.attune_worker_state (id bigint)`,
			out: `DROP TABLE platform.attune_worker_state`, err: migrations.ErrMixed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			db := testdb.EmptyPostgres(t)
			c.prepare(t, db)
			run(t, db, c.in)
			before := objects(t, db)
			res, err := migrator(t, db.DB, migrations.Config{}).Up(ctx)
			if !errors.Is(err, c.err) {
				t.Fatalf("up gave %v, want %v", err, c.err)
			}
			if len(res.Done) > 0 {
				t.Errorf("done = %+v, want nothing", res.Done)
			}
			if diff := cmp.Diff(before, objects(t, db)); diff != "" {
				t.Errorf("the refused up left something (-before +after):\n%s", diff)
			}
			run(t, db, c.out)
			if diff := cmp.Diff(done(c.adopted...), up(t, db.DB, migrations.Config{}).Done); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
		})
	}
}

// When several processes begin at once, one does the work, and the others report that they did
// nothing.
func TestFirstUpsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		results := make([]*migrations.Result, 3)
		var all sync.WaitGroup
		for i := range results {
			m := migrator(t, open(t, db.URL), migrations.Config{})
			all.Go(func() {
				res, err := m.Up(context.Background())
				if err != nil {
					t.Error(err)
				}
				results[i] = res
			})
		}
		all.Wait()
		worked := 0
		for _, res := range results {
			switch {
			case len(res.Done) > 0:
				worked++
				if diff := cmp.Diff(done(), res.Done); diff != "" || res.Before != migrations.StateEmpty {
					t.Errorf("before = %q, want empty; done (-want +got):\n%s", res.Before, diff)
				}
			case res.Before != migrations.StateUnified || res.Unify != nil:
				t.Errorf("a process that did nothing says %+v", res)
			}
		}
		if worked != 1 {
			t.Errorf("%d processes did the work, want 1", worked)
		}
	})
}

// A mistyped name of a schema does not count as an empty schema.
func TestSchemaThatHoldsNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, "platform")
	run(t, db, `CREATE SCHEMA other`)
	for _, name := range []string{"typo", "other"} {
		m := migrator(t, db.DB, migrations.Config{Schema: name})
		_, err := m.Status(ctx)
		wantError(t, "Status", err, migrations.ErrWrongSchema, name, "platform")
		_, err = m.Check(ctx)
		wantError(t, "Check", err, migrations.ErrWrongSchema, name, "platform")
	}
}

// A file has no schemas, so the error for somebody else's file speaks of another file.
func TestAdviceForFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.EmptySQLite(t)
	run(t, db, `CREATE TABLE worker (x)`)
	_, err := migrator(t, db.DB, migrations.Config{}).Up(ctx)
	wantError(t, "Up", err, migrations.ErrNotOurs, "a file of its own")
	run(t, db, `DROP TABLE worker`)
	up(t, db.DB, migrations.Config{})
	run(t, db, `DROP TABLE action`)
	_, err = migrator(t, db.DB, migrations.Config{}).Up(ctx)
	wantError(t, "Up", err, migrations.ErrMixed, "table action is missing", "expected an empty file")
}
