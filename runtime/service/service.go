// Package service registers a worker or sensor with its capabilities and keeps the row
// true while it runs. Worker and sensor are the same service with different roles.
//
// A Service consists of three parts: the connection to the database, the verification of
// the host, and the registration of its row. Each part uses only the ones before it.
package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// A Service keeps the row of a worker or sensor true while it runs. It is a state machine:
// Step does what is due and returns when the next thing is. Only one goroutine at a time may
// step it. Refresh, Reload, Healthy, Ready and Hanging may be called at any time.
// New returns one; its zero value cannot be used.
type Service struct {
	*base
	connection   *connection
	verification *verification
	registration *registration

	pending *settings // set by Reload and guarded by mu; nil without a pending change
	detach  func()    // detaches the service from the metrics
}

// A base holds what all parts of a service share.
type base struct {
	log  *slog.Logger
	wake chan struct{}

	mu sync.Mutex // guards all below against other goroutines than the one that steps
	settings
	health health
}

// settings are the identity and configuration of a service.
type settings struct {
	id  Identity
	cfg Config
}

// New returns a service for an identity. It does nothing until it runs.
func New(id Identity, cfg Config) (*Service, error) {
	if id.Name == "" {
		return nil, fmt.Errorf("service: Identity.Name must not be empty")
	}
	if id.Role != metadata.Worker && id.Role != metadata.Sensor {
		return nil, fmt.Errorf("service: Identity.Role must be %s or %s, got %q", metadata.Worker, metadata.Sensor, id.Role)
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &base{settings: settings{id, cfg}, log: cfg.Logger.With("role", id.Role, "name", id.Name), wake: make(chan struct{}, 1)}
	c := &connection{base: b, required: true}
	v := &verification{base: b, connection: c, results: make(chan roundResult, 1)}
	s := &Service{base: b, connection: c, verification: v, registration: &registration{base: b, connection: c, verification: v}}
	b.noteStep(cfg.Now(), cfg.Now())
	b.health.due = cfg.Now()
	s.detach = cfg.Metrics.Attach(b.lag, func() int { return len(cfg.Host.Hanging()) })
	return s, nil
}

// Refresh makes the service verify in full at once.
func (s *Service) Refresh() { s.verification.refresh() }

// Hanging returns the places of the host that do not answer. Restarting the service does not
// help against them.
func (s *Service) Hanging() []host.Hang { return s.cfg.Host.Hanging() }

// Run steps the service until ctx is done, then marks the row inactive and returns nil.
//
// It returns early with an error that wraps store.ErrLive if another instance runs under the
// name or has taken it over, and with the error of Database.Gone. Before the first
// registration it also returns errors for which Config.IsPermanent reports true, and those
// of the configuration.
func (s *Service) Run(ctx context.Context) error {
	defer s.close()
	for ctx.Err() == nil {
		next, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			s.leave(ctx)
			return err
		}
		s.pause(ctx, next)
	}
	s.leave(ctx)
	return nil
}

// pause waits until something is due or happens.
func (s *Service) pause(ctx context.Context, next time.Time) {
	timer := time.NewTimer(next.Sub(s.cfg.Now()))
	defer timer.Stop()
	results := s.verification.results
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.wake:
	case r := <-results:
		results <- r // Step takes it; no other round can send before
	}
}

// Step performs everything that is due and returns when the next thing is. After an error
// the service must not be stepped again.
func (s *Service) Step(ctx context.Context) (next time.Time, err error) {
	c, v, r := s.connection, s.verification, s.registration
	for _, do := range []func(context.Context) error{
		s.collect, s.reload, c.open, v.start, r.register, r.report, r.beat, r.sweep, r.prune,
	} {
		if err := cmp.Or(do(ctx), c.lost); err != nil {
			return time.Time{}, err
		}
	}
	next = s.next()
	c.rest(next)
	s.noteStep(s.cfg.Now(), next)
	return next, nil
}

// next returns the time at which something is due, at most an hour from now.
func (s *Service) next() time.Time {
	next := s.cfg.Now().Add(time.Hour)
	soonest := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	outage := &s.connection.outage
	if outage.since != nil {
		soonest(outage.retryAt)
	}
	if v := s.verification; v.running == nil && s.connection.db != nil && v.canStart() {
		soonest(v.nextRound)
	}
	r := s.registration
	if r.waiting != nil {
		soonest(r.waiting.next)
	}
	if r.row != nil && outage.since == nil {
		soonest(r.nextBeat)
		soonest(r.nextPrune)
		if r.streak.sweeping {
			soonest(s.cfg.Now())
		}
	}
	return next
}

// leave ends the running round and marks the row inactive.
func (s *Service) leave(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	s.verification.stop()
	s.registration.deactivate(ctx)
}

func (s *Service) close() {
	s.detach()
	s.connection.close()
}

// stir ends the pause between two steps.
func (b *base) stir() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// jittered returns between nine and eleven tenths of d.
func (b *base) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*b.cfg.Random()))
}

func (b *base) due(at time.Time) bool { return !b.cfg.Now().Before(at) }
