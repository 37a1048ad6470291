package hostcmd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type runCmd struct {
	registerCmd
	HeartbeatInterval *time.Duration `help:"Time between heartbeats, in whole seconds, 1s to 1h (default: ${role}.heartbeat_interval, else ${heartbeat_interval})." env:"ATTUNE_${ROLE}_HEARTBEAT_INTERVAL" placeholder:"TIME"`
	VerifyInterval    *time.Duration `help:"Time between verifications of the runtimes, at least 1s (default: ${role}.verify_interval, else ${verify_interval})." env:"ATTUNE_${ROLE}_VERIFY_INTERVAL" placeholder:"TIME"`
	FullEvery         *int           `help:"Run all commands again in every Nth round; 1 is every round (default: ${role}.full_every, else ${full_every})." env:"ATTUNE_${ROLE}_FULL_EVERY" placeholder:"N"`
	UnconfirmedFor    *time.Duration `help:"How long to keep a runtime that can no longer be determined, at least 1s (default: ${role}.unconfirmed_for, else ${unconfirmed_for})." env:"ATTUNE_${ROLE}_UNCONFIRMED_FOR" placeholder:"TIME"`
	KeepHistory       *time.Duration `help:"How long to keep the history of gains and losses, at least 24h; 0 keeps it forever (default: ${role}.keep_history, else ${keep_history})." env:"ATTUNE_${ROLE}_KEEP_HISTORY" placeholder:"TIME"`
	IdleTimeout       *time.Duration `help:"How long to hold an idle connection; 0 returns it at once (default: database.idle_timeout, else ${idle_timeout})." env:"ATTUNE_DATABASE_IDLE_TIMEOUT" placeholder:"TIME"`
	Listen            string         `help:"Address that serves /healthz, /readyz and /metrics; without HOST, on this machine only (default: ${role}.listen, else none)." env:"ATTUNE_${ROLE}_LISTEN" placeholder:"[HOST]:PORT"`
	Takeover          bool           `help:"Take the name over from a process that still runs under it; that process ends."`

	// leveled reports whether --log-level or its variable was given.
	leveled bool
	// remembered is what this process remembers, with all its detectors.
	remembered *detect.Memory
}

// AfterApply notes whether a log level was asked for. The default of a service is info, because
// its lines show what the host gains and loses.
func (c *runCmd) AfterApply(k *kong.Context) error {
	c.leveled = slices.ContainsFunc(k.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == "log-level" })
	return nil
}

// Run runs the service until it is told to end.
func (c *runCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	if err := host.Supported(); err != nil {
		return fmt.Errorf("run a %s here: %w", role, err)
	}
	memory, err := c.memory(env, role)
	if err != nil {
		return err
	}
	c.remembered = memory
	local := localHost(env)
	now, err := c.configuration(env, role, local)
	if err != nil {
		return err
	}
	server, err := listen(ctx, env, role, now.listen)
	if err != nil {
		return err
	}
	if server.metrics != nil {
		now.cfg.Metrics = server.metrics
	}
	svc, err := service.New(now.id, now.cfg)
	if err != nil {
		server.close()
		return configError(env, role, err)
	}
	server.serve(svc, env.Log)
	defer server.close()
	r := &reloader{cmd: c, svc: svc, role: role, host: local, env: env, id: now.id, settings: c.settings(env, role, now)}
	defer onHangup(r.reload)()
	err = svc.Run(ctx)
	if errors.Is(err, store.ErrLive) {
		return liveHint(role, err)
	}
	if errors.Is(err, store.ErrTaken) {
		return takenHint(role, err)
	}
	return ownHint(now.id, err)
}

// configKeys maps fields of service.Config to their keys in the section of a role.
var configKeys = map[string]string{
	"HeartbeatInterval": "heartbeat_interval", "VerifyInterval": "verify_interval", "FullEvery": "full_every",
	"UnconfirmedFor": "unconfirmed_for", "KeepHistory": "keep_history",
}

// configError returns a usage error that names the origin of an invalid field.
func configError(env *cli.Env, role metadata.Role, err error) error {
	var wrong *service.ConfigError
	if errors.As(err, &wrong) && configKeys[wrong.Field] != "" {
		return env.Refused(string(role)+"."+configKeys[wrong.Field], errors.New(wrong.Reason))
	}
	return cli.Usagef("%v", err)
}

// A configuration is the result of flags, environment and config file.
type configuration struct {
	id     service.Identity
	cfg    service.Config
	listen string
}

