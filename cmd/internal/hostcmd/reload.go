package hostcmd

import (
	"cmp"
	"os"
	"os/signal"
	"reflect"
	"syscall"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// reloader reads the config file of a running service again.
type reloader struct {
	cmd  *runCmd
	svc  *service.Service
	role metadata.Role
	host *host.LocalHost
	env  *cli.Env
	// name under which it is registered.
	name string
	// told is what counts.
	told []told
}

// reload reads the file again, and has the service go by it and verify in full.
// What cannot be used leaves what was read before.
func (r *reloader) reload() {
	env := *r.env
	next, err := r.read(&env)
	if err == nil {
		id := next.id
		id.Name = r.name
		if err = r.svc.Reload(id, next.cfg); err != nil {
			err = configError(r.role, err)
		}
	}
	if err != nil {
		r.env.Log.Error("the config file cannot be used; what was read before is", "error", err)
		r.svc.Refresh()
		return
	}
	for _, w := range env.File.Warnings {
		r.env.Log.Warn("config file", "warning", w)
	}
	changed, later := r.compare(r.cmd.told(&env, r.role, next))
	r.env.Log.Info("the config file was read again; verifying in full", "file", cmp.Or(env.File.Path, "none"), "changed", changed)
	if later != nil {
		r.env.Log.Warn("what is changed here counts from the next start on", "keys", later)
	}
}

// read reads the file into env, and tries what can be tried before it counts.
func (r *reloader) read(env *cli.Env) (*configuration, error) {
	file, err := env.ReadConfig(true)
	if err != nil {
		return nil, err
	}
	env.File = file
	next, err := r.cmd.configuration(env, r.role, r.host)
	if err != nil {
		return nil, err
	}
	_, err = r.cmd.serviceDetector(env, r.role, r.host, core.Definitions(), nil, capability.SourcePack)
	return next, err
}

// compare takes over what is told now, but for what is fixed, and names the keys
// of both.
func (r *reloader) compare(now []told) (changed, later []string) {
	for i, is := range now {
		was := &r.told[i]
		switch {
		case reflect.DeepEqual(was.value, is.value):
		case is.fixed:
			later = append(later, is.key)
		default:
			changed = append(changed, is.key)
			*was = is
		}
	}
	return changed, later
}

// told is a key of the config file and what was said of it there, or by what wins
// over it.
type told struct {
	key   string
	value any
	// fixed: it counts from the start of a process to its end.
	fixed bool
}

func (c *runCmd) told(env *cli.Env, role metadata.Role, now *configuration) []told {
	sec, file, prefix := section(env, role), env.File, string(role)+"."
	rest := map[string]any{}
	for key, value := range sec.Capabilities.Extra {
		rest[key] = string(value)
	}
	return []told{
		{"database.url", env.URL(), true},
		{"database.schema", cmp.Or(env.Schema, file.Database.Schema), true},
		{"database.idle_timeout", now.cfg.IdleTimeout, false},
		{prefix + "name", now.id.Name, true},
		{prefix + "type", now.id.Type, false},
		{prefix + "host", now.id.Host, false},
		{prefix + "port", now.id.Port, false},
		{prefix + config.LabelsKey, sec.Labels, false},
		{prefix + config.MaxConcurrentKey, sec.MaxConcurrentExecutions, false},
		{prefix + "capabilities.runtimes", sec.Capabilities.Runtimes, false},
		{prefix + "capabilities", rest, false},
		{prefix + "verify_declared", sec.VerifyDeclared, false},
		{prefix + "heartbeat_interval", now.cfg.HeartbeatInterval, false},
		{prefix + "verify_interval", now.cfg.VerifyInterval, false},
		{prefix + "full_every", now.cfg.FullEvery, false},
		{prefix + "unconfirmed_for", now.cfg.UnconfirmedFor, false},
		{prefix + "keep_history", now.cfg.KeepHistory, false},
		{prefix + "listen", now.listen, true},
		{"policy.mode", cmp.Or(c.PolicyMode, file.Policy.Mode), false},
		{"policy.allow", file.Policy.Allow, false},
		{"policy.deny", file.Policy.Deny, false},
		{"policy.env", file.Policy.Env, false},
		{"policy.trusted_packs", file.Policy.TrustedPacks, false},
	}
}

// onHangup calls reload at each SIGHUP, until the function it returns is called.
func onHangup(reload func()) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
				reload()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(signals); close(done) }
}
