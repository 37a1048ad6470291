package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

// groupsFor is how long counts by group are new, because they read the whole fleet. Changes of capabilities are
// seen at once; changes of labels, and of workers without runtimes, later.
const groupsFor = 10 * time.Second

// maxGroups bounds the remembered answers. There is one for each label.
const maxGroups = 100

// A groupsCache remembers counts by group.
type groupsCache struct {
	mu   sync.Mutex
	held map[string]*heldGroups
	// counting is held while the database counts, so that it counts one thing at a time.
	counting sync.Mutex
}

// heldGroups are the newest counts by one thing.
type heldGroups struct {
	// counts is nil until they were counted once.
	counts *answer.GroupCounts
	// change is the change that the hub had reached when they began, and until the time up to which they are new.
	change       int64
	began, until time.Time
	// next is the count that runs. It is nil if none does.
	next *groupCount
}

// A groupCount is a count that runs.
type groupCount struct {
	done chan struct{}
	// err is set when done is closed.
	err error
}

// groupCounts returns the counts by group and their age. If old ones will do, it returns those that are remembered, and
// new ones are counted for later calls. Errors: those of answer.CountGroups.
func (a *API) groupCounts(ctx context.Context, by string, oldWillDo bool) (counts *answer.GroupCounts, age time.Duration, err error) {
	v, err := a.hub.after(0)
	if err != nil { // nobody follows the changes, so that nothing says when they are old
		counts, err := answer.CountGroups(ctx, a.store, by)
		return counts, 0, err
	}
	for {
		a.groups.mu.Lock()
		held := a.groups.of(by)
		fresh := held.counts != nil && held.change >= v.last && time.Now().Before(held.until)
		if !fresh && held.next == nil {
			held.next = &groupCount{done: make(chan struct{})}
			go a.countGroups(ctx, v.done, by, held, held.next)
		}
		counts, age, next := held.counts, time.Since(held.began), held.next
		a.groups.mu.Unlock()
		if fresh || oldWillDo && counts != nil {
			return counts, age, nil
		}
		select {
		case <-next.done:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		if next.err != nil {
			return nil, 0, next.err
		}
	}
}

// of returns what is remembered by one thing.
func (c *groupsCache) of(by string) *heldGroups {
	held := c.held[by]
	if held == nil {
		if c.held == nil || len(c.held) >= maxGroups {
			c.held = map[string]*heldGroups{}
		}
		held = &heldGroups{}
		c.held[by] = held
	}
	return held
}

// countGroups counts by one thing. It does not end with the request for which it began, but with the hub.
func (a *API) countGroups(ctx context.Context, ended <-chan struct{}, by string, held *heldGroups, next *groupCount) {
	ctx, cancel := a.bounded(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	a.groups.counting.Lock()
	defer a.groups.counting.Unlock()
	began := time.Now()
	var counts *answer.GroupCounts
	v, err := a.hub.after(0) // what changes from here on needs another count
	if err == nil {
		counts, err = answer.CountGroups(ctx, a.store, by)
	}
	a.groups.mu.Lock()
	defer a.groups.mu.Unlock()
	if held.next, next.err = nil, err; err == nil {
		held.counts, held.change, held.began, held.until = counts, v.last, began, time.Now().Add(groupsFor)
	}
	close(next.done)
}

// countAhead counts what pages show first, so that their first reader does not wait for it.
func (a *API) countAhead(ctx context.Context) {
	asking, cancel := a.bounded(ctx)
	defer cancel()
	var sample []answer.WorkerItem
	q := answer.ListQuery{Labels: true, Limit: defaultLimit}
	_, err := answer.ListWorkers(asking, a.store, q, func(workers []answer.WorkerItem) error {
		sample = append(sample, workers...)
		return nil
	})
	for _, by := range slices.Compact([]string{answer.GroupBy(answer.LabelsOf(sample)), "role"}) {
		if err == nil {
			_, _, err = a.groupCounts(asking, by, true)
		}
	}
	if err != nil && ctx.Err() == nil {
		a.cfg.Logger.WarnContext(ctx, "groups were not counted ahead", "error", err)
	}
}

// takesOld reports whether a request takes an old answer, by RFC 9111.
func takesOld(r *http.Request) bool {
	for _, value := range r.Header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "max-stale") {
				return true
			}
		}
	}
	return false
}
