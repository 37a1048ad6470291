package api

import (
	"context"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// longestWait is the longest time for which a request may wait.
const longestWait = time.Minute

// ListWorkerHistory implements the operation listWorkerHistory.
func (a *API) ListWorkerHistory(
	ctx context.Context, r server.ListWorkerHistoryRequestObject,
) (server.ListWorkerHistoryResponseObject, error) {
	if err := a.exists(ctx, r.Id); err != nil {
		return nil, err
	}
	filter, err := a.filter(ctx, r.Params.Runtime, r.Params.Since)
	if err != nil {
		return nil, err
	}
	filter.Worker = r.Id
	list, err := a.history(ctx, filter, r.Params.Limit, r.Params.After)
	return server.ListWorkerHistory200JSONResponse(list), err
}

// filter returns the filter that parameters make.
func (a *API) filter(ctx context.Context, runtime, since string) (f store.ChangeFilter, err error) {
	if runtime != "" {
		term, err := a.term(ctx, "runtime", runtime, false)
		switch {
		case err != nil:
			return f, err
		case term.Constraint != nil:
			return f, wrong("runtime", "must be a runtime without versions, got %.100q", runtime)
		}
		f.Ref, f.Name = term.Ref, term.Name
	}
	if since != "" {
		if f.Since, err = answer.ParseSpan(since); err != nil || f.Since <= 0 {
			return f, wrong("since", "must be a time such as 1h or 7d, got %.100q", since)
		}
	}
	return f, nil
}

// history returns a page of the history, newest first.
func (a *API) history(ctx context.Context, filter store.ChangeFilter, limit int, after string) (list server.ChangeList, err error) {
	c := callOf(ctx)
	if limit, err = limitOf(c, limit); err != nil {
		return list, err
	}
	if before, err := c.number(after); err != nil {
		return list, err
	} else if before > 0 {
		filter.Before = before
	}
	filter.Limit = limit + 1
	changes, err := answer.History(ctx, a.store, filter)
	if err != nil {
		return list, err
	}
	if len(changes) > limit {
		changes = changes[:limit]
		list.Next = c.next(strconv.FormatInt(changes[limit-1].ID, 10))
	}
	for i := range changes {
		changes[i].Detail = c.withoutOutput(changes[i].Detail)
	}
	list.Items = changes
	if err := c.tag(list.Items, list.Next); err != nil {
		return list, err
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// ListChanges implements the operation listChanges.
func (a *API) ListChanges(ctx context.Context, r server.ListChangesRequestObject) (server.ListChangesResponseObject, error) {
	c, p := callOf(ctx), r.Params
	bounded, cancel := a.bounded(ctx)
	defer cancel()
	filter, err := a.filter(bounded, p.Runtime, p.Since)
	if err != nil {
		return nil, err
	}
	filter.Names = p.Name
	for _, role := range p.Role {
		filter.Roles = append(filter.Roles, metadata.Role(role))
	}
	streams := accepts(c.request.Header.Values("Accept"), "text/event-stream")
	from, err := fromOf(c, p)
	if err != nil {
		return nil, err
	}
	if p.Pruned != "" && from == nil {
		return nil, wrong("pruned", "must be given with from or Last-Event-ID")
	}
	if !streams && from == nil && p.Wait == "" {
		if filter.Before = p.Before; filter.Before < 0 {
			return nil, wrong("before", "must be at least 1, got %d", p.Before)
		}
		list, err := a.history(bounded, filter, p.Limit, p.After)
		return server.ListChanges200JSONResponse(list), err
	}
	var wait time.Duration
	if p.Wait != "" {
		if wait, err = answer.ParseSpan(p.Wait); err != nil || wait <= 0 || wait > longestWait {
			return nil, wrong("wait", "must be a time of at most %v, got %.100q", longestWait, p.Wait)
		}
	}
	for name, given := range map[string]bool{"since": p.Since != "", "after": p.After != "", "before": p.Before != 0} {
		if given {
			return nil, wrong(name, "cannot be given with from, wait or a stream")
		}
	}
	f, err := a.follow(ctx, filter, from, p.Pruned == server.Skip)
	if err != nil {
		return nil, err
	}
	if streams {
		done, err := a.open(c)
		if err != nil {
			return nil, err
		}
		s := &stream{follower: f, call: c, done: done}
		if slices.Contains(p.Include, server.ListChangesParamsIncludeStatus) {
			next, unwatch, err := a.hub.standings.watch(bounded)
			if err != nil {
				done()
				return nil, err
			}
			s.statuses, s.nextStatus, s.done = a.hub.standings, next, func() { unwatch(); done() }
		}
		return s, nil
	}
	return a.listFrom(ctx, f, wait, p.Limit)
}

// open counts a stream or a waiting request of the principal until done is called.
func (a *API) open(c *call) (done func(), err error) {
	closed := a.limiter.open(c.principal.Name)
	if closed == nil {
		return nil, &problem{kind: TooManyRequests, detail: "too many streams and waiting requests are open"}
	}
	a.metrics.streams.Inc()
	return func() {
		closed()
		a.metrics.streams.Dec()
	}, nil
}

// fromOf returns the ID to go on behind, or nil.
func fromOf(c *call, p server.ListChangesParams) (*int64, error) {
	query, header := c.request.URL.Query().Has("from"), c.request.Header.Get("Last-Event-ID") != ""
	id := p.From
	if header { // a browser sends it when it connects again, with the same from
		id = p.LastEventID
	}
	switch {
	case !query && !header:
		return nil, nil
	case id < 0:
		return nil, wrong("from", "must be at least 0, got %d", id)
	}
	return &id, nil
}

// accepts reports whether a client asks for a type by name. A quality of 0 refuses it.
func accepts(accept []string, kind string) bool {
	for _, value := range accept {
		for one := range strings.SplitSeq(value, ",") {
			name, parameters, err := mime.ParseMediaType(one)
			if err != nil || name != kind {
				continue
			}
			if quality, given := parameters["q"]; given {
				if q, err := strconv.ParseFloat(quality, 64); err != nil || q <= 0 {
					continue
				}
			}
			return true
		}
	}
	return false
}

// listFrom returns the changes of a follower, oldest first, once there is one or the time to wait
// has passed.
func (a *API) listFrom(ctx context.Context, f *follower, wait time.Duration, limit int) (server.ListChangesResponseObject, error) {
	c := callOf(ctx)
	limit, err := limitOf(c, limit)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		done, err := a.open(c)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	check, until := nextCheck(), time.Now().Add(wait)
	list := server.ListChanges200JSONResponse{Items: []answer.Change{}}
	for len(list.Items) < limit {
		b, err := f.read(ctx)
		switch {
		case err != nil:
			return nil, err
		case b.reset:
			return nil, &problem{kind: HistoryPruned, detail: "read the state again and follow from its id"}
		}
		for i := range b.changes {
			b.changes[i].Detail = c.withoutOutput(b.changes[i].Detail)
		}
		list.Items = append(list.Items, b.changes...)
		if !b.more && (len(list.Items) > 0 || !a.waitMore(ctx, &b.view, check, until)) {
			break
		}
		if !time.Now().Before(check) {
			check = nextCheck()
			if err := a.mayStill(c); err != nil {
				return nil, err
			}
		}
	}
	if wait > 0 { // the token may have ended meanwhile
		if err := a.mayStill(c); err != nil {
			return nil, err
		}
	}
	list.Last = f.last
	if len(list.Items) > limit {
		list.Items = list.Items[:limit]
		list.Last = list.Items[limit-1].ID
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// waitMore waits until there may be changes, or until the principal is asked for again. It
// returns false at the end of the time, of ctx or of the hub.
func (a *API) waitMore(ctx context.Context, v *view, check, until time.Time) bool {
	if v.wait(ctx, min(time.Until(until), time.Until(check))) {
		return true
	}
	select {
	case <-v.done:
		return false
	default:
		return ctx.Err() == nil && time.Now().Before(until)
	}
}
