package store

import (
	"cmp"
	"context"
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

// Watch is for how long whoever sweeps has beaten itself without missing any: from
// one heartbeat to another, by the database's time. All that time the database was
// there for whoever wanted to beat. The zero Watch says nothing of it.
type Watch struct{ Since, Until time.Time }

// sweepBatch bounds how many rows one transaction of a sweep holds.
const sweepBatch = 500

// Sweep makes the workers inactive that were active or busy and are stale, and
// returns them, ordered by id. It is for every process to call now and then: at
// any time one sweeps, and no two within every, by the database's time. Who
// comes in between gets nothing, at once. A row that is being written to, as by
// a heartbeat, is left for the next time; a worker that beats again is revived
// by its heartbeat.
//
// Stale is judged by how things stood at the end of the caller's watch, and of those
// alone whose three intervals lie within it: while a database is away nobody beats,
// and the first one that comes back would else take all others for dead. With the
// zero Watch it is judged of all, and by how things stand now.
//
// A sweep reads the whole table, and is committed in parts of some hundred rows;
// with an error, the workers of the parts before are returned too.
func (w *Workers) Sweep(ctx context.Context, every time.Duration, watch Watch) ([]Swept, error) {
	all := []Swept{}
	for {
		part := []Swept{}
		sweep := w.sweepSQLite
		if w.postgres {
			sweep = w.sweepPostgres
		}
		if err := sweep(ctx, every, watch, &part); err != nil {
			return all, w.fail("sweep", "stale", err)
		}
		slices.SortFunc(part, func(a, b Swept) int { return cmp.Compare(a.ID, b.ID) })
		for i := range part {
			part[i].LastHeartbeat = part[i].LastHeartbeat.UTC()
		}
		all = append(all, part...)
		if len(part) < sweepBatch {
			return all, nil
		}
		every = 0 // the turn was taken a moment ago
	}
}

// sweepPostgres asks the function that may do it, whatever the rights of the
// caller.
func (w *Workers) sweepPostgres(ctx context.Context, every time.Duration, watch Watch, part *[]Swept) error {
	return w.db.NewRaw("SELECT * FROM ?(?, CAST(? AS pg_catalog.int4), CAST(? AS pg_catalog.timestamptz), CAST(? AS pg_catalog.timestamptz))",
		w.of("sweep_workers"), w.interval(every), sweepBatch, bun.NullTime{Time: watch.Since}, bun.NullTime{Time: watch.Until}).Scan(ctx, part)
}

// sweepSQLite does the same where there is one writer at a time.
func (w *Workers) sweepSQLite(ctx context.Context, every time.Duration, watch Watch, part *[]Swept) error {
	const form = "2006-01-02 15:04:05.000-07:00" // which the columns have
	since, until := "", any(w.clock())
	if watch != (Watch{}) {
		since, until = watch.Since.UTC().Format(form), watch.Until.UTC().Format(form)
	}
	return w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		// A time to come is from before the clock was set back.
		result, err := w.db.NewRaw("UPDATE ?0 SET swept = ?1 WHERE swept <= ?2 OR swept > ?1", w.of("worker_sweep"), w.clock(), w.ago(every)).Exec(ctx)
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
