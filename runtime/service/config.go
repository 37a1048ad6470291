package service

import (
	"cmp"
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

// Definitions reads the definitions to detect; *store.Store is one.
type Definitions interface {
	// BoundedDefinitions returns the definitions, and what is left out, which becomes a
	// warning.
	BoundedDefinitions(ctx context.Context) ([]metadata.Definition, store.Omission, error)
}

// A Marker is a Definitions that reports changes without reading all definitions;
// *store.Store is one.
type Marker interface {
	// DefinitionsMark returns a text that changes with the definitions, or "" if only
	// reading them shows a change.
	DefinitionsMark(ctx context.Context) (string, error)
}

// A Stater returns the state of the definitions, so that documents need not name every runtime
// that the host does not have; *store.Store is one.
type Stater interface {
	DefinitionsState(ctx context.Context) (capability.Definitions, error)
}

// Rows keeps the row of a worker and its capabilities; *store.Workers is one.
type Rows interface {
	Registrar
	ByIdentity(ctx context.Context, role metadata.Role, name string) (*schema.Worker, error)
	Report(ctx context.Context, id int64, instance string, caps store.Capabilities) ([]schema.CapabilityChange, error)
	Heartbeat(ctx context.Context, id int64, instance string) (store.Beat, error)
	Deactivate(ctx context.Context, id int64, instance string) error
	SweepBatch(ctx context.Context, every time.Duration, span store.HeartbeatSpan) (swept []store.InactiveWorker, more bool, err error)
	Prune(ctx context.Context, every, keep time.Duration) (int, error)
}

var (
	_ Definitions = (*store.Store)(nil)
	_ Marker      = (*store.Store)(nil)
	_ Stater      = (*store.Store)(nil)
	_ Rows        = (*store.Workers)(nil)
)

// A Database is an open database whose schema this program can use.
type Database struct {
	Definitions Definitions
	Rows        Rows
	// Guest reports that a platform owns the tables, in which the service has the
	// identity's GuestName.
	Guest bool
	// Rest closes idle connections until the next use; pool.Rest does. Nil keeps them
	// open.
	Rest func()
	// Gone returns why the database will never come back, such as a removed file, or nil.
	// The service calls it after each use that the database did not answer, with the error
	// or nil, and ends with the error that it returns. Nil means that the database may
	// always come back.
	Gone func(error) error
	// Close closes all connections. Nil closes nothing.
	Close func() error
}

// A Detector finds the capabilities of the host; *detect.Detector is one.
type Detector interface {
	Detect(ctx context.Context) (*capability.Document, error)
}

// A PartialDetector is a Detector that reports results as they arrive; *detect.Detector is
// one. The previous results of open runtimes stay valid meanwhile. A detection ends early if
// the cause of its context's end is detect.ErrSuperseded.
type PartialDetector interface {
	DetectInParts(ctx context.Context, tell func(soFar *capability.Document, open []string)) (*capability.Document, error)
}

// A Rememberer is a Detector that does not start commands again while none of their files
// changed; *detect.Detector is one. The service makes it forget before each regular full round
// and for each refresh.
type Rememberer interface {
	// Forget makes the next detection start every command.
	Forget()
}

var (
	_ PartialDetector = (*detect.Detector)(nil)
	_ Rememberer      = (*detect.Detector)(nil)
)

// The defaults of a Config.
const (
	DefaultHeartbeatInterval = 10 * time.Second
	DefaultVerifyInterval    = time.Minute
	DefaultFullEvery         = 10
	DefaultUnconfirmedFor    = 15 * time.Minute
	DefaultStatementTimeout  = 5 * time.Second
	DefaultIdleTimeout       = time.Second
	DefaultKeepHistory       = 90 * 24 * time.Hour
)

// A Config configures a Service. Open, Detector and Host are required.
type Config struct {
	// Open opens the database and checks its schema.
	Open func(ctx context.Context) (*Database, error)
	// Detector makes a detector for definitions, under the host's policy. Its documents
	// should contain the attempts (detect.Config.Explain) and begin their warnings with the
	// given ones (detect.Config.Warnings).
	Detector func(defs []metadata.Definition, warnings []string) (Detector, error)
	// Host is the machine on which the detector works.
	Host Host

	// IsPermanent reports whether waiting cannot help against an error of the database, as
	// migrations.IsPermanent and database.IsPermanent do. The service ends with such an error,
	// and with store.ErrNoTables, until it has registered once; later Database.Gone decides.
	// Nil waits for everything else.
	IsPermanent func(error) bool
	// Takeover takes the row from an instance that runs. By default the service waits until
	// that instance has missed store.Missed of its heartbeat intervals.
	Takeover bool
	// HeartbeatInterval is in whole seconds, an hour at most. Defaults to
	// DefaultHeartbeatInterval.
	HeartbeatInterval time.Duration
	// VerifyInterval is the time between verifications of the host. Defaults to
	// DefaultVerifyInterval.
	VerifyInterval time.Duration
	// FullEvery makes one in this many rounds verify in full, even if no file changed.
	// Defaults to DefaultFullEvery.
	FullEvery int
	// UnconfirmedFor is how long an installation is kept that could no longer be
	// determined. Defaults to DefaultUnconfirmedFor.
	UnconfirmedFor time.Duration
	// KeepHistory is how long changes are kept, at least a day. The newest change of each
	// runtime of a worker always stays. Among services that share a database the shortest
	// time counts. Defaults to DefaultKeepHistory; negative keeps everything.
	KeepHistory time.Duration
	// StatementTimeout limits each use of the database. A connection that exceeds it is
	// closed. Defaults to DefaultStatementTimeout.
	StatementTimeout time.Duration
	// IdleTimeout is the longest time for which idle connections are kept. If the next use
	// is later, Database.Rest closes them at once. Defaults to DefaultIdleTimeout; negative
	// always closes them.
	IdleTimeout time.Duration
	// Instance identifies this process. Defaults to the host's name, the process id and a
	// random text.
	Instance string
	// Logger receives a line for every change. Nil disables logging.
	Logger *slog.Logger
	// Metrics receives measurements; package prometheusmetrics implements it. Nil disables
	// metrics.
	Metrics Metrics
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
	// Random returns numbers in [0,1) for jitter. Defaults to math/rand.
	Random func() float64
}

// A ConfigError describes a field of a Config with an invalid value.
type ConfigError struct {
	Field  string
	Reason string // as in "must be at least 1s, got 100ms"
}

func (e *ConfigError) Error() string { return "service: Config." + e.Field + " " + e.Reason }

// withDefaults returns the configuration with its defaults, or an error if it is invalid.
func (c Config) withDefaults() (Config, error) {
	if c.Open == nil || c.Detector == nil || c.Host == nil {
		return c, &ConfigError{"Open, Detector and Host", "are required"}
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	return c.defaults(), nil
}

// Check returns a ConfigError for the first field with an invalid value. It does not
// require Open, Detector and Host.
func (c Config) Check() error {
	c = c.defaults()
	for _, d := range []struct {
		name         string
		value, least time.Duration
	}{
		{"HeartbeatInterval", c.HeartbeatInterval, time.Second},
		{"VerifyInterval", c.VerifyInterval, time.Second},
		{"UnconfirmedFor", c.UnconfirmedFor, time.Second},
		{"StatementTimeout", c.StatementTimeout, time.Millisecond},
		{"KeepHistory", c.KeepHistory, 24 * time.Hour},
	} {
		if d.value < d.least && (d.name != "KeepHistory" || d.value > 0) {
			return &ConfigError{d.name, fmt.Sprintf("must be at least %v, got %v", d.least, d.value)}
		}
	}
	if c.HeartbeatInterval%time.Second != 0 || c.HeartbeatInterval > time.Hour {
		return &ConfigError{"HeartbeatInterval", fmt.Sprintf("must be whole seconds and at most 1h, got %v", c.HeartbeatInterval)}
	}
	if c.FullEvery < 1 {
		return &ConfigError{"FullEvery", fmt.Sprintf("must be at least 1, got %d", c.FullEvery)}
	}
	return nil
}

// defaults returns the configuration with its defaults.
func (c Config) defaults() Config {
	c.HeartbeatInterval = cmp.Or(c.HeartbeatInterval, DefaultHeartbeatInterval)
	c.VerifyInterval = cmp.Or(c.VerifyInterval, DefaultVerifyInterval)
	c.UnconfirmedFor = cmp.Or(c.UnconfirmedFor, DefaultUnconfirmedFor)
	c.StatementTimeout = cmp.Or(c.StatementTimeout, DefaultStatementTimeout)
	c.KeepHistory = cmp.Or(c.KeepHistory, DefaultKeepHistory)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.FullEvery = cmp.Or(c.FullEvery, DefaultFullEvery)
	if c.IsPermanent == nil {
		c.IsPermanent = func(err error) bool { return errors.Is(err, store.ErrNoTables) }
	}
	if c.Instance == "" {
		name, _ := os.Hostname()
		c.Instance = fmt.Sprintf("%.200s-%d-%s", name, os.Getpid(), rand.Text()[:10])
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = mathrand.Float64
	}
	return c
}
