package answer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// A Refresh asks workers to verify everything again, and waits until they have.
type Refresh struct {
	// Workers lists all workers, also those that cannot be asked.
	Workers []RefreshWorker

	before []store.WorkerSnapshot
}

// A RefreshWorker is a worker of a Refresh.
type RefreshWorker struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	// Status and Stale describe the worker before it was asked. Status is - if the row has
	// none.
	Status string `json:"status"`
	Stale  bool   `json:"stale"`
	// Asked reports whether the worker runs, as far as the database knows.
	Asked bool `json:"asked"`
	// WithinSeconds is about how long it takes until the worker sees the request. It is
	// null if that is unknown.
	WithinSeconds *int `json:"within_seconds"`
	// Result is null until Wait has begun.
	Result *RefreshResult `json:"result,omitempty"`
}

// A RefreshResult is the result of asking a worker.
type RefreshResult struct {
	Verified bool `json:"verified"`
	// Seconds is how long the verification took, or how long Wait waited.
	Seconds float64 `json:"seconds"`
	// Changes are the changes since it was asked. It is null if it has not verified.
	Changes *capability.Diff `json:"changes,omitempty"`
	// CouldNotTell lists the runtimes that the host could not determine, sorted. What was
	// known about them is kept.
	CouldNotTell []string `json:"could_not_tell,omitempty"`
	// Reason is why it has not verified.
	Reason string `json:"reason,omitempty"`
}

// A LateError reports that workers have not verified in time.
type LateError struct {
	// Late is how many of All have not verified.
	Late, All int
	// Waited is how long Wait has waited.
	Waited time.Duration
}

func (e *LateError) Error() string {
	return fmt.Sprintf("not all have verified: %d of %d missing after %v", e.Late, e.All, e.Waited)
}

// NewRefresh returns a Refresh of workers, and asks nobody yet. A stale worker will be asked
// too, because it may send heartbeats again.
func NewRefresh(workers []store.WorkerSnapshot) *Refresh {
	r := &Refresh{Workers: []RefreshWorker{}, before: workers}
	for i := range workers {
		w := &workers[i]
		state := stateOf(w)
		one := RefreshWorker{
			ID: w.ID, Name: w.Name, Role: state.Role, Status: state.Status, Stale: w.Stale,
			Asked: w.Instance != nil, // a worker that ended has no instance
		}
		if one.Asked && !w.Stale {
			one.WithinSeconds = w.HeartbeatInterval
		}
		r.Workers = append(r.Workers, one)
	}
	return r
}

// Request asks the workers.
func (r *Refresh) Request(ctx context.Context, st *store.Store) error {
	var ids []int64
	for _, w := range r.Workers {
		if w.Asked {
			ids = append(ids, w.ID)
		}
	}
	for part := range slices.Chunk(ids, refreshBatch) {
		if _, err := st.Workers.RequestRefresh(ctx, part...); err != nil {
			return err
		}
	}
	return nil
}

// refreshBatch is how many workers one statement asks or reads.
const refreshBatch = 1000

// lookAgain is the time between two looks at the workers.
const lookAgain = 500 * time.Millisecond

// awaited is a worker that was asked.
type awaited struct {
	// before is the worker as it was.
	before *store.WorkerSnapshot
	// request is when it was asked; the zero time until that was read.
	request time.Time
	result  *RefreshResult
	// settled reports whether the result is final.
	settled bool
}

// Wait waits until the workers that were asked have verified or the timeout has passed, and
// sets their results. Errors: *LateError. Any other error means that the database could not
// be read.
func (r *Refresh) Wait(ctx context.Context, st *store.Store, timeout time.Duration) error {
	began := time.Now()
	bounded, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	all := map[int64]*awaited{}
	for i := range r.Workers {
		if w := &r.Workers[i]; w.Asked {
			w.Result = new(RefreshResult)
			all[w.ID] = &awaited{before: &r.before[i], result: w.Result}
		}
	}
	for open := maps.Clone(all); len(open) > 0; {
		if err := look(bounded, st, open, began); err != nil && bounded.Err() == nil {
			return err
		}
		maps.DeleteFunc(open, func(_ int64, a *awaited) bool { return a.settled })
		if len(open) == 0 {
			break
		}
		select {
		case <-time.After(lookAgain):
		case <-bounded.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			clear(open)
		}
	}
	late := &LateError{All: len(all), Waited: time.Since(began).Round(100 * time.Millisecond)}
	if bounded.Err() != nil {
		late.Waited = timeout
	}
	for _, a := range all {
		if a.result.Verified {
			continue
		}
		late.Late++
		if a.result.Reason == "" {
			a.result.Reason = "the database did not answer"
		}
		if !a.settled {
			a.result.Reason = "not yet: " + a.result.Reason
		}
	}
	if late.Late > 0 {
		return late
	}
	return nil
}

// look reads the workers that have not settled.
func look(ctx context.Context, st *store.Store, open map[int64]*awaited, began time.Time) error {
	found := map[int64]*store.WorkerSnapshot{}
	for part := range slices.Chunk(slices.Collect(maps.Keys(open)), refreshBatch) {
		rows, err := st.Workers.Select(ctx, store.Selection{IDs: part})
		if err != nil {
			return err
		}
		for i := range rows {
			found[rows[i].ID] = &rows[i]
		}
	}
	for id, a := range open {
		a.look(found[id])
		a.result.Seconds = time.Since(began).Seconds()
	}
	return nil
}

// look updates the result from the row; now is nil when the row was deleted.
func (a *awaited) look(now *store.WorkerSnapshot) {
	if now == nil {
		a.settled, a.result.Reason = true, "it was deleted"
		return
	}
	if a.request.IsZero() && now.RefreshRequested != nil {
		a.request = *now.RefreshRequested // somebody may ask again, later
	}
	caps, err := Document(&now.Worker, nil)
	if err == nil && caps != nil && !caps.Refreshed.IsZero() && !caps.Refreshed.Before(a.request) {
		before, _ := Document(&a.before.Worker, nil) // an unreadable document counts as empty
		changes := capability.Compare(before, caps)
		a.settled, *a.result = true, RefreshResult{Verified: true, Changes: &changes, CouldNotTell: couldNotTell(caps)}
		return
	}
	a.result.Reason = "last heartbeat never"
	if now.Silent != nil {
		a.result.Reason = "last heartbeat " + Ago(*now.Silent)
	}
	switch {
	case now.Instance == nil:
		a.settled, a.result.Reason = true, "it ended before it verified"
	case now.Stale:
		a.result.Reason += ", stale"
	}
}

// couldNotTell returns the names of the runtimes that a document leaves open.
func couldNotTell(caps *capability.Document) (names []string) {
	for _, d := range caps.Detected {
		if !d.UnconfirmedSince.IsZero() {
			names = append(names, d.Name)
		}
	}
	for _, a := range caps.Undetected {
		if a.Outcome.CouldNotTell() {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
