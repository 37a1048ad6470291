package service

import (
	"context"
	"time"
)

// Settle steps until no round runs any more, and gives what the last step gave.
func (s *Service) Settle(ctx context.Context) (time.Time, error) {
	for {
		next, err := s.Step(ctx)
		if err != nil || s.running == nil {
			return next, err
		}
		r := <-s.results
		s.results <- r
	}
}

// Leave ends the service as Run does.
func (s *Service) Leave(ctx context.Context) {
	s.leave(ctx)
	s.close()
}

// Away reports whether the database did not answer the last time.
func (s *Service) Away() bool { return s.away.since != nil }

// BeatAt is when the next heartbeat is due.
func (s *Service) BeatAt() time.Time { return s.beatAt }
