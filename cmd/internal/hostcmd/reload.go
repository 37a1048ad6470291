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

// A reloader reads the config file of a running service again.
type reloader struct {
	cmd  *runCmd
	svc  *service.Service
	role metadata.Role
	host *host.LocalHost
	env  *cli.Env
	// id has the names under which the service registers.
	id service.Identity
	// settings are the settings in effect.
	settings []setting
}

// reload reads the file again, passes it to the service and requests a full
// verification. If the file cannot be used, the settings stay.
func (r *reloader) reload() {
	env := *r.env
	next, err := r.read(&env)
	if err == nil {
		id := next.id
		id.Name, id.GuestName = r.id.Name, r.id.GuestName
		if err = r.svc.Reload(id, next.cfg); err != nil {
			err = configError(&env, r.role, err)
		}
	}
	if err != nil {
		r.env.Log.Error("the config file cannot be used; the previous settings stay", "error", err)
		r.svc.Refresh()
		return
	}
	for _, w := range env.File.Warnings {
		r.env.Log.Warn("config file", "warning", w)
	}
	changed, later := r.compare(r.cmd.settings(&env, r.role, next))
	r.env.Log.Info("the config file was read again; verifying in full", "file", cmp.Or(env.File.Path, "none"), "changed", changed)
	if later != nil {
		r.env.Log.Warn("these changes take effect at the next start", "keys", later)
	}
}

// read reads the file into env, and checks what can be checked before it takes effect.
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

// compare takes over the settings that changed, unless they are fixed. It returns the
// keys that changed, and those that take effect at the next start.
func (r *reloader) compare(now []setting) (changed, later []string) {
	for i, next := range now {
		current := &r.settings[i]
		switch {
		case reflect.DeepEqual(current.value, next.value):
		case next.fixed:
			later = append(later, next.key)
		default:
			changed = append(changed, next.key)
			*current = next
		}
	}
	return changed, later
}

// A setting is a key of the config file with the value in effect, which a flag or a variable may
// have set.
type setting struct {
	key   string
	value any
	// fixed means that the value takes effect at the start of the process only.
	fixed bool
}

func (c *runCmd) settings(env *cli.Env, role metadata.Role, now *configuration) []setting {
	sec, file, prefix := section(env, role), env.File, string(role)+"."
	rest := map[string]any{}
	for key, value := range sec.Capabilities.Extra {
		rest[key] = string(value)
	}
	return []setting{
		{"database.url", env.URL(), true},
		{"database.schema", cmp.Or(env.Schema, file.Database.Schema), true},
		{"database.idle_timeout", now.cfg.IdleTimeout, false},
		{prefix + "name", now.id.Name, true},
		{prefix + "type", now.id.Type, false},
		{prefix + "host", now.id.Host, false},
		{prefix + "port", now.id.Port, false},
		{prefix + config.LabelsKey, sec.Labels, false},
		{prefix + config.TaintsKey, sec.Taints, false},
		{prefix + config.MaxConcurrentKey, sec.MaxConcurrentExecutions, false},
		{prefix + "capabilities.runtimes", sec.Capabilities.Runtimes, false},
		{prefix + "capabilities", rest, false},
		{prefix + "verify_declared", sec.VerifyDeclared, false},
		{prefix + "heartbeat_interval", now.cfg.HeartbeatInterval, false},
		{prefix + "verify_interval", now.cfg.VerifyInterval, false},
		{prefix + "full_every", now.cfg.FullEvery, false},
		{prefix + "unconfirmed_for", now.cfg.UnconfirmedFor, false},
		{prefix + "keep_history", now.cfg.KeepHistory, false},
		{prefix + "max_age", cmp.Or(c.MaxAge, sec.MaxAge), true},
		{prefix + "report_only", cmp.Or(c.ReportOnly, sec.ReportOnly), true},
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
