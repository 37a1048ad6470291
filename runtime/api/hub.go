package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// followEvery is the time between two looks at the history. A look is one statement, whatever the number of streams: with the
// tokens and the sessions of streams, less than five in a second. Where streams show statuses, some looks read the statuses too.
const followEvery = 225 * time.Millisecond

// kept is the number of changes in memory. Streams that are further behind read the database.
const kept = 1000

// A hub follows the changes for all streams of an API.
type hub struct {
	changes   *store.Changes
	standings *standings
	log       *slog.Logger
	// within bounds what it asks the database.
	within time.Duration
	// watched is the time of the last look at the statuses.
	watched time.Time
	// begun is called in the background when the hub follows. Nil calls nothing.
	begun func(context.Context)

	mu sync.Mutex
	// following is nil unless run follows the changes.
	following *following
	running   bool
}

// A following is what a hub knows while it follows.
type following struct {
	// recent has the newest changes, and all with an ID above floor.
	recent []schema.CapabilityChange
	floor  int64
	// last is the ID up to which the hub has followed.
	last int64
	// news is closed and replaced when changes arrive.
	news chan struct{}
	// done is closed at the end.
	done chan struct{}
}

func newHub(st *store.Store, log *slog.Logger, within time.Duration) *hub {
	return &hub{changes: st.Changes, standings: &standings{workers: st.Workers}, log: log, within: within}
}

// errRuns means that Run was called twice.
var errRuns = errors.New("the API runs already")

// run follows the changes until ctx ends.
func (h *hub) run(ctx context.Context) error {
	h.mu.Lock()
	if h.running {
		h.mu.Unlock()
		return errRuns
	}
	h.running = true
	h.mu.Unlock()
	defer h.end()
	last, ok := h.begin(ctx)
	if !ok {
		return nil
	}
	h.mu.Lock()
	h.following = &following{floor: last, last: last, news: make(chan struct{}), done: make(chan struct{})}
	h.mu.Unlock()
	var background sync.WaitGroup
	defer background.Wait()
	if h.begun != nil {
		background.Go(func() { h.begun(ctx) })
	}
	for change, err := range h.changes.Subscribe(ctx, last, store.SubscribeConfig{Interval: followEvery, Newest: h.watch}) {
		if err != nil {
			h.log.WarnContext(ctx, "changes are late", "error", err)
			continue
		}
		h.publish(&change)
	}
	return nil
}

// watch looks at the statuses of workers if it is time for that, and returns the ID of the newest change then.
func (h *hub) watch(ctx context.Context) (newest int64, known bool) {
	if time.Since(h.watched) < standingEvery {
		return 0, false
	}
	h.watched = time.Now()
	asking, cancel := context.WithTimeout(ctx, min(h.within, standingWithin))
	defer cancel()
	changed, last, err := h.standings.look(asking)
	switch {
	case err != nil && ctx.Err() == nil:
		h.log.WarnContext(ctx, "statuses are late", "error", err)
	case changed:
		h.mu.Lock()
		h.following.wake()
		h.mu.Unlock()
	}
	if last == nil {
		return 0, false
	}
	return *last, true
}

// begin returns the ID of the newest change. It returns false if ctx ends before the database
// answers.
func (h *hub) begin(ctx context.Context) (last int64, ok bool) {
	for {
		asking, cancel := context.WithTimeout(ctx, h.within)
		last, err := h.changes.Last(asking)
		cancel()
		switch {
		case ctx.Err() != nil:
			return 0, false
		case err == nil:
			return last, true
		}
		h.log.WarnContext(ctx, "changes cannot be followed yet", "error", err)
		select {
		case <-ctx.Done():
			return 0, false
		case <-time.After(time.Second):
		}
	}
}

// end ends the streams.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.following != nil {
		close(h.following.done)
	}
	h.following, h.running = nil, false
}

// publish adds a change.
func (h *hub) publish(c *schema.CapabilityChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.following
	f.recent = append(f.recent, *c)
	if len(f.recent) > 2*kept {
		f.floor = f.recent[kept-1].ID
		f.recent = append([]schema.CapabilityChange(nil), f.recent[kept:]...)
	}
	f.last = c.ID
	f.wake()
}

// wake tells the followers that there is news.
func (f *following) wake() {
	close(f.news)
	f.news = make(chan struct{})
}

// A view is what a hub has for one follower.
type view struct {
	// changes has the changes behind the follower's ID, oldest first. They are missing if
	// covered is false.
	changes []schema.CapabilityChange
	covered bool
	last    int64
	// news is closed when there are more, and done when the hub ends.
	news, done <-chan struct{}
}

// errNotFollowing means that nobody follows the changes.
var errNotFollowing = &problem{kind: Unavailable, detail: "the server does not follow the changes"}

// after returns the changes behind an ID. Errors: errNotFollowing.
func (h *hub) after(id int64) (view, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.following
	if f == nil {
		return view{}, errNotFollowing
	}
	v := view{covered: id >= f.floor, last: f.last, news: f.news, done: f.done}
	for i := len(f.recent) - 1; v.covered && i >= -1; i-- {
		if i < 0 || f.recent[i].ID <= id {
			v.changes = f.recent[i+1:]
			break
		}
	}
	return v, nil
}
