package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// errLate means that some workers that were asked have not verified.
var errLate = errors.New("not all have verified")

// lookAgain is the time between two looks at the workers.
const lookAgain = 500 * time.Millisecond

// refreshResult is the result of asking a worker.
type refreshResult struct {
	Verified bool `json:"verified"`
	// Seconds is how long the verification took, or how long the command waited.
	Seconds float64 `json:"seconds"`
	// Changes are the changes since it was asked; null where it has not verified.
	Changes *capability.Diff `json:"changes,omitempty"`
	// CouldNotTell are the runtimes that the host could not determine, sorted. What
	// was known about them is kept.
	CouldNotTell []string `json:"could_not_tell,omitempty"`
	// Reason is why it has not verified.
	Reason string `json:"reason,omitempty"`
}

// awaited is a worker that was asked.
type awaited struct {
	// before is the worker as it was.
	before *store.Selected
	// request is when it was asked; the zero time until that was read.
	request time.Time
	result  refreshResult
	// settled reports whether the result is final.
	settled bool
}

// wait waits until the workers that were asked have verified or the time is up, and
// fills in their results. workers are the rows before the request. An error that
// wraps errLate has the number of workers that have not verified; any other error
// means that the database could not be read.
func (c *workersRefreshCmd) wait(ctx context.Context, db *cli.Database, workers []store.Selected, docs []refreshDoc) error {
	began := time.Now()
	bounded, stop := context.WithTimeout(ctx, c.Timeout)
	defer stop()
	all := map[int64]*awaited{}
	for i := range docs {
		if docs[i].Asked {
			all[docs[i].ID] = &awaited{before: &workers[i]}
			docs[i].Result = &all[docs[i].ID].result
		}
	}
	for open := maps.Clone(all); len(open) > 0; {
		if err := look(bounded, db, open, began); err != nil && bounded.Err() == nil {
			return fmt.Errorf("wait for workers of %s: %w", db.Name, err)
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
	waited := time.Since(began).Round(100 * time.Millisecond)
	if bounded.Err() != nil {
		waited = c.Timeout
	}
	late := 0
	for _, a := range all {
		if !a.settled {
			a.result.Reason = "not yet: " + cli.Or(a.result.Reason, "the database did not answer")
		}
		if !a.result.Verified {
			late++
		}
	}
	if late > 0 {
		return fmt.Errorf("%w: %d of %d missing after %v", errLate, late, len(all), waited)
	}
	return nil
}

// look reads the workers that have not settled.
func look(ctx context.Context, db *cli.Database, open map[int64]*awaited, began time.Time) error {
	found := map[int64]*store.Selected{}
	for part := range slices.Chunk(slices.Collect(maps.Keys(open)), refreshBatch) {
		rows, err := db.Store.Workers.Select(ctx, store.Selection{IDs: part})
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
func (a *awaited) look(now *store.Selected) {
	if now == nil {
		a.settled, a.result.Reason = true, "it was deleted"
		return
	}
	if a.request.IsZero() && now.RefreshRequested != nil {
		a.request = *now.RefreshRequested // somebody may ask again, later
	}
	caps, err := capabilitiesOf(&now.Worker, nil)
	if err == nil && caps != nil && !caps.Refreshed.IsZero() && !caps.Refreshed.Before(a.request) {
		before, _ := capabilitiesOf(&a.before.Worker, nil) // an unreadable document counts as empty
		changes := capability.Compare(before, caps)
		a.settled, a.result = true, refreshResult{Verified: true, Changes: &changes, CouldNotTell: couldNotTell(caps)}
		return
	}
	a.result.Reason = "last heartbeat " + heartbeat(now)
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

// cell returns the result in words.
func (r *refreshResult) cell() cli.Cell {
	if !r.Verified {
		return cli.Cell{Text: r.Reason, Style: cli.Red}
	}
	took := time.Duration(r.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	if r.Changes.Empty() && len(r.CouldNotTell) == 0 {
		return cli.Cell{Text: fmt.Sprintf("verified in %v, nothing changed", took), Style: cli.Green}
	}
	var parts []string
	add := func(kind string, names []string) {
		if len(names) > 0 {
			parts = append(parts, kind+" "+strings.Join(names, ", "))
		}
	}
	add("lost", r.Changes.Lost)
	add("gained", r.Changes.Gained)
	for _, v := range r.Changes.Changed {
		from, to := cli.Or(strings.Join(v.Old, ", "), "unknown"), cli.Or(strings.Join(v.New, ", "), "unknown")
		parts = append(parts, fmt.Sprintf("%s %s -> %s", v.Name, from, to))
	}
	open := slices.Concat(r.Changes.Unconfirmed, r.CouldNotTell)
	slices.Sort(open)
	add("could not determine", slices.Compact(open))
	return cli.Cell{Text: fmt.Sprintf("verified in %v: %s", took, strings.Join(parts, "; ")), Style: cli.Yellow}
}
