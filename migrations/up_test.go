package migrations_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/migrations"
)

// done lists every migration in the order of application.
func done(adopted ...string) []migrations.StepResult {
	var list []migrations.StepResult
	for _, id := range ids {
		list = append(list, migrations.StepResult{ID: id, Adopted: slices.Contains(adopted, id)})
	}
	return list
}

func TestUpDownUpDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		empty := objects(t, db)
		var migrated []string
		for round := range 2 {
			res := up(t, db.DB, migrations.Config{})
			if diff := cmp.Diff(done(), res.Done); diff != "" {
				t.Fatalf("round %d: done (-want +got):\n%s", round, diff)
			}
			if res.Before != migrations.StateEmpty {
				t.Errorf("round %d: before = %q, want %q", round, res.Before, migrations.StateEmpty)
			}
			if round == 0 {
				migrated = objects(t, db)
			} else if diff := cmp.Diff(migrated, objects(t, db)); diff != "" {
				t.Errorf("the second up led elsewhere than the first (-first +second):\n%s", diff)
			}
			for _, id := range slices.Backward(ids) {
				res := down(t, db.DB, migrations.Config{})
				if diff := cmp.Diff([]migrations.StepResult{{ID: id}}, res.Done); diff != "" {
					t.Fatalf("round %d: undone (-want +got):\n%s", round, diff)
				}
			}
			if diff := cmp.Diff(empty, objects(t, db)); diff != "" {
				t.Fatalf("round %d: down left things (-want +got):\n%s", round, diff)
			}
		}
		if _, err := migrator(t, db.DB, migrations.Config{}).Down(context.Background()); err == nil {
			t.Error("a further down: no error, want ErrNothingApplied")
		}
	})
}

func TestUpTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		up(t, db.DB, migrations.Config{})
		before := objects(t, db)
		res := up(t, db.DB, migrations.Config{})
		if len(res.Done) != 0 || res.Before != migrations.StateUnified {
			t.Errorf("second up = %+v, want nothing done on a unified schema", res)
		}
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("second up changed the catalog (-before +after):\n%s", diff)
		}
	})
}

// undoer is a log handler that undoes each migration as soon as it is applied.
type undoer struct {
	slog.Handler
	undo func()
}

func (undoer) Enabled(context.Context, slog.Level) bool { return true }

func (u undoer) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "migrated" {
		u.undo()
	}
	return nil
}

// TestUpAgainstDown: an Up ends although another process undoes each migration that it applies.
func TestUpAgainstDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		up(t, db.DB, migrations.Config{})
		down(t, db.DB, migrations.Config{})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		logger := slog.New(undoer{slog.DiscardHandler, func() { down(t, db.DB, migrations.Config{}) }})
		res, err := migrator(t, db.DB, migrations.Config{Logger: logger}).Up(ctx)
		if !errors.Is(err, migrations.ErrUndone) || len(res.Done) != 1 || res.Done[0].ID != ids[len(ids)-1] {
			t.Errorf("Up = %+v, %v; want one migration and ErrUndone", res, err)
		}
		up(t, db.DB, migrations.Config{})
	})
}
