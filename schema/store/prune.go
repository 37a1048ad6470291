package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pruneBatch is how many changes one call of Prune looks through.
const pruneBatch = 2000

// leastKept is how long every change is kept, whatever the caller says.
const leastKept = 24 * time.Hour

// Prune deletes changes of the history that are older than keep, which is a day
// at least, and returns how many. The newest change of each runtime of a worker
// that exists stays, however old.
//
// It is for every process to call now and then, as Sweep is: at any time one
// prunes, and no two within every, by the database's time. Who comes in between
// does nothing. A call looks through some thousand changes at most, from where the
// one before ended.
func (w *Workers) Prune(ctx context.Context, every, keep time.Duration) (int, error) {
	prune := w.pruneSQLite
	if w.postgres {
		prune = w.prunePostgres
	}
	n, err := prune(ctx, every, max(keep, leastKept))
	if err != nil {
		return 0, fmt.Errorf("delete changes older than %v: %w", keep, w.classify("prune", err))
	}
	return n, nil
}

// prunePostgres asks the function that may do it, whatever the rights of the
// caller.
func (w *Workers) prunePostgres(ctx context.Context, every, keep time.Duration) (n int, err error) {
	err = w.db.NewRaw("SELECT ?(?, ?, CAST(? AS pg_catalog.int4))",
		w.of("prune_changes"), w.interval(every), w.interval(keep), pruneBatch).Scan(ctx, &n)
	return n, err
}

// pruneSQLite does the same where there is one writer at a time.
func (w *Workers) pruneSQLite(ctx context.Context, every, keep time.Duration) (int, error) {
	var gone int64
	err := w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		state, changes, before := w.of("worker_sweep"), w.of("capability_change"), w.ago(keep)
		var since int64
		// A time to come is from before the clock was set back.
		err := w.db.NewRaw("UPDATE ?0 SET pruned = ?1 WHERE pruned <= ?2 OR pruned > ?1 RETURNING pruned_to", state, w.clock(), w.ago(every)).Scan(ctx, &since)
		if errors.Is(w.classify("find", err), ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var old struct{ Seen, UpTo int64 }
		err = w.db.NewRaw(`SELECT count(*) AS seen, coalesce(max(id), 0) AS up_to
			FROM (SELECT id, created FROM ? WHERE id > ? ORDER BY id LIMIT ?) AS old WHERE created < ?`, changes, since, pruneBatch, before).Scan(ctx, &old)
		if err != nil {
			return err
		}
		result, err := w.db.NewRaw(`DELETE FROM ?0 AS c WHERE c.id > ?1 AND c.id <= ?2 AND c.created < ?3
			  AND (c.worker IS NULL OR EXISTS (
				SELECT 1 FROM ?0 AS newer
				WHERE newer.worker = c.worker AND newer.runtime_ref = c.runtime_ref AND newer.name = c.name AND newer.id > c.id))`,
			changes, since, old.UpTo, before).Exec(ctx)
		if err != nil {
			return err
		}
		if gone, err = result.RowsAffected(); err != nil {
			return err
		}
		if old.Seen < pruneBatch {
			old.UpTo = 0
		}
		_, err = w.db.NewRaw("UPDATE ? SET pruned_to = ?", state, old.UpTo).Exec(ctx)
		return err
	})
	return int(gone), err
}
