package answer

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// A Refresh asks workers to verify everything again, and waits until they have.
type Refresh struct {
	// Workers lists all workers, also those that cannot be asked.
	Workers []RefreshWorker

	// before holds what the workers had, by ID, once Remember has read it.
	before map[int64]*capability.Document
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
	// Changes are the changes since Remember. It is null if it has not verified, or without Remember.
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

// A RefreshSource asks the workers of a Refresh and reads their reports, in a database or through a
// server.
type RefreshSource interface {
	RowReader
	// Installations returns the installations of workers, by worker.
	Installations(ctx context.Context, ids []int64) ([]store.ReportRow, error)
	// RequestRefresh asks workers.
	RequestRefresh(ctx context.Context, ids ...int64) error
	// Refreshed returns the time of the last request that each worker's document serves.
	Refreshed(ctx context.Context, ids ...int64) (map[int64]time.Time, error)
}

// RefreshIn returns the RefreshSource of a database.
func RefreshIn(st *store.Store) RefreshSource { return databaseWorkers{st.Workers, st.WorkerRuntimes} }

type databaseWorkers struct {
	*store.Workers
	runtimes *store.WorkerRuntimes
}

func (a databaseWorkers) Installations(ctx context.Context, ids []int64) ([]store.ReportRow, error) {
	return a.runtimes.Installations(ctx, ids)
}

func (a databaseWorkers) RequestRefresh(ctx context.Context, ids ...int64) error {
	_, err := a.Workers.RequestRefresh(ctx, ids...)
	return err
}

// NewRefresh returns a Refresh of workers, and asks nobody yet. A stale worker will be asked
// too, because it may send heartbeats again. The workers need no documents.
func NewRefresh(workers []store.WorkerSnapshot) *Refresh {
	r := &Refresh{Workers: []RefreshWorker{}}
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

// targets returns the IDs of the workers that are asked.
func (r *Refresh) targets() (ids []int64) {
	for _, w := range r.Workers {
		if w.Asked {
			ids = append(ids, w.ID)
		}
	}
	return ids
}

// Remember reads the runtimes and versions of the workers, so that Wait can tell what changed. It is called before
// Request.
func (r *Refresh) Remember(ctx context.Context, in RefreshSource) error {
	r.before = map[int64]*capability.Document{}
	equal := map[string]*capability.Document{} // the hosts of a fleet are often alike
	for part := range slices.Chunk(r.targets(), refreshBatch) {
		rows, err := in.Installations(ctx, part)
		if err != nil {
			return err
		}
		for _, id := range part {
			r.before[id] = new(capability.Document)
		}
		for of := range chunkBy(rows, func(row *store.ReportRow) int64 { return row.Worker }) {
			var key strings.Builder
			for _, row := range of {
				fmt.Fprintf(&key, "%q%q%q", row.RuntimeRef, row.Name, row.Version)
			}
			if equal[key.String()] == nil {
				equal[key.String()] = remembered(of)
			}
			r.before[of[0].Worker] = equal[key.String()]
		}
	}
	return nil
}

// chunkBy returns the runs of rows with an equal key.
func chunkBy[R any, K comparable](rows []R, key func(*R) K) iter.Seq[[]R] {
	return func(yield func([]R) bool) {
		for begin, i := 0, 1; begin < len(rows); i++ {
			if i == len(rows) || key(&rows[i]) != key(&rows[begin]) {
				if !yield(rows[begin:i]) {
					return
				}
				begin = i
			}
		}
	}
}

// remembered returns what a document with these installations says about names and versions.
func remembered(rows []store.ReportRow) *capability.Document {
	doc := new(capability.Document)
	for _, row := range rows {
		doc.Detected = append(doc.Detected, capability.Installation{Ref: row.RuntimeRef, Name: row.Name, Version: row.Version})
	}
	doc.Arrange()
	return doc
}

// Request asks the workers.
func (r *Refresh) Request(ctx context.Context, in RefreshSource) error {
	for part := range slices.Chunk(r.targets(), refreshBatch) {
		if err := in.RequestRefresh(ctx, part...); err != nil {
			return err
		}
	}
	return nil
}

// refreshBatch is how many workers one statement asks or reads.
const refreshBatch = 1000

// lookAgain is the least time between two looks at the workers. Between looks that take longer it is lookShare times
// as long as a look, so that waiting for a fleet costs the database little.
const (
	lookAgain = 500 * time.Millisecond
	lookShare = 4
)

// An awaitedWorker is a worker that was asked.
type awaitedWorker struct {
	// before is what the worker had; nil if that is not known.
	before *capability.Document
	// request is when it was asked; the zero time until that was read.
	request time.Time
	result  *RefreshResult
	// settled reports whether the result is final.
	settled bool
}

// Wait waits until the workers that were asked have verified or the timeout has passed, and
// sets their results. Errors: *LateError. Any other error means that the database could not
// be read.
func (r *Refresh) Wait(ctx context.Context, in RefreshSource, timeout time.Duration) error {
	began := time.Now()
	bounded, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	all := map[int64]*awaitedWorker{}
	for i := range r.Workers {
		if w := &r.Workers[i]; w.Asked {
			w.Result = new(RefreshResult)
			all[w.ID] = &awaitedWorker{before: r.before[w.ID], result: w.Result}
		}
	}
	for open := maps.Clone(all); len(open) > 0; {
		begin := time.Now()
		if err := look(bounded, in, open, began); err != nil && bounded.Err() == nil {
			return err
		}
		maps.DeleteFunc(open, func(_ int64, a *awaitedWorker) bool { return a.settled })
		if len(open) == 0 {
			break
		}
		select {
		case <-time.After(max(lookAgain, lookShare*time.Since(begin))):
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

// look reads the workers that have not settled, and the documents of workers that have verified.
func look(ctx context.Context, in RefreshSource, open map[int64]*awaitedWorker, began time.Time) error {
	var verified []int64
	for part := range slices.Chunk(slices.Collect(maps.Keys(open)), refreshBatch) {
		rows, err := in.Rows(ctx, part, false)
		if err != nil {
			return err
		}
		refreshed, err := in.Refreshed(ctx, part...)
		if err != nil {
			return err
		}
		found := map[int64]*store.WorkerSnapshot{}
		for i := range rows {
			found[rows[i].ID] = &rows[i]
		}
		for _, id := range part {
			if a := open[id]; a.look(found[id], refreshed[id]) {
				verified = append(verified, id)
			}
		}
	}
	for _, a := range open {
		a.result.Seconds = time.Since(began).Seconds()
	}
	return inBatches(ctx, in, verified, true, func(rows []store.WorkerSnapshot) error {
		for i := range rows {
			open[rows[i].ID].settle(&rows[i])
		}
		return nil
	})
}

// look updates the result from the row, and reports whether the document is of a verification that was asked for. now
// is nil when the row was deleted.
func (a *awaitedWorker) look(now *store.WorkerSnapshot, refreshed time.Time) (verified bool) {
	if now == nil {
		a.settled, a.result.Reason = true, "it was deleted"
		return false
	}
	if a.request.IsZero() && now.RefreshRequested != nil {
		a.request = *now.RefreshRequested // somebody may ask again, later
	}
	if !refreshed.IsZero() && !refreshed.Before(a.request) {
		return true
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
	return false
}

// settle sets the result of a worker that has verified.
func (a *awaitedWorker) settle(now *store.WorkerSnapshot) {
	caps, err := Document(&now.Worker, nil)
	if err != nil || caps == nil {
		a.result.Reason = "its document cannot be read"
		return
	}
	seconds := a.result.Seconds
	a.settled, *a.result = true, RefreshResult{Verified: true, Seconds: seconds, CouldNotTell: couldNotTell(caps)}
	if a.before != nil {
		changes := capability.Compare(a.before, caps)
		a.result.Changes = &changes
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