// configuration reads what env says. The metrics are left to the caller.
func (c *runCmd) configuration(env *cli.Env, role metadata.Role, local *host.LocalHost) (*configuration, error) {
	id, err := c.identity(env, role)
	if err != nil {
		return nil, err
	}
	sec := section(env, role)
	keep, errK := zeroMeant(cmp.Or(c.KeepHistory, sec.KeepHistory))
	idle, errI := zeroMeant(cmp.Or(c.IdleTimeout, env.File.Database.IdleTimeout))
	beat, errB := positive(c.HeartbeatInterval, sec.HeartbeatInterval)
	verify, errV := positive(c.VerifyInterval, sec.VerifyInterval)
	full, errF := positive(c.FullEvery, sec.FullEvery)
	unconfirmed, errU := positive(c.UnconfirmedFor, sec.UnconfirmedFor)
	for _, checked := range []struct {
		key string
		err error
	}{
		{string(role) + ".keep_history", errK}, {"database.idle_timeout", errI}, {string(role) + ".heartbeat_interval", errB},
		{string(role) + ".verify_interval", errV}, {string(role) + ".full_every", errF}, {string(role) + ".unconfirmed_for", errU},
	} {
		if checked.err != nil {
			return nil, env.Refused(checked.key, checked.err)
		}
	}
	return &configuration{id: id, listen: cmp.Or(c.Listen, sec.Listen), cfg: service.Config{
		Open: func(ctx context.Context) (*service.Database, error) { return c.openService(ctx, env, role) },
		Detector: func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return c.serviceDetector(env, role, local, defs, warnings, capability.SourceDatabase)
		},
		Host:              local,
		IsPermanent:       isPermanent,
		Takeover:          c.Takeover,
		HeartbeatInterval: beat,
		VerifyInterval:    verify,
		FullEvery:         full,
		UnconfirmedFor:    unconfirmed,
		KeepHistory:       keep,
		IdleTimeout:       idle,
		Logger:            env.Log,
	}}, nil
}

// negative returns the error for a duration below zero.
func negative(value time.Duration) error {
	return fmt.Errorf("must be at least 0s, got %v", value)
}

// zeroMeant returns a duration as the service takes it: zero is the default, and a
// negative value is a zero that was written.
func zeroMeant(value *time.Duration) (time.Duration, error) {
	switch {
	case value == nil:
		return 0, nil
	case *value == 0:
		return -1, nil
	case *value < 0:
		return 0, negative(*value)
	}
	return *value, nil
}

// Logger makes the log of a service, from info upwards by default, and as JSON with
// --json.
func (c *runCmd) Logger(env *cli.Env) error {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.leveled {
		level, err := env.Level()
		if err != nil {
			return err
		}
		options.Level = level
	}
	var handler slog.Handler = slog.NewTextHandler(cli.Escaped(env.Err), options)
	if env.JSON {
		handler = slog.NewJSONHandler(cli.Escaped(env.Err), options)
	}
	env.Log = slog.New(handler)
	env.Err = cli.NewTerminal(&logWriter{log: env.Log}, true)
	return nil
}

// A logWriter writes each line that a command would print for people to the log, however
// many writes the line takes. A warning is one line.
type logWriter struct {
	log *slog.Logger

	mu   sync.Mutex
	line []byte
}

func (l *logWriter) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line = append(l.line, text...); !bytes.HasSuffix(l.line, []byte("\n")) {
		return len(text), nil
	}
	line := strings.TrimSpace(string(l.line))
	l.line = nil
	if warning, ok := strings.CutPrefix(line, "warning: "); ok {
		l.log.Warn(warning)
	} else {
		l.log.Info(line)
	}
	return len(text), nil
}

// openService opens the database for a service, and prepares the embedded file.
func (c *runCmd) openService(ctx context.Context, env *cli.Env, role metadata.Role) (*service.Database, error) {
	db, err := openToWrite(ctx, env)
	if err != nil {
		return nil, err
	}
	db.SetReportOnly(c.reportOnly(env, role))
	lost, err := lostFile(ctx, db.DB)
	if err != nil {
		_ = db.Close() // the first error is the one that counts
		return nil, err
	}
	return &service.Database{
		Definitions: db, Rows: db.Store.Workers, Guest: db.Guest(), Gone: lost, Close: db.Close, Rest: func() { pool.Rest(db.DB) },
	}, nil
}

// serviceDetector makes the detector of definitions, under this host's policy. Policy
// entries that match nothing are found by the definitions of the database only.
func (c *runCmd) serviceDetector(
	env *cli.Env, role metadata.Role, on detect.Host, defs []metadata.Definition, warnings []string, from capability.Source,
) (service.Detector, error) {
	defs, err := c.withPacks(env, defs)
	if err != nil {
		return nil, err
	}
	policy, err := c.policy(env, defs)
	if policy != nil && from == capability.SourceDatabase {
		err = errors.Join(err, mindUnmatched(env, policy, defs))
	}
	if err != nil {
		return nil, err
	}
	sec := section(env, role)
	return generated(role, defs, detect.Config{
		Host: on, Getenv: env.Getenv, Memory: c.remembered, Policy: policy, Source: from, Strict: env.Strict, Explain: true,
		Warnings: warnings, VerifyDeclared: sec.VerifyDeclared, Declared: sec.Capabilities.Runtimes,
		DeclaredAt: declaredAt(env, role), Extra: carried(sec),
	})
}

// isPermanent reports whether waiting cannot help against an error of the database.
func isPermanent(err error) bool {
	var usage *cli.UsageError
	return errors.As(err, &usage) || database.IsPermanent(err) || migrations.IsPermanent(err)
}
