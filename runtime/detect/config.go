package detect

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Config sets up a Detector. Its zero value detects for a worker on the local
// host under the default policy.
type Config struct {
	// Role on whose behalf the host is asked. Zero is metadata.Worker.
	Role metadata.Role
	// Host to detect on. Nil is the machine this program runs on.
	Host Host
	// Policy decides which commands may run. Nil is mode standard without trusted
	// commands; generated detectors set one that trusts theirs and the core pack's.
	Policy *host.Policy
	// Getenv reads the environment variable of the first tier, named by
	// EnvironmentVariable. Nil is os.Getenv.
	Getenv func(name string) string
	// Declared are the runtimes that the config file declares, the second tier.
	// Nil is unset; an empty list declares that there are none.
	Declared []string
	// Extra are the other keys of the config file's capabilities; they are
	// carried into the document. Nil is none. One that the document has itself
	// is left out, with a warning.
	Extra map[string]json.RawMessage
	// Warnings begin those of each document: what was known before. Nil is none.
	Warnings []string
	// VerifyDeclared: a declared list only restricts what is verified. Zero
	// trusts it as written.
	VerifyDeclared bool
	// Strict: a declared name that no definition of the role has is an error.
	// Zero keeps it, with a warning.
	Strict bool
	// Explain: the document holds every attempt with its evidence. Zero leaves
	// them out.
	Explain bool
	// Source is where the definitions come from, SourceDatabase or SourcePack.
	// Zero is SourceDatabase.
	Source capability.Source
	// Parallelism is how many commands run at a time, not counting those that take
	// longer than a second; with them it is five times as many at most. Zero is
	// DefaultParallelism.
	Parallelism int
	// Timeout bounds a whole detection; what is not finished by then ends as
	// Timeout. Zero is DefaultTimeout.
	Timeout time.Duration
	// Logger gets a line for each warning, and at debug level for each attempt.
	// Nil logs nothing.
	Logger *slog.Logger
	// Now is the clock that dates the document. Nil is time.Now.
	Now func() time.Time
	// Progress is told when the verification of a runtime begins and ends, by
	// one goroutine at a time; it must not block. Nil tells nobody.
	Progress func(Progress)
}

// Progress is the beginning or the end of one runtime's verification.
type Progress struct {
	Ref  string
	Name string
	// Outcome is empty at the beginning.
	Outcome capability.Outcome
	// Finished of Total runtimes have ended.
	Finished, Total int
}

// DefaultTimeout bounds a whole detection.
const DefaultTimeout = 60 * time.Second

// DefaultParallelism is how many commands run at a time: two for each
// processor, since a probe waits for files about as long as it computes, and at
// least four.
func DefaultParallelism() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// ErrConfig says that a Config cannot be honoured.
var ErrConfig = errors.New("detector is set up wrongly")

// EnvironmentVariable is the variable that declares the runtimes of a role.
func EnvironmentVariable(role metadata.Role) string {
	if role == metadata.Sensor {
		return "ATTUNE_SENSOR_RUNTIMES"
	}
	return "ATTUNE_WORKER_RUNTIMES"
}

// withDefaults checks the config and fills in what it leaves out.
func (c Config) withDefaults() (Config, error) {
	switch c.Role {
	case "":
		c.Role = metadata.Worker
	case metadata.Worker, metadata.Sensor:
	default:
		return c, fmt.Errorf("%w: role is %q; it is %q or %q", ErrConfig, c.Role, metadata.Worker, metadata.Sensor)
	}
	switch c.Source {
	case "":
		c.Source = capability.SourceDatabase
	case capability.SourceDatabase, capability.SourcePack:
	default:
		return c, fmt.Errorf("%w: source is %q; it is %q or %q", ErrConfig, c.Source, capability.SourceDatabase, capability.SourcePack)
	}
	if c.Parallelism < 0 || c.Timeout < 0 {
		return c, fmt.Errorf("%w: parallelism is %d and timeout %v; neither may be negative", ErrConfig, c.Parallelism, c.Timeout)
	}
	for key, value := range c.Extra {
		if !json.Valid(value) {
			return c, fmt.Errorf("%w: capabilities.%s is not JSON", ErrConfig, key)
		}
	}
	if c.Host == nil {
		c.Host = host.Local(host.LocalConfig{})
	}
	if c.Policy == nil {
		c.Policy = StandardPolicy(nil)
	}
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	if c.Parallelism == 0 {
		c.Parallelism = DefaultParallelism()
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	return c, nil
}
