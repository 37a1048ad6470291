package service

import (
	"context"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Settle steps until no round runs, and returns the result of the last step.
func (s *Service) Settle(ctx context.Context) (time.Time, error) {
	for {
		next, err := s.Step(ctx)
		if err != nil || s.verification.running == nil {
			return next, err
		}
		r := <-s.verification.results
		s.verification.results <- r
	}
}

// Leave ends the service as Run does.
func (s *Service) Leave(ctx context.Context) {
	s.leave(ctx)
	s.close()
}

// Away reports whether the database did not answer the last time.
func (s *Service) Away() bool { return s.connection.outage.since != nil }

// BeatAt returns the time at which the next heartbeat is due.
func (s *Service) BeatAt() time.Time { return s.registration.nextBeat }

// Unchanged runs a full round and returns a function that reports whether anything has
// changed since.
func Unchanged(ctx context.Context, d Detector, h Host, defs []metadata.Definition) func() bool {
	k := definitionSet{detector: d, watch: watchOf(defs)}
	first := (&round{definitionSet: k, host: h, full: true}).run(ctx)
	files := filesOf(first.caps)
	return func() bool {
		again := (&round{definitionSet: k, host: h, seen: first.seen, files: files}).run(ctx)
		return again.err == nil && again.caps == nil
	}
}

// Confirm calls confirm with the current files.
func Confirm(before, found *capability.Document, at time.Time, keep time.Duration) *capability.Document {
	return confirm(before, found, confirmation{at: at, keep: keep, files: lookFor(host.Local(host.LocalConfig{}), before), patient: true})
}

// InParts runs a full round and passes tell its partial documents.
func InParts(ctx context.Context, d Detector, h Host, tell func(*capability.Document)) {
	r := round{definitionSet: definitionSet{detector: d}, host: h, full: true, before: &capability.Document{}}
	r.report = func(part roundResult) { tell(part.caps) }
	r.run(ctx)
}
