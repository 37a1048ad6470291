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

// DefaultSubscribeInterval is the time after which a subscription reads the history without
// a notification.
const DefaultSubscribeInterval = 2 * time.Second

const (
	subscribeBatch   = 500
	subscribeTimeout = 10 * time.Second // of one statement
	maxBackoff       = 30 * time.Second // between two attempts
)

// A SubscribeConfig configures Changes.Subscribe.
type SubscribeConfig struct {
	// Interval is the time after which the subscription reads the history without a
	// notification. Defaults to DefaultSubscribeInterval.
	Interval time.Duration
	// Listen lets Postgres wake the subscription when a change is committed; pool.Listen
	// of schema/database/pool returns such a function. Nil disables it. SQLite ignores it.
	//
	// It listens on a channel until ctx ends or the connection is lost, and returns the
	// error. It calls wake when it begins to listen and for each notification. After an
	// error it is called again, with jittered backoff.
	Listen func(ctx context.Context, channel string, wake func()) error
	// Newest saves a statement where the caller asks the database anyway. It is called before the history is read and
	// returns the ID of the newest visible change; the history is read if that is a new one, or if known is false. Nil
	// reads the history each time.
	Newest func(ctx context.Context) (id int64, known bool)
}

// Subscribe returns the changes with an id above after, each once, in the order of ids, as
// they are committed. 0 starts at the beginning and the result of Last starts now. To
// resume, pass the id of the last processed change.
//
//	for change, err := range st.Changes.Subscribe(ctx, last, store.SubscribeConfig{Listen: pool.Listen(db)}) {
//		if err != nil {
//			log.Warn("changes are late", "error", err)
//			continue
//		}
//		…
//	}
//
// Subscribe reads the table; notifications only wake it. So a lost notification loses no
// change, and an unavailable database only delays them. The loop receives an error then and
// continues with jittered backoff until it breaks or ctx ends. The end of ctx is not
// reported.
//
// If an id is missing, Subscribe holds back the changes above it until no open transaction
// can still commit it. Changes that are pruned before they are read are skipped.
//
// The Store must work on a pool, not in a transaction, and on the primary of Postgres.
func (c *Changes) Subscribe(ctx context.Context, after int64, cfg SubscribeConfig) iter.Seq2[schema.CapabilityChange, error] {
	return func(yield func(schema.CapabilityChange, error) bool) {
		s := &subscription{changes: c, cfg: cfg, last: after, woken: make(chan struct{}, 1), failed: make(chan error)}
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

// A subscription is one loop over the changes.
type subscription struct {
	changes *Changes
	cfg     SubscribeConfig
	woken   chan struct{}
	failed  chan error // errors of Listen
	last    int64      // the id of the last returned change
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
			if !yield(schema.CapabilityChange{}, err) || !s.wait(ctx, backoff(failures), yield) {
				return
			}
		case len(part) > 0: // there may be more
			failures = 0
		default:
			failures = 0
			if !s.wait(ctx, s.cfg.Interval, yield) {
				return
			}
		}
	}
}

// wait returns when the history should be read. ok is false if the loop has ended.
func (s *subscription) wait(ctx context.Context, most time.Duration, yield func(schema.CapabilityChange, error) bool) (ok bool) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.woken:
		case err := <-s.failed:
			if !yield(schema.CapabilityChange{}, fmt.Errorf("listen for changes, reading them every %v instead: %w", s.cfg.Interval, err)) {
				return false
			}
			continue
		}
		return true
	}
}

// listen wakes the subscription for each notification.
func (s *subscription) listen(ctx context.Context) {
	for failures := 1; ; failures++ {
		err := s.cfg.Listen(ctx, ChangeChannel, func() {
			failures = 0
			select {
			case s.woken <- struct{}{}:
			default: // a wake-up is pending
			}
		})
		select {
		case <-ctx.Done():
			return
		case s.failed <- err:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff(failures)):
		}
	}
}

// backoff returns the time to wait after a number of consecutive failures. It about doubles
// each time. The jitter is wide, because all clients lose the server at once.
func backoff(failures int) time.Duration {
	d := min(100*time.Millisecond<<min(failures, 16), maxBackoff)
	return d/2 + rand.N(d/2)
}

// read returns the next changes, up to the first missing id.
func (s *subscription) read(ctx context.Context) ([]schema.CapabilityChange, error) {
	if s.cfg.Newest != nil {
		if id, known := s.cfg.Newest(ctx); known && id <= s.last {
			return nil, nil
		}
	}
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
