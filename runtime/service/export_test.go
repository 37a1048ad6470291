package service

import (
	"context"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
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

// Unchanged makes a full round, and gives one that looks whether anything has
// changed since.
func Unchanged(ctx context.Context, d Detector, h Host, defs []metadata.Definition) func() bool {
	k := known{detector: d, watch: watchOf(defs)}
	first := (&round{known: k, host: h, full: true}).run(ctx)
	files := filesOf(first.caps)
	return func() bool {
		again := (&round{known: k, host: h, seen: first.seen, files: files}).run(ctx)
		return again.err == nil && again.caps == nil
	}
}

// Confirm is confirm for what is there now.
func Confirm(before, found *capability.Document, at time.Time, keep time.Duration) *capability.Document {
	return confirm(before, found, confirmation{at: at, keep: keep, files: lookFor(host.Local(host.LocalConfig{}), before), patient: true})
}

// InParts makes a full round, and gives tell the documents that come before its end.
func InParts(ctx context.Context, d Detector, h Host, tell func(*capability.Document)) {
	r := round{known: known{detector: d}, host: h, full: true, before: &capability.Document{}}
	r.tell = func(soFar roundResult) { tell(soFar.caps) }
	r.run(ctx)
}
