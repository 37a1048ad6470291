//nolint:bodyclose // answered closes every body
package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/url"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// A changePage is a page of changes.
type changePage struct {
	Items []answer.Change
	Last  int64
}

// changesQuery returns a filter as parameters.
func changesQuery(filter store.ChangeFilter) url.Values {
	q := url.Values{"name": filter.Names}
	addRoles(q, filter.Roles)
	if runtime := cmp.Or(filter.Ref, filter.Name); runtime != "" {
		q.Set("runtime", runtime)
	}
	if filter.Since > 0 {
		q.Set("since", filter.Since.String())
	}
	if filter.Before > 0 {
		q.Set("before", number(filter.Before))
	}
	return q
}

func (s *serverSource) history(ctx context.Context, filter store.ChangeFilter) ([]answer.Change, error) {
	all := []answer.Change{}
	err := s.eachChange(ctx, filter, func(changes []answer.Change) error {
		all = append(all, changes...)
		return nil
	})
	return all, err
}

func (s *serverSource) eachChange(ctx context.Context, filter store.ChangeFilter, fn func([]answer.Change) error) error {
	for left := filter.Limit; ; left -= pageSize {
		size := pageSize
		if filter.Limit > 0 {
			size = min(size, left)
		}
		q := changesQuery(filter)
		q.Set("limit", number(size))
		page, err := answered[changePage](s.client.ListChanges(ctx, nil, with(q)))
		if err == nil && len(page.Items) > 0 {
			err = fn(page.Items)
		}
		if err != nil || len(page.Items) < size || filter.Limit > 0 && left <= size {
			return err
		}
		filter.Before = page.Items[len(page.Items)-1].ID
	}
}

// followWait is how long one request waits for a change.
const followWait = "30s"

func (s *serverSource) follow(ctx context.Context, filter store.ChangeFilter, after *int64) (iter.Seq2[answer.Change, error], error) {
	if after == nil {
		status, err := answered[struct {
			Last int64 `json:"last_change"`
		}](s.client.GetStatus(ctx))
		if err != nil {
			return nil, err
		}
		after = &status.Last
	}
	return func(yield func(answer.Change, error) bool) {
		for f := (serverFollower{s, changesQuery(filter), *after, false}); ctx.Err() == nil; {
			changes, err := f.next(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil && !yield(answer.Change{}, err):
				return
			case err != nil && !errors.Is(err, errPruned):
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
			for i := range changes {
				if !yield(changes[i], nil) {
					return
				}
			}
		}
	}, nil
}

// A serverFollower reads the changes behind an ID from a server.
type serverFollower struct {
	server *serverSource
	query  url.Values
	from   int64
	// skips reports whether deleted changes are skipped. It ends with a page that moves on and is not full.
	skips bool
}

// next returns the next changes, once there are some or a request has waited for them. Errors: errPruned, after which it
// skips what was deleted.
func (f *serverFollower) next(ctx context.Context) ([]answer.Change, error) {
	f.query.Set("from", number(f.from))
	f.query.Set("wait", followWait)
	f.query.Set("limit", number(pageSize))
	if f.query.Del("pruned"); f.skips {
		f.query.Set("pruned", "skip")
	}
	page, err := answered[changePage](f.server.client.ListChanges(ctx, nil, with(f.query)))
	var refused *refusal
	switch {
	case errors.As(err, &refused) && refused.Type == string(api.HistoryPruned) && !f.skips:
		f.skips = true
		return nil, errPruned
	case err != nil:
		return nil, err
	}
	f.skips = f.skips && (len(page.Items) == pageSize || page.Last == f.from)
	f.from = page.Last
	return page.Items, nil
}
