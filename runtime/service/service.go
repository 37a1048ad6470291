package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Service keeps the row of a worker or sensor true for as long as it runs. It is
// a state machine: Step does what is due and says when the next thing is. One
// goroutine at a time may step it; Refresh, Reload and the answers of Health may
// be called from any.
type Service struct {
	id  Identity
	cfg Config
	log *slog.Logger

	db       *Database
	away     away
	row      *schema.Worker // nil: not registered, or not any more
	tried    bool           // it was registered, or might be
	ever     bool           // it was registered once
	gone     error          // why the database does not come back
	waiting  *waiting       // another instance has the name
	refresh  *time.Time     // the last request that was seen
	beatAt   time.Time
	streak   streak
	pruneAt  time.Time
	verifyAt time.Time

	known  known                // the definitions that are detected
	caps   *capability.Document // what the host has; nil until it is known
	was    *capability.Document // what the row said before this process knew better
	unsaid bool                 // caps are not in the database yet
	rounds int                  // since the last full one
	force  bool                 // the next round is a full one
	seen   fingerprint
	doubt  doubt
	// proven are the settings before those that the host was not verified by yet;
	// nil: it was.
	proven  *settings
	running *running // nil: no round runs
	results chan roundResult
	wake    chan struct{}

	mu     sync.Mutex   // guards what follows
	asked  bool         // Refresh was called
	given  *settings    // Reload was
	soFar  *roundResult // what the round that runs has found so far
	health health
}

// New makes a service of an identity. It does nothing before it is run.
func New(id Identity, cfg Config) (*Service, error) {
	if id.Name == "" || (id.Role != metadata.Worker && id.Role != metadata.Sensor) {
		return nil, fmt.Errorf("service: %q is not a name, or %q neither %s nor %s", id.Name, id.Role, metadata.Worker, metadata.Sensor)
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{
		id: id, cfg: cfg, log: cfg.Logger.With("role", id.Role, "name", id.Name),
		results: make(chan roundResult, 1), wake: make(chan struct{}, 1),
	}
	s.away.least, s.away.most = time.Second, cfg.HeartbeatInterval
	s.noteStep(cfg.Now(), cfg.Now())
	s.health.due = cfg.Now()
	lag := s.lag
	cfg.Metrics.lag.Store(&lag)
	hangs := func() int { return len(cfg.Host.Hanging()) }
	cfg.Metrics.hangs.Store(&hangs)
	return s, nil
}

// Refresh makes the service verify in full now. It may be called at any time.
func (s *Service) Refresh() {
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	s.stir()
}

// stir ends the pause between two steps.
func (s *Service) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run steps the service until ctx is done, and then makes the row inactive. An
// end that was asked for is no error.
//
// Errors: one that wraps store.ErrLive where another instance lives under the
// name, or has taken it; what Database.Gone returns; before the service is registered,
// also those that Hopeless tells, and those of the configuration.
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

// pause waits until something is due, or happens.
func (s *Service) pause(ctx context.Context, next time.Time) {
	timer := time.NewTimer(next.Sub(s.cfg.Now()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.wake:
	case r := <-s.results:
		s.results <- r // Step takes it; nobody else sends before
	}
}

// Step does everything that is due, in this order, and returns when the next
// thing is. An error ends the service.
func (s *Service) Step(ctx context.Context) (next time.Time, err error) {
	for _, do := range []func(context.Context) error{s.collect, s.reload, s.open, s.startRound, s.register, s.report, s.beat, s.sweep, s.prune} {
		if err := cmp.Or(do(ctx), s.gone); err != nil {
			return time.Time{}, err
		}
	}
	next = s.next()
	s.rest(next)
	s.noteStep(s.cfg.Now(), next)
	return next, nil
}

// next is when something is due.
func (s *Service) next() time.Time {
	far := s.cfg.Now().Add(time.Hour)
	soonest := func(at time.Time) {
		if at.Before(far) {
			far = at
		}
	}
	if s.away.since != nil {
		soonest(s.away.retryAt)
	}
	if s.waiting != nil {
		soonest(s.waiting.next)
	}
	if s.running == nil && s.db != nil && s.canStart() {
		soonest(s.verifyAt)
	}
	if s.row != nil && s.away.since == nil {
		soonest(s.beatAt)
		soonest(s.pruneAt)
	}
	return far
}

// jittered is about d: between nine and eleven tenths of it.
func (s *Service) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*s.cfg.Random()))
}

func (s *Service) due(at time.Time) bool { return !s.cfg.Now().Before(at) }
