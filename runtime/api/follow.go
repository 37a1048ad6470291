package api

import (
	"context"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// catchUp is the number of changes that a follower reads from the database at a time.
const catchUp = 500

// A follower reads the changes behind an ID that match a filter.
type follower struct {
	api    *API
	filter store.ChangeFilter
	// last is the ID up to which it has read.
	last int64
	// skips reports whether changes may have been deleted before they are read. It ends when the follower has
	// caught up with the hub.
	skips bool
}

// follow returns a follower of the changes behind an ID; nil begins now. skips goes on behind deleted changes.
// Errors: a problem of the type HistoryPruned; errNotFollowing.
func (a *API) follow(ctx context.Context, filter store.ChangeFilter, from *int64, skips bool) (*follower, error) {
	v, err := a.hub.after(0)
	if err != nil {
		return nil, err
	}
	f := &follower{api: a, filter: filter, last: v.last}
	if from == nil {
		return f, nil
	}
	f.last, f.skips = *from, skips || *from == 0
	if f.skips {
		return f, nil
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if kept, err := f.isKept(ctx, v.last); err != nil {
		return nil, err
	} else if !kept {
		return nil, &problem{kind: HistoryPruned, detail: "read the state again and follow from its id"}
	}
	return f, nil
}

// isKept reports whether the follower can go on. An ID that the history has not reached is of
// another history. The hub may be behind the history, or behind another server.
func (f *follower) isKept(ctx context.Context, newest int64) (bool, error) {
	if f.last > newest {
		last, err := f.api.store.Changes.Last(ctx)
		return err == nil && f.last <= last, err
	}
	if v, err := f.api.hub.after(f.last); err != nil || v.covered {
		return v.covered, err
	}
	return f.api.store.Changes.IsKept(ctx, f.last)
}

// A batch is what a follower reads at a time.
type batch struct {
	changes []answer.Change
	// reset reports whether changes were deleted before they were read.
	reset bool
	// more reports whether there may be more at once.
	more bool
	view view
}

// read returns the next changes, and moves on behind them.
func (f *follower) read(ctx context.Context) (b batch, err error) {
	if b.view, err = f.api.hub.after(f.last); err != nil {
		return b, err
	}
	changes := b.view.changes
	if b.view.covered {
		f.skips = false
	} else {
		if changes, b.reset, err = f.fromDatabase(ctx, b.view.last); err != nil {
			return b, err
		}
		b.more = len(changes) > 0
	}
	if b.reset {
		f.last = b.view.last
	}
	for i := range changes {
		f.last = changes[i].ID
		if answer.IsSelected(&changes[i], f.filter) {
			b.changes = append(b.changes, answer.ChangeOf(&changes[i]))
		}
	}
	return b, nil
}

// fromDatabase reads changes that the hub has no longer, up to an ID that the hub has reached:
// behind it, transactions may still commit changes with lower IDs.
func (f *follower) fromDatabase(ctx context.Context, upTo int64) (changes []schema.CapabilityChange, reset bool, err error) {
	ctx, cancel := f.api.bounded(ctx)
	defer cancel()
	if !f.skips {
		if kept, err := f.api.store.Changes.IsKept(ctx, f.last); err != nil || !kept {
			return nil, err == nil, err
		}
	}
	changes, err = f.api.store.Changes.After(ctx, f.last, catchUp)
	for len(changes) > 0 && changes[len(changes)-1].ID > upTo {
		changes = changes[:len(changes)-1]
	}
	if err == nil && len(changes) == 0 {
		f.last = upTo // what was between them was deleted or never committed
	}
	return changes, false, err
}

// wait waits until there may be changes. It returns false if the context or the hub ends, or after
// a time.
func (v *view) wait(ctx context.Context, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-v.news:
		return true
	case <-v.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
