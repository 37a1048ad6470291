package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// betweenStatements runs a function once, after the first statement of Facts.
type betweenStatements struct{ run func() }

func (b *betweenStatements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	return ctx
}

func (b *betweenStatements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if run := b.run; run != nil && strings.Contains(e.Query, "AS reported") {
		b.run = nil
		run()
	}
}

// TestFactsWhileWorkersAppear: a worker that appears between two statements of Facts, with a label, a taint and a
// cordon, is left out where the statements are of several moments.
func TestFactsWhileWorkersAppear(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		running(t, e, "before")
		appears := func(name string) func() {
			return func() {
				w := running(t, e, name)
				if _, err := e.DB.ExecContext(t.Context(), e.sql("UPDATE {schema}.worker SET capabilities = ? WHERE id = ?"),
					`{"runtimes": [], "labels": {"zone": "a"}}`, w.ID); err != nil {
					t.Error(err)
				}
				if _, err := e.Workers.Taint(t.Context(), requirement.Taint{Key: "gpu", Effect: requirement.NoSchedule}, w.ID); err != nil {
					t.Error(err)
				}
				if _, err := e.Workers.Cordon(t.Context(), "", w.ID); err != nil {
					t.Error(err)
				}
			}
		}
		facts := func(db bun.IDB, want int) {
			t.Helper()
			found, err := store.New(db, store.Config{Schema: e.schema}).Workers.Facts(t.Context(), store.FactsQuery{Labels: []string{"zone"}})
			if err != nil || len(found) != want {
				t.Errorf("%d workers, %v; want %d", len(found), err, want)
			}
		}
		facts(e.DB.WithQueryHook(&betweenStatements{appears("meanwhile")}), 1)
		if !e.postgres {
			return
		}
		err := e.DB.WithQueryHook(&betweenStatements{appears("within a transaction")}).RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
			facts(tx, 2)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
