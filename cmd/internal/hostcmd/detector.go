package hostcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// source are the flags that say what is detected, and where.
type source struct {
	Pack       []string `help:"Detect the definitions of this pack folder too; its commands may run." type:"existingdir" placeholder:"DIR"`
	Host       string   `help:"Detect on this recorded host instead of on this machine." type:"existingfile" placeholder:"FILE"`
	PolicyMode string   `help:"What may run here: standard, strict or open (default: policy.mode of the config file, else standard)." env:"ATTUNE_POLICY_MODE" placeholder:"MODE"`
}

// section is the part of the config file for a role.
func section(env *cli.Env, role metadata.Role) *config.Service {
	if role == metadata.Sensor {
		return &env.File.Sensor
	}
	return &env.File.Worker
}

// definitions are the rows of the database, or the core pack without one, and
// the packs of the command line, which win over a row of the same ref.
func (s *source) definitions(ctx context.Context, env *cli.Env, db *cli.Database) (defs []metadata.Definition, from detect.Source, err error) {
	from = detect.SourceDatabase
	if db == nil {
		from = detect.SourcePack
		defs = packs.Core().Definitions
	} else if defs, err = db.Store.Definitions(ctx); err != nil {
		return nil, "", fmt.Errorf("read definitions of %s: %w", db.Name, err)
	}
	for _, dir := range s.Pack {
		pack, err := loadPack(env, dir)
		if err != nil {
			return nil, "", err
		}
		given := map[string]bool{}
		for i := range pack.Definitions {
			given[pack.Definitions[i].Ref] = true
		}
		defs = slices.DeleteFunc(slices.Clone(defs), func(d metadata.Definition) bool { return given[d.Ref] })
		defs = append(defs, pack.Definitions...)
	}
	return defs, from, nil
}

// loadPack reads a pack folder; its faults are the error, its warnings are
// printed.
func loadPack(env *cli.Env, dir string) (*packs.Pack, error) {
	pack, problems := packs.LoadDir(dir, packs.Config{Strict: env.Strict})
	for _, p := range problems.Of(packs.Warning) {
		env.Warn(p.String())
	}
	if err := problems.Err(); err != nil {
		return nil, fmt.Errorf("pack %s:\n%w", dir, err)
	}
	return pack, nil
}

// policy is what the host's owner lets run.
func (s *source) policy(env *cli.Env) (*host.Policy, error) {
	trusted := detect.Commands(packs.Core().Definitions)
	for _, dir := range slices.Concat(env.File.Policy.TrustedPacks, s.Pack) {
		pack, err := loadPack(env, dir)
		if err != nil {
			return nil, fmt.Errorf("trusted pack: %w", err)
		}
		trusted = append(trusted, detect.Commands(pack.Definitions)...)
	}
	p, err := host.NewPolicy(host.PolicyConfig{
		Mode:  host.Mode(cmp.Or(s.PolicyMode, env.File.Policy.Mode)),
		Allow: env.File.Policy.Allow, Deny: env.File.Policy.Deny, Trusted: trusted,
	})
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

// detector makes the detector of a role. db is nil where there is none.
func (s *source) detector(ctx context.Context, env *cli.Env, role metadata.Role, db *cli.Database, cfg detect.Config) (*detect.Detector, error) {
	defs, from, err := s.definitions(ctx, env, db)
	if err != nil {
		return nil, err
	}
	if cfg.Policy, err = s.policy(env); err != nil {
		return nil, err
	}
	if s.Host != "" {
		recorded, err := host.Open(s.Host)
		if err != nil {
			return nil, err
		}
		cfg.Host = recorded
	}
	sec := section(env, role)
	cfg.Role, cfg.Source, cfg.Strict, cfg.VerifyDeclared = role, from, env.Strict, sec.VerifyDeclared
	cfg.Declared, cfg.Extra = sec.Capabilities.Runtimes, sec.Capabilities.Extra
	return detect.New(defs, cfg), nil
}

// openIfNamed opens the database if one is named.
func openIfNamed(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	if env.URL() == "" {
		return nil, nil
	}
	return env.Open(ctx, env.URL())
}

// workerName is the name under which this host registers.
func workerName(flag string, sec *config.Service) (string, error) {
	if name := cmp.Or(flag, sec.Name); name != "" {
		return name, nil
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "", errors.New("this host has no name: give --name, or worker.name in the config file")
	}
	return name, nil
}
