package service

import (
	"errors"
	"fmt"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// A health is the state of a service as other goroutines see it.
type health struct {
	stepped, next time.Time // the last step, and when the next is due
	registered    bool
	beat          time.Time // the last heartbeat that arrived
	due           time.Time // the next heartbeat; before the first, the start of the service
	lag           time.Duration
}

func (b *base) noteStep(now, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health.stepped, b.health.next = now, next
}

// noteBeat notes that a heartbeat arrived with a lag, and when the next one is due.
func (b *base) noteBeat(now time.Time, lag time.Duration, due time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health.beat, b.health.lag, b.health.due = now, max(lag, 0), due
}

// lag returns how long a heartbeat is overdue, or else how late the last one was.
func (b *base) lag() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.cfg.Now().Sub(b.health.due), b.health.lag)
}

func (b *base) noteRegistered(registered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health.registered = registered
}

// stuckAfter is the number of statement timeouts by which a step may be late. A step uses the
// database several times, each up to the timeout.
const stuckAfter = 10

// Healthy returns nil while the service works, whether or not the database is available. An
// error means that a restart may help.
func (s *Service) Healthy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late := s.cfg.Now().Sub(s.health.next); late > stuckAfter*s.cfg.StatementTimeout {
		return fmt.Errorf("service stuck: a step was due %v ago", late.Round(time.Second))
	}
	return nil
}

// Ready returns nil while the row is registered and heartbeats arrive, so that work can be
// sent here.
func (s *Service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.health.registered {
		return errors.New("not registered")
	}
	if age := s.cfg.Now().Sub(s.health.beat); age > store.Missed*s.cfg.HeartbeatInterval {
		return fmt.Errorf("the last heartbeat arrived %v ago", age.Round(time.Second))
	}
	return nil
}
