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

// A Config sets up a Detector. Its zero value detects for a worker on the local
// host under the default policy.
type Config struct {
	// Role selects the definitions: those that allow it. Defaults to metadata.Worker.
	Role metadata.Role
	// Host is the machine to detect on. Defaults to the one this program runs on.
	Host Host
	// Policy decides which commands may run. Defaults to mode standard without
	// trusted commands. Generated detectors trust the commands of their packs.
	Policy *host.Policy
	// Getenv reads the variable that EnvironmentVariable names, the first tier.
	// Defaults to os.Getenv.
	Getenv func(name string) string
	// Declared lists the runtimes that the config file declares, the second tier.
	// Nil is unset. An empty list declares a host without runtimes.
	Declared []string
	// DeclaredAt names the place of Declared in messages. Defaults to
	// worker.capabilities.runtimes, or the sensor's key.
	DeclaredAt string
	// Extra holds the other keys of the config file's capabilities, which are copied
	// into the document. A key that the document itself uses is left out, with a
	// warning.
	Extra map[string]json.RawMessage
	// Warnings are put before the warnings of each document.
	Warnings []string
	// VerifyDeclared verifies declared runtimes. Otherwise the declaration is trusted
	// as written.
	VerifyDeclared bool
	// Strict makes a declared name an error if no definition of the role has it.
	// Otherwise the name is kept, with a warning.
	Strict bool
	// Explain includes every attempt with its evidence in the document.
	Explain bool
	// Source is the origin of the definitions: SourceDatabase or SourcePack. Defaults
	// to SourceDatabase.
	Source capability.Source
	// Parallelism is the number of commands that run at a time. A command that takes
	// longer than a second does not count; five times as many run at most. Defaults
	// to DefaultParallelism.
	Parallelism int
	// Timeout bounds a whole detection. Runtimes that are unfinished by then end as
	// Timeout. Defaults to DefaultTimeout.
	Timeout time.Duration
	// Memory remembers the answers of commands on this machine. Nil starts every command.
	Memory *Memory
	// Logger gets each warning, and each attempt at debug level. Nil disables it.
	Logger *slog.Logger
	// Now is the clock that dates the document. Defaults to time.Now.
	Now func() time.Time
	// Progress is called at the beginning and the end of each runtime's verification,
	// by one goroutine at a time. It must not block. Nil disables it.
	Progress func(Progress)
}

// Progress is the beginning or the end of one runtime's verification.
type Progress struct {
	Ref  string
	Name string
	// Outcome is empty at the beginning.
	Outcome capability.Outcome
	// Finished counts the runtimes that have ended, and Total all of them.
	Finished, Total int
}

// DefaultTimeout bounds a whole detection.
const DefaultTimeout = 60 * time.Second

// DefaultParallelism returns twice the number of processors, and at least four. A
// probe waits for files about as long as it computes.
func DefaultParallelism() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// ErrConfig is wrapped by New's error about a Config that cannot be used.
var ErrConfig = errors.New("invalid detector config")

// EnvironmentVariable returns the name of the variable that declares a role's
// runtimes.
func EnvironmentVariable(role metadata.Role) string {
	if role == metadata.Sensor {
		return "ATTUNE_SENSOR_RUNTIMES"
	}
	return "ATTUNE_WORKER_RUNTIMES"
}

// withDefaults checks the config and fills in the defaults.
func (c Config) withDefaults() (Config, error) {
	switch c.Role {
	case "":
		c.Role = metadata.Worker
	case metadata.Worker, metadata.Sensor:
	default:
		return c, fmt.Errorf("%w: role must be %q or %q, got %q", ErrConfig, metadata.Worker, metadata.Sensor, c.Role)
	}
	switch c.Source {
	case "":
		c.Source = capability.SourceDatabase
	case capability.SourceDatabase, capability.SourcePack:
	default:
		return c, fmt.Errorf("%w: source must be %q or %q, got %q", ErrConfig, capability.SourceDatabase, capability.SourcePack, c.Source)
	}
	if c.Parallelism < 0 {
		return c, fmt.Errorf("%w: parallelism must be at least 0, got %d", ErrConfig, c.Parallelism)
	}
	if c.Timeout < 0 {
		return c, fmt.Errorf("%w: timeout must be at least 0s, got %v", ErrConfig, c.Timeout)
	}
	for key, value := range c.Extra {
		if !json.Valid(value) {
			return c, fmt.Errorf("%w: capabilities.%s must be JSON", ErrConfig, key)
		}
	}
	if c.Host == nil {
		if err := host.Supported(); err != nil {
			return c, fmt.Errorf("detect on this host: %w", err)
		}
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
