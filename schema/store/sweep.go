package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Swept is a worker that had stopped beating.
type Swept struct {
	ID            int64
	Name          string
	WorkerRole    schema.WorkerRole
	Host          *string
	LastHeartbeat time.Time
}

// sweepBatch bounds how many rows one transaction of a sweep holds.
const sweepBatch = 500

// Sweep makes the workers inactive that were active or busy and are stale, and
// returns them, ordered by id. It is for every process to call now and then: at
// any time one sweeps, and no two within every, by the database's time. Who
// comes in between gets nothing, at once. A row that is being written to, as by
// a heartbeat, is left for the next time; a worker that beats again is revived
// by its heartbeat.
//
// A sweep reads the whole table, and is committed in parts of some hundred rows;
// with an error, the workers of the parts before are returned too.
func (w *Workers) Sweep(ctx context.Context, every time.Duration) ([]Swept, error) {
	all := []Swept{}
	for first := true; ; first = false {
		part := []Swept{}
		err := w.inTx(ctx, func(ctx context.Context, w *Workers) error {
			mine, err := w.turn(ctx, every, first)
			if err != nil || !mine {
				return err
			}
			return w.sweepPart(ctx, &part)
		})
		if err != nil {
			return all, w.fail("sweep", "stale", err)
		}
		for i := range part {
			part[i].LastHeartbeat = part[i].LastHeartbeat.UTC()
		}
		all = append(all, part...)
		if len(part) < sweepBatch {
			return all, nil
		}
	}
}

// turn tries to become the one that sweeps, until the transaction ends. Where it
// is not the first part, the turn was taken a moment ago.
func (w *Workers) turn(ctx context.Context, every time.Duration, first bool) (bool, error) {
	due := bun.SafeQuery("true")
	if first {
		// A time to come is from before the server's clock was set back.
		due = bun.SafeQuery("(swept <= ? OR swept > ?)", w.ago(every), w.clock())
	}
	sweep := w.of("worker_sweep")
	if w.postgres {
		var locked int
		err := w.db.NewRaw("SELECT 1 FROM ? WHERE ? FOR UPDATE SKIP LOCKED", sweep, due).Scan(ctx, &locked)
		if errors.Is(w.classify("find", err), ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	result, err := w.db.NewRaw("UPDATE ? SET swept = ? WHERE ?", sweep, w.clock(), due).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

func (w *Workers) sweepPart(ctx context.Context, part *[]Swept) error {
	err := w.db.NewRaw(`UPDATE ?0 AS worker SET status = 'inactive', updated = ?1 WHERE worker.id IN (
			SELECT stale.id FROM ?0 AS stale WHERE stale.status IN ('active', 'busy') AND NOT (?2)
			ORDER BY stale.id LIMIT ?3 ?4)
		RETURNING id, name, worker_role, host, last_heartbeat`,
		w.of("worker"), w.now(), w.fresh("stale"), sweepBatch, bun.Safe(w.pick("FOR UPDATE SKIP LOCKED", ""))).Scan(ctx, part)
	slices.SortFunc(*part, func(a, b Swept) int { return cmp.Compare(a.ID, b.ID) })
	return err
}
