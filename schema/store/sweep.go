package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// An InactiveWorker is a stale worker that a sweep marked inactive.
type InactiveWorker struct {
	ID            int64
	Name          string
	WorkerRole    schema.WorkerRole
	Host          *string
	LastHeartbeat time.Time
}

// A HeartbeatSpan is a span over which the sweeping process has itself written every
// heartbeat, by the database's clock. The database was available to all workers during it.
type HeartbeatSpan struct{ Since, Until time.Time }

// sweepBatch is the maximum number of rows that one transaction of a sweep locks.
const sweepBatch = 500

// Sweep marks stale workers inactive that were active or busy, and returns them. It calls
// SweepBatch until there are no more. With an error it returns the workers of the committed
// batches.
func (w *Workers) Sweep(ctx context.Context, every time.Duration, span HeartbeatSpan) ([]InactiveWorker, error) {
	all := []InactiveWorker{}
	for {
		part, more, err := w.SweepBatch(ctx, every, span)
		all = append(all, part...)
		if err != nil || !more {
			return all, err
		}
		every = 0 // this call has the turn already
	}
}

// SweepBatch marks some hundred stale workers inactive that were active or busy, in one
// transaction, and returns them ordered by id. more reports that there may be others: call
// it again with every 0.
//
// Every process may call it regularly. Only one sweeps at a time, and at most once in every,
// by the database's clock; the other calls return at once. A row that is being written is
// left for the next sweep. A swept worker's next heartbeat makes it active again.
//
// Sweep judges workers at the end of span, and only those whose three intervals lie within
// it. While the database is unavailable, nobody sends heartbeats; without the span, the
// first process to return would mark all others. The zero HeartbeatSpan judges all workers
// at the current time.
//
// A batch reads the whole table. In a guest it also resolves what some of the platform's workers
// declare, as ResolveDeclared does, and more is true until all are resolved. If only that fails, the
// error comes with the workers.
func (w *Workers) SweepBatch(ctx context.Context, every time.Duration, span HeartbeatSpan) (swept []InactiveWorker, more bool, err error) {
	swept = []InactiveWorker{}
	sweep := w.sweepSQLite
	if w.postgres {
		sweep = w.sweepPostgres
	}
	if err := sweep(ctx, every, span, &swept); err != nil {
		return nil, false, w.fail("sweep", "stale", err)
	}
	slices.SortFunc(swept, func(a, b InactiveWorker) int { return cmp.Compare(a.ID, b.ID) })
	for i := range swept {
		swept[i].LastHeartbeat = swept[i].LastHeartbeat.UTC()
	}
	more, err = w.resolveSome(ctx)
	return swept, more || len(swept) == sweepBatch, err
}

// sweepPostgres calls a function that runs with its owner's rights.
func (w *Workers) sweepPostgres(ctx context.Context, every time.Duration, span HeartbeatSpan, part *[]InactiveWorker) error {
	return w.db.NewRaw(`SELECT * FROM ?(?,
		CAST(? AS pg_catalog.int4), CAST(? AS pg_catalog.timestamptz), CAST(? AS pg_catalog.timestamptz))`,
		w.function("sweep_workers"), w.interval(every), sweepBatch,
		bun.NullTime{Time: span.Since}, bun.NullTime{Time: span.Until}).Scan(ctx, part)
}

// sweepSQLite relies on SQLite having one writer at a time.
func (w *Workers) sweepSQLite(ctx context.Context, every time.Duration, span HeartbeatSpan, part *[]InactiveWorker) error {
	const layout = "2006-01-02 15:04:05.000-07:00" // of the columns
	since, until := "", any(w.clock())
	if span != (HeartbeatSpan{}) {
		since, until = span.Since.UTC().Format(layout), span.Until.UTC().Format(layout)
	}
	return w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		// A time in the future means that the clock was set back.
		result, err := w.db.NewRaw("UPDATE ?0 SET swept = ?1 WHERE swept <= ?2 OR swept > ?1",
			w.of("worker_sweep"), w.clock(), w.ago(every)).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return w.db.NewRaw(`UPDATE ?0 SET status = 'inactive', updated = ?1 WHERE id IN (
				SELECT stale.id FROM ?0 AS stale WHERE stale.status IN ('active', 'busy')
				  AND max(stale.last_heartbeat, ?2) <= strftime('%Y-%m-%d %H:%M:%f+00:00', min(?3, ?1), (-?4 * stale.heartbeat_interval) || ' seconds')
				ORDER BY stale.id LIMIT ?5)
			RETURNING id, name, worker_role, host, last_heartbeat`,
			w.of("worker"), w.now(), since, until, Missed, sweepBatch).Scan(ctx, part)
	})
}
