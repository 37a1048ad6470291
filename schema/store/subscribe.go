package store

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/attune-go/attune/schema"
)

// DefaultSubscribeInterval is how often a subscription reads the history where
// nothing wakes it.
const DefaultSubscribeInterval = 2 * time.Second

const (
	subscribeBatch   = 500
	subscribeTimeout = 10 * time.Second // of one statement
	mostPause        = 30 * time.Second // between two attempts
)

// SubscribeConfig sets up Changes.Subscribe.
type SubscribeConfig struct {
	// Interval is how often the history is read where nothing wakes the
	// subscription. Zero is DefaultSubscribeInterval.
	Interval time.Duration
	// Listen has Postgres wake the subscription as soon as a change is committed;
	// database.Listen gives one. Nil: it does not. SQLite cannot.
	//
	// It listens on a channel until ctx ends or the connection is lost, and says
	// which. It calls wake when it begins to listen, and for each notification.
	// After an error it is called again, with jittered backoff.
	Listen func(ctx context.Context, channel string, wake func()) error
}

// Subscribe gives the changes after the one of an id, oldest first, as they are
// committed, each once; 0 is the beginning, and Last is now. Who goes on later
// passes the id of the last change that he has dealt with.
//
//	for change, err := range st.Changes.Subscribe(ctx, last, store.SubscribeConfig{Listen: database.Listen(db)}) {
//		if err != nil {
//			log.Warn("changes are late", "error", err)
//			continue
//		}
//		…
//	}
//
// It is the table that is read; notifications only say when. So none that is lost
// loses a change, and a database that is away delays them. An error says so, and is
// no end: the loop goes on when it can, with jittered backoff, unless it is left.
// ctx ends it, without an error.
//
// They come in the order of ids. Where one is missing, what is above it waits for
// the transactions that may still commit it; on Postgres these are those that write
// to the history when the gap is seen. What is pruned before it was read is not
// given.
//
// The Store is one over a pool: in a transaction little would be news. On Postgres
// it is that of the primary.
func (c *Changes) Subscribe(ctx context.Context, after int64, cfg SubscribeConfig) iter.Seq2[schema.CapabilityChange, error] {
	return func(yield func(schema.CapabilityChange, error) bool) {
		s := &subscription{changes: c, cfg: cfg, last: after, woken: make(chan struct{}, 1), deaf: make(chan error)}
		if s.cfg.Interval <= 0 {
			s.cfg.Interval = DefaultSubscribeInterval
		}
		var listener sync.WaitGroup
		defer listener.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if c.postgres && cfg.Listen != nil {
			listener.Go(func() { s.listen(ctx) })
		}
		s.run(ctx, yield)
	}
}

// subscription is one loop over the changes.
type subscription struct {
	changes *Changes
	cfg     SubscribeConfig
	woken   chan struct{}
	deaf    chan error // why it cannot listen
	last    int64      // the id of the last change that was given
	gap     gap
}

func (s *subscription) run(ctx context.Context, yield func(schema.CapabilityChange, error) bool) {
	for failures := 0; ctx.Err() == nil; {
		part, err := s.read(ctx)
		for i := range part {
			if ctx.Err() != nil || !yield(part[i], nil) {
				return
			}
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failures++
			err = fmt.Errorf("read the changes after %d: %w", s.last, err)
			if !yield(schema.CapabilityChange{}, err) || !s.wait(ctx, pause(failures), yield) {
				return
			}
		case len(part) > 0: // perhaps there are more
			failures = 0
		default:
			failures = 0
			if !s.wait(ctx, s.cfg.Interval, yield) {
				return
			}
		}
	}
}

// wait ends when the history is to be read; not ok when the loop was left.
func (s *subscription) wait(ctx context.Context, most time.Duration, yield func(schema.CapabilityChange, error) bool) (ok bool) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.woken:
		case err := <-s.deaf:
			if !yield(schema.CapabilityChange{}, fmt.Errorf("listen for changes; reading them every %v: %w", s.cfg.Interval, err)) {
				return false
			}
			continue
		}
		return true
	}
}

// listen has notifications wake the subscription.
func (s *subscription) listen(ctx context.Context) {
	for failures := 1; ; failures++ {
		err := s.cfg.Listen(ctx, ChangeChannel, func() {
			failures = 0
			select {
			case s.woken <- struct{}{}:
			default: // it is to wake already
			}
		})
		select {
		case <-ctx.Done():
			return
		case s.deaf <- err:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause(failures)):
		}
	}
}

// pause is how long to wait after so many failures in a row: each time about
// twice as long. It differs widely, as all have lost the same server.
func pause(failures int) time.Duration {
	d := min(100*time.Millisecond<<min(failures, 16), mostPause)
	return d/2 + rand.N(d/2)
}

// read gives the next changes of which none before is missing.
func (s *subscription) read(ctx context.Context) ([]schema.CapabilityChange, error) {
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	for {
		rows, err := s.changes.After(ctx, s.last, subscribeBatch)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		n := len(rows)
		if s.changes.postgres { // SQLite has one writer at a time
			n = s.gap.before(s.last, rows)
		}
		if n > 0 {
			s.last = rows[n-1].ID
			return rows[:n], nil
		}
		writers, err := s.changes.writers(ctx)
		if err != nil || !s.gap.closed(rows[len(rows)-1].ID, writers) {
			return nil, err
		}
	}
}
