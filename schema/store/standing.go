package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Standing is how a worker stands: what a list is counted, sorted and cut by,
// without the worker's document.
type Standing struct {
	ID         int64
	Name       string
	WorkerRole schema.WorkerRole
	Host       *string
	Status     *schema.WorkerStatus
	// Identity is nil on a row that no process of attune registered.
	Identity *string
	// Stale is Selection.Stale.
	Stale bool
	// Live: an instance runs and beats.
	Live bool
	// Silent is how long ago the worker last beat, by the database's time; nil: never.
	Silent *time.Duration
}

// Standing returns how the workers of a selection stand, in no order. Limit is not
// heeded.
func (w *Workers) Standing(ctx context.Context, s Selection) ([]Standing, error) {
	found := []Standing{}
	if !s.storable() {
		return found, nil
	}
	var rows []struct {
		Standing
		LastHeartbeat *time.Time
		Now           time.Time
	}
	q := w.db.NewSelect().TableExpr("? AS worker", w.of("worker")).
		ColumnExpr("worker.id, worker.name, worker.worker_role, worker.host, worker.status, worker.identity, worker.last_heartbeat").
		ColumnExpr("? AS stale, coalesce(?, false) AS live, ? AS now", w.stale(), w.live("worker"), w.clock())
	for _, c := range w.selecting(&s) {
		q = q.Where("?", c)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find workers: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		r.Silent = silence(r.LastHeartbeat, r.Now)
		found = append(found, r.Standing)
	}
	return found, nil
}

// silence is how long ago a heartbeat was; nil: there was none.
func silence(last *time.Time, now time.Time) *time.Duration {
	if last == nil {
		return nil
	}
	silent := now.Sub(*last)
	return &silent
}

// Newest returns the sort key of the newest version that each worker has of a
// runtime, by the worker's id. A worker that has none, or of which no version is
// known, is left out. name counts where ref is empty.
func (r *WorkerRuntimes) Newest(ctx context.Context, ref, name string) (map[int64]string, error) {
	if !storable(ref, name) {
		return nil, nil
	}
	var rows []struct {
		Worker int64
		Key    string
	}
	err := r.db.NewRaw("SELECT worker, "+r.pick("pg_catalog.max", "max")+"(?) AS key FROM ? WHERE runtime_ref = ? AND (runtime_ref <> '' OR name = ?) AND outcome = ? AND sort_key IS NOT NULL GROUP BY worker",
		r.bytewise("sort_key"), r.of(r.name), ref, name, schema.OutcomeAvailable).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("find versions of %q: %w", ref, err)
	}
	newest := map[int64]string{}
	for _, row := range rows {
		newest[row.Worker] = row.Key
	}
	return newest, nil
}

// Lock keeps the rows of workers from being written by others until the transaction
// ends that w is in, and returns how they stand. One that is gone is left out.
func (w *Workers) Lock(ctx context.Context, ids ...int64) ([]Standing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if w.postgres { // in SQLite there is one writer at a time
		_, err := w.db.NewRaw("SELECT 1 FROM ? AS worker WHERE id IN (?) ORDER BY id FOR UPDATE", w.of("worker"), bun.List(ids)).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("lock workers: %w", w.classify("lock", err))
		}
	}
	return w.Standing(ctx, Selection{IDs: ids})
}

// References returns the rows of other tables that refer to workers; what attune
// itself knows of them apart.
func (w *Workers) References(ctx context.Context, ids ...int64) ([]Reference, error) {
	if len(ids) == 0 {
		return []Reference{}, nil
	}
	refs := references{dialect: w.dialect}
	return refs.find(ctx, w.name, bun.SafeQuery("SELECT worker.* FROM ? AS worker WHERE worker.id IN (?)", w.of(w.name), bun.List(ids)))
}

// Delete removes a worker with what it reported; its history stays, under its name.
// A process that still runs registers anew. Errors: ErrNotFound; ErrReferenced, which
// errors.As finds as a *ReferencedError, while rows of other tables refer to it that
// the database would refuse, or delete too.
func (w *Workers) Delete(ctx context.Context, id int64) error {
	n, err := w.deleteAll(ctx, []int64{id})
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return w.fail("delete", id, err)
}

// DeleteAll removes workers, all or none, as Delete removes one, and returns how many
// there were.
func (w *Workers) DeleteAll(ctx context.Context, ids ...int64) (int, error) {
	n, err := w.deleteAll(ctx, ids)
	if err != nil {
		return 0, fmt.Errorf("delete workers: %w", w.classify("delete", err))
	}
	return n, nil
}

func (w *Workers) deleteAll(ctx context.Context, ids []int64) (int, error) {
	var n int64
	if len(ids) == 0 {
		return 0, nil
	}
	err := w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		if _, err := w.Lock(ctx, ids...); err != nil {
			return err
		}
		refs, err := w.References(ctx, ids...)
		if err != nil {
			return err
		}
		if err := hindered(refs); err != nil {
			return err
		}
		result, err := w.db.NewRaw("DELETE FROM ? WHERE id IN (?)", w.of(w.name), bun.List(ids)).Exec(ctx)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return int(n), err
}
