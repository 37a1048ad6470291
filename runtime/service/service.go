package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Definitions reads what is to be detected; *store.Store does.
type Definitions interface {
	Definitions(ctx context.Context) ([]metadata.Definition, error)
}

// Rows keeps the row of a worker, and what its host has; *store.Workers does.
type Rows interface {
	Registrar
	ByIdentity(ctx context.Context, role metadata.Role, name string) (*schema.Worker, error)
	Report(ctx context.Context, id int64, instance string, caps store.Capabilities) ([]schema.CapabilityChange, error)
	Heartbeat(ctx context.Context, id int64, instance string) (store.Beat, error)
	Deactivate(ctx context.Context, id int64, instance string) error
	Sweep(ctx context.Context, every time.Duration) ([]store.Swept, error)
}

var (
	_ Definitions = (*store.Store)(nil)
	_ Rows        = (*store.Workers)(nil)
)

// Database is an open database whose schema this program can use.
type Database struct {
	Definitions Definitions
	Rows        Rows
	// Close gives its connections back. Nil: nothing to close.
	Close func() error
}

// Detector finds what the host has; *detect.Detector is one.
type Detector interface {
	Detect(ctx context.Context) (*detect.Capabilities, error)
}

// Defaults of a Config.
const (
	DefaultHeartbeatInterval = 10 * time.Second
	DefaultVerifyInterval    = time.Minute
	DefaultFullEvery         = 10
	DefaultUnconfirmedFor    = 15 * time.Minute
	DefaultStatementTimeout  = 5 * time.Second
)

// Config sets up a Service. The first three fields are required.
type Config struct {
	// Open opens the database and checks its schema.
	Open func(ctx context.Context) (*Database, error)
	// Detector makes a detector of definitions, under the policy of the host. Its
	// documents should hold the attempts (detect.Config.Explain).
	Detector func(defs []metadata.Definition) (Detector, error)
	// Host is the machine that the detector asks.
	Host Host

	// Hopeless tells the errors of the database with which waiting does not
	// help; until the service is registered it ends with them. Nil is none.
	Hopeless func(error) bool
	// Takeover takes the row from an instance that is alive. Zero waits until it
	// is not, for up to store.Missed of its heartbeat intervals.
	Takeover bool
	// HeartbeatInterval is in whole seconds. Zero is DefaultHeartbeatInterval.
	HeartbeatInterval time.Duration
	// VerifyInterval is how often the host is verified again. Zero is
	// DefaultVerifyInterval.
	VerifyInterval time.Duration
	// FullEvery: of so many rounds one verifies in full, whether or not any file
	// changed. Zero is DefaultFullEvery.
	FullEvery int
	// UnconfirmedFor is how long an installation is kept of which the host cannot
	// tell any more. Zero is DefaultUnconfirmedFor.
	UnconfirmedFor time.Duration
	// StatementTimeout bounds every use of the database; the connection is
	// thrown away then. Zero is DefaultStatementTimeout.
	StatementTimeout time.Duration
	// Instance tells this process from the next. Empty is one made up of the
	// host's name, the process id and chance.
	Instance string
	// Logger gets a line for every change. Nil logs nothing.
	Logger *slog.Logger
	// Metrics count what happens. Nil counts nothing.
	Metrics *Metrics
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Random gives numbers in [0,1), for jitter. Nil is math/rand.
	Random func() float64
}

