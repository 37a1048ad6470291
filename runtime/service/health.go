package service

import (
	"errors"
	"fmt"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/store"
)

// health is what is known of the service from outside its loop.
type health struct {
	stepped, next time.Time // the last step, and when the next was to be
	registered    bool
	beat          time.Time // the last heartbeat that arrived
	due           time.Time // the next one; at first, when the service began
	lag           time.Duration
}

func (s *Service) noteStep(now, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.stepped, s.health.next = now, next
}

// noteBeat notes that a heartbeat arrived, so late, and when the next one is due.
func (s *Service) noteBeat(now time.Time, lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.beat, s.health.lag, s.health.due = now, max(lag, 0), s.beatAt
}

// lag is how long a heartbeat is overdue; where none is, how late the last one was.
func (s *Service) lag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.cfg.Now().Sub(s.health.due), s.health.lag)
}

func (s *Service) noteRegistered(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health.registered = is
}

// stuck is how much later than due a step may come: a step makes a handful of
// uses of the database, each of which may take its time.
const stuckAfter = 10

// Healthy is nil while the service is at work, be the database there or not; an
// error means that restarting it may help.
func (s *Service) Healthy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late := s.cfg.Now().Sub(s.health.next); late > stuckAfter*s.cfg.StatementTimeout {
		return fmt.Errorf("the service does nothing: something was due %v ago", late.Round(time.Second))
	}
	return nil
}

// Hanging returns the places of the host that do not answer. They are no reason to
// restart the service: it would find them again.
func (s *Service) Hanging() []host.Hang { return s.cfg.Host.Hanging() }

// Ready is nil while the row is registered and beats: work can be sent here.
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
