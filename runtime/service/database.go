package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// away is what is known of a database that does not answer.
type away struct {
	since    *time.Time // nil: it answers
	failures int
	retryAt  time.Time
	// least and most bound the time between two attempts.
	least, most time.Duration
}

// delay is how long to wait after so many failures, before jitter.
func (a *away) delay() time.Duration {
	d := a.least
	for range min(a.failures-1, 16) {
		d = min(2*d, a.most)
	}
	return max(min(d, a.most), a.least)
}

// remindEvery so many failures there is a line about one.
const remindEvery = 30

// reachable reports whether the database may be asked: it answered the last
// time, or the time for another attempt has come.
func (s *Service) reachable() bool {
	return s.away.since == nil || s.due(s.away.retryAt)
}

// uses are what the database is asked for.
var uses = []string{"open", "read definitions", "read the row", "register", "report", "heartbeat", "sweep", "prune"}

// ask makes one use of the database, bounded in time. What the database answers
// with a sentinel of the store is an answer; anything else means that it is
// away. Only an error of the first kind is returned; ok says that there was no
// error at all.
func (s *Service) ask(ctx context.Context, doing string, use func(context.Context) error) (ok bool, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, s.cfg.StatementTimeout,
		fmt.Errorf("no answer within %v", s.cfg.StatementTimeout))
	defer cancel()
	err = use(bounded)
	if s.db != nil && s.db.Gone != nil && !answered(err) && ctx.Err() == nil {
		s.gone = s.db.Gone(err)
	}
	if err == nil {
		s.back()
		return true, nil
	}
	if ctx.Err() != nil || s.gone != nil {
		return false, nil // we leave; whatever failed did so for that
	}
	if answered(err) {
		s.back()
		return false, err
	}
	if cause := context.Cause(bounded); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	s.cfg.Metrics.databaseErrors.WithLabelValues(doing).Inc()
	if !s.ever && s.cfg.Hopeless(err) {
		return false, err
	}
	s.missed(doing, err)
	return false, nil
}

// answered reports whether an error is what a database that is there says.
func answered(err error) bool {
	for _, sentinel := range []error{store.ErrNotFound, store.ErrInvalid, store.ErrLive, store.ErrSuperseded} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// missed notes that the database is away.
func (s *Service) missed(doing string, err error) {
	now := s.cfg.Now()
	s.away.failures++
	// Widely: a whole fleet waits for the same database.
	s.away.retryAt = now.Add(time.Duration(float64(s.away.delay()) * (0.5 + s.cfg.Random())))
	attrs := []any{"doing", doing, "error", err, "again_in", s.away.retryAt.Sub(now).Round(time.Millisecond)}
	if s.away.since == nil {
		s.away.since = &now
		s.log.Warn("the database cannot be used for now; what this host has is kept, and said when it can", attrs...)
		return
	}
	level := slog.LevelDebug
	if s.away.failures%remindEvery == 0 {
		level = slog.LevelWarn // perhaps for another reason by now
	}
	s.log.Log(context.Background(), level, "the database still cannot be used", attrs...)
}

// back notes that the database answers.
func (s *Service) back() {
	if s.away.since != nil {
		s.log.Info("the database can be used again", "away_for", s.cfg.Now().Sub(*s.away.since).Round(time.Millisecond))
	}
	s.away.since, s.away.failures = nil, 0
}

// rest gives connections back where none is needed soon: a server has few of them,
// and a fleet is large.
func (s *Service) rest(next time.Time) {
	if s.db != nil && s.db.Rest != nil && next.Sub(s.cfg.Now()) > s.cfg.IdleTimeout {
		s.db.Rest()
	}
}

// open opens the database, once: from then on its pool finds the way back.
func (s *Service) open(ctx context.Context) error {
	if s.db != nil || !s.reachable() {
		return nil
	}
	_, err := s.ask(ctx, "open", func(ctx context.Context) error {
		db, err := s.cfg.Open(ctx)
		if err == nil {
			s.db = db
		}
		return err
	})
	return err
}
