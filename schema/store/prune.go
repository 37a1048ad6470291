package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pruneBatch is the number of changes that one call of Prune reads.
const pruneBatch = 2000

// leastKept is the least age of a change that Prune deletes.
const leastKept = 24 * time.Hour

// Prune deletes the changes that are older than keep, but at least a day old, and returns
// their number. It keeps the newest change of each runtime of each existing worker.
//
// Every process may call it regularly, as Sweep. Only one prunes at a time, and at most
// once in every, by the database's clock; the other calls return at once. A call reads a
// few thousand changes, from the place where the previous one stopped.
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

// prunePostgres calls a function that runs with its owner's rights.
func (w *Workers) prunePostgres(ctx context.Context, every, keep time.Duration) (n int, err error) {
	err = w.db.NewRaw("SELECT ?(?, ?, CAST(? AS pg_catalog.int4))",
		w.function("prune_changes"), w.interval(every), w.interval(keep), pruneBatch).Scan(ctx, &n)
	return n, err
}

// pruneSQLite relies on SQLite having one writer at a time.
func (w *Workers) pruneSQLite(ctx context.Context, every, keep time.Duration) (int, error) {
	var deleted int64
	err := w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		state, changes, before := w.of("worker_sweep"), w.of("capability_change"), w.ago(keep)
		var since int64
		// A time in the future means that the clock was set back.
		err := w.db.NewRaw("UPDATE ?0 SET pruned = ?1 WHERE pruned <= ?2 OR pruned > ?1 RETURNING pruned_to",
			state, w.clock(), w.ago(every)).Scan(ctx, &since)
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
		if deleted, err = result.RowsAffected(); err != nil {
			return err
		}
		if old.Seen < pruneBatch {
			old.UpTo = 0
		}
		_, err = w.db.NewRaw("UPDATE ? SET pruned_to = ?", state, old.UpTo).Exec(ctx)
		return err
	})
	return int(deleted), err
}