func (c Config) withDefaults() (Config, error) {
	if c.Open == nil || c.Detector == nil || c.Host == nil {
		return c, errors.New("service: Open, Detector and Host are required")
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
		least time.Duration
	}{
		{"heartbeat interval", &c.HeartbeatInterval, DefaultHeartbeatInterval, time.Second},
		{"verify interval", &c.VerifyInterval, DefaultVerifyInterval, time.Second},
		{"time for which what is unconfirmed is kept", &c.UnconfirmedFor, DefaultUnconfirmedFor, time.Second},
		{"statement timeout", &c.StatementTimeout, DefaultStatementTimeout, time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < d.least {
			return c, fmt.Errorf("service: the %s is %v, and has to be %v at least", d.name, *d.value, d.least)
		}
	}
	if c.HeartbeatInterval%time.Second != 0 || c.HeartbeatInterval > time.Hour {
		return c, fmt.Errorf("service: the heartbeat interval is %v; it is whole seconds, an hour at most", c.HeartbeatInterval)
	}
	if c.FullEvery == 0 {
		c.FullEvery = DefaultFullEvery
	}
	if c.FullEvery < 1 {
		return c, fmt.Errorf("service: every %d rounds cannot be a full one; 1 is each of them", c.FullEvery)
	}
	if c.Hopeless == nil {
		c.Hopeless = func(error) bool { return false }
	}
	if c.Instance == "" {
		name, _ := os.Hostname()
		c.Instance = fmt.Sprintf("%.200s-%d-%s", name, os.Getpid(), rand.Text()[:10])
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = mathrand.Float64
	}
	return c, nil
}

// Service keeps the row of a worker or sensor true for as long as it runs. It is
// a state machine: Step does what is due and says when the next thing is. One
// goroutine at a time may step it; Refresh and the answers of Health may be
// called from any.
type Service struct {
	id  Identity
	cfg Config
	log *slog.Logger

	db       *Database
	away     away
	row      *schema.Worker // nil: not registered, or not any more
	ever     bool           // it was registered once
	waiting  *waiting       // another instance has the name
	refresh  *time.Time     // the last request that was seen
	beatAt   time.Time
	sweepAt  time.Time
	verifyAt time.Time

	known  known                // the definitions that are detected
	caps   *detect.Capabilities // what the host has; nil until it is known
	was    *detect.Capabilities // what the row said before this process knew better
	unsaid bool                 // caps are not in the database yet
	rounds int                  // since the last full one
	force  bool                 // the next round is a full one
	seen   fingerprint
	// sameDefs are the definitions by which caps were found.
	sameDefs [sha256.Size]byte
	doubt    doubt
	running  context.CancelFunc // a round runs
	results  chan roundResult
	wake     chan struct{}

	mu     sync.Mutex // guards what follows
	asked  bool       // Refresh was called
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
	return s, nil
}

// Refresh makes the service verify in full now. It may be called at any time.
func (s *Service) Refresh() {
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run steps the service until ctx is done, and then makes the row inactive. An
// end that was asked for is no error.
//
// Errors: one that wraps store.ErrLive where another instance lives under the
// name, store.ErrSuperseded where one has taken it; before the service is
// registered, also those that Hopeless tells, and those of the configuration.
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
	for _, do := range []func(context.Context) error{s.collect, s.open, s.startRound, s.register, s.report, s.beat, s.sweep} {
		if err := do(ctx); err != nil {
			return time.Time{}, err
		}
	}
	next = s.next()
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
		soonest(s.sweepAt)
	}
	return far
}

// jittered is about d: between nine and eleven tenths of it.
func (s *Service) jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*s.cfg.Random()))
}

func (s *Service) due(at time.Time) bool { return !s.cfg.Now().Before(at) }

// leave is the last word: nothing runs on, and the row is inactive.
func (s *Service) leave(ctx context.Context) {
	if s.running != nil {
		s.running()
		<-s.results
		s.running = nil
	}
	if s.row == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.StatementTimeout)
	defer cancel()
	err := s.db.Rows.Deactivate(ctx, s.row.ID, s.cfg.Instance)
	switch {
	case err == nil:
		s.log.Info("the row is inactive", "row", s.row.ID)
	case errors.Is(err, store.ErrSuperseded), errors.Is(err, store.ErrNotFound):
		s.log.Info("the row is not ours any more", "reason", err)
	default:
		s.log.Error("the row could not be made inactive; it will be, as its heartbeats end", "error", err)
	}
	s.row = nil
	s.noteRegistered(false)
}

func (s *Service) close() {
	if s.db != nil && s.db.Close != nil {
		if err := s.db.Close(); err != nil {
			s.log.Warn("close the database", "error", err)
		}
	}
}
