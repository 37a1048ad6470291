package service

import (
	"context"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// A streak is a sequence of heartbeats of this process without a missed one. It holds the
// first, the last but one and the last, by the database's time.
type streak struct {
	first, before, last time.Time
	// toSweep is the number of heartbeats until this process sweeps.
	toSweep int
	// sweeping means that the last batch of a sweep was full, and swept counts the workers
	// of the batches so far.
	sweeping bool
	swept    int
}

// noteArrival notes a heartbeat. A gap longer than the jitter, or a negative one, ends the
// streak: the database was unavailable, the process was suspended or a clock was set.
func (r *registration) noteArrival(at time.Time) {
	s := &r.streak
	if gap := at.Sub(s.last); gap < 0 || gap > r.cfg.HeartbeatInterval*3/2 {
		n := r.sweepBeats()
		*s = streak{first: at, before: at, last: at, toSweep: n + int(float64(n)*r.cfg.Random())}
		return
	}
	s.before, s.last = s.last, at
	s.toSweep--
}

// leastSweep is the least time between two sweeps of one process. A sweep reads all workers.
const leastSweep = 10 * time.Second

// sweepBeats returns the number of heartbeats between sweeps. A sweep follows a heartbeat, so
// that it uses the same connection.
func (r *registration) sweepBeats() int {
	interval := r.cfg.HeartbeatInterval
	return max(store.Missed, int((leastSweep+interval-1)/interval))
}

// sweep marks stale workers inactive, one batch at a time, so that each batch has the whole
// statement timeout and heartbeats come between. Every process calls it, and the store lets
// one of them sweep. The span ends with the last heartbeat but one: a worker with a shorter interval that
// was silent then has had the time to return.
func (r *registration) sweep(ctx context.Context) error {
	if r.row == nil || (r.streak.toSweep > 0 && !r.streak.sweeping) || !r.connection.reachable() {
		return nil
	}
	every := time.Duration(r.sweepBeats()) * r.cfg.HeartbeatInterval / 2
	if r.streak.sweeping {
		every = 0 // this process has the turn already
	} else {
		r.streak.toSweep, r.streak.swept = r.sweepBeats(), 0
	}
	span := store.HeartbeatSpan{Since: r.streak.first, Until: r.streak.before}
	var swept []store.InactiveWorker
	_, err := r.connection.ask(ctx, "sweep", func(ctx context.Context) (err error) {
		swept, r.streak.sweeping, err = r.connection.db.Rows.SweepBatch(ctx, every, span)
		return err
	})
	r.logSwept(swept)
	if err != nil {
		r.log.Error("could not sweep stale workers", "error", err)
	}
	return nil
}

// mostSweptLines is the maximum number of workers that a batch logs one by one.
const mostSweptLines = 20

// logSwept logs the workers of a batch. A mass outage is logged as one line for each batch.
func (r *registration) logSwept(swept []store.InactiveWorker) {
	r.streak.swept += len(swept)
	if len(swept) > mostSweptLines {
		first, last := swept[0], swept[len(swept)-1]
		r.log.Warn("marked stale workers inactive", "workers", len(swept), "in_this_sweep", r.streak.swept, "more", r.streak.sweeping,
			"first", first.Name, "first_row", first.ID, "last", last.Name, "last_row", last.ID)
		return
	}
	for _, w := range swept {
		r.log.Warn("marked stale worker inactive",
			"worker", w.Name, "worker_role", roleOf(w.WorkerRole), "row", w.ID, "last_heartbeat", w.LastHeartbeat)
	}
}

const (
	// pruneInterval is the time between two calls of prune by one process.
	pruneInterval = time.Hour
	// pruneApart is the least time between the pruning of two processes.
	pruneApart = time.Minute
)

// prune deletes old changes. Every process calls it, and the store lets one of them prune.
func (r *registration) prune(ctx context.Context) error {
	if r.row == nil || !r.due(r.nextPrune) || !r.connection.reachable() {
		return nil
	}
	r.nextPrune = r.cfg.Now().Add(r.jittered(pruneInterval))
	if r.cfg.KeepHistory < 0 {
		return nil
	}
	n := 0
	_, err := r.connection.ask(ctx, "prune", func(ctx context.Context) (err error) {
		n, err = r.connection.db.Rows.Prune(ctx, pruneApart, r.cfg.KeepHistory)
		return err
	})
	if err != nil {
		r.log.Error("could not delete old changes", "error", err)
	}
	if n > 0 {
		r.log.Info("deleted old changes", "changes", n, "kept_for", r.cfg.KeepHistory)
	}
	return nil
}
