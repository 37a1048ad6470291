package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Definitions reads what is to be detected; *store.Store does.
type Definitions interface {
	// BoundedDefinitions returns the definitions, and what is left out of them,
	// which becomes a warning.
	BoundedDefinitions(ctx context.Context) ([]metadata.Definition, store.LeftOut, error)
}

// Rows keeps the row of a worker, and what its host has; *store.Workers does.
type Rows interface {
	Registrar
	ByIdentity(ctx context.Context, role metadata.Role, name string) (*schema.Worker, error)
	Report(ctx context.Context, id int64, instance string, caps store.Capabilities) ([]schema.CapabilityChange, error)
	Heartbeat(ctx context.Context, id int64, instance string) (store.Beat, error)
	Deactivate(ctx context.Context, id int64, instance string) error
	Sweep(ctx context.Context, every time.Duration, watch store.HeartbeatSpan) ([]store.Swept, error)
	Prune(ctx context.Context, every, keep time.Duration) (int, error)
}

var (
	_ Definitions = (*store.Store)(nil)
	_ Rows        = (*store.Workers)(nil)
)

// Database is an open database whose schema this program can use.
type Database struct {
	Definitions Definitions
	Rows        Rows
	// Rest gives connections back that nobody uses, until the next one is needed;
	// database.Rest does. Nil: they are kept.
	Rest func()
	// Gone is asked after each use that did not fail by an answer, with its error or
	// nil, and returns why the database does not come back, whatever is waited: its file
	// was removed. The service ends with that. Nil: it may always come back.
	Gone func(error) error
	// Close gives all connections back. Nil: nothing to close.
	Close func() error
}

// Detector finds what the host has; *detect.Detector is one.
type Detector interface {
	Detect(ctx context.Context) (*capability.Document, error)
}

// Gradual are Detectors that tell of what they have found before all is finished;
// *detect.Detector is one. Of what is open, what was known counts meanwhile. A
// detection by one ends early where its context is done for detect.ErrSuperseded.
type Gradual interface {
	DetectInParts(ctx context.Context, tell func(soFar *capability.Document, open []string)) (*capability.Document, error)
}

var _ Gradual = (*detect.Detector)(nil)

// Defaults of a Config.
const (
	DefaultHeartbeatInterval = 10 * time.Second
	DefaultVerifyInterval    = time.Minute
	DefaultFullEvery         = 10
	DefaultUnconfirmedFor    = 15 * time.Minute
	DefaultStatementTimeout  = 5 * time.Second
	DefaultIdleTimeout       = time.Second
	DefaultKeepHistory       = 90 * 24 * time.Hour
)

// Config sets up a Service. The first three fields are required.
type Config struct {
	// Open opens the database and checks its schema.
	Open func(ctx context.Context) (*Database, error)
	// Detector makes a detector of definitions, under the policy of the host. Its
	// documents should hold the attempts (detect.Config.Explain) and begin their
	// warnings with those given (detect.Config.Warnings).
	Detector func(defs []metadata.Definition, warnings []string) (Detector, error)
	// Host is the machine that the detector asks.
	Host Host

	// Hopeless tells the errors of the database with which waiting does not
	// help; until the service is registered it ends with them. Nil is none. What ends it
	// later is up to Database.Gone.
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
	// KeepHistory is how long changes are kept, a day at least; the newest of each
	// runtime of a worker always is. Of services that share a database the one that
	// keeps them for the shortest time decides. Zero is DefaultKeepHistory; less
	// keeps all.
	KeepHistory time.Duration
	// StatementTimeout bounds every use of the database; the connection is
	// thrown away then. Zero is DefaultStatementTimeout.
	StatementTimeout time.Duration
	// IdleTimeout is for how long at most connections are held for which nothing is
	// to do: where the next thing is due later, they are given back at once
	// (Database.Rest). Zero is DefaultIdleTimeout; less always gives them back.
	IdleTimeout time.Duration
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
		{"heartbeat interval (heartbeat_interval)", &c.HeartbeatInterval, DefaultHeartbeatInterval, time.Second},
		{"verify interval (verify_interval)", &c.VerifyInterval, DefaultVerifyInterval, time.Second},
		{"time for which what is unconfirmed is kept (unconfirmed_for)", &c.UnconfirmedFor, DefaultUnconfirmedFor, time.Second},
		{"statement timeout", &c.StatementTimeout, DefaultStatementTimeout, time.Millisecond},
		{"time for which history is kept (keep_history)", &c.KeepHistory, DefaultKeepHistory, 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < d.least && (d.value != &c.KeepHistory || c.KeepHistory > 0) {
			return c, fmt.Errorf("service: the %s is %v, and has to be %v at least", d.name, *d.value, d.least)
		}
	}
	if c.HeartbeatInterval%time.Second != 0 || c.HeartbeatInterval > time.Hour {
		return c, fmt.Errorf("service: the heartbeat interval (heartbeat_interval) is %v; it is whole seconds, an hour at most", c.HeartbeatInterval)
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = DefaultIdleTimeout
	}
	if c.FullEvery == 0 {
		c.FullEvery = DefaultFullEvery
	}
	if c.FullEvery < 1 {
		return c, fmt.Errorf("service: every %d rounds (full_every) cannot be a full one; 1 is each of them", c.FullEvery)
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
