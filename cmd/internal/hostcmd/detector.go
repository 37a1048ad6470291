package hostcmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// definitionFlags say what is detected.
type definitionFlags struct {
	Pack       []string `sep:"none" help:"Pack folder whose definitions are detected too; its commands may run. Repeatable." type:"path" placeholder:"DIR"`
	PolicyMode string   `help:"Which commands may run: standard, strict or open (default: policy.mode of the config file, else standard)." env:"ATTUNE_POLICY_MODE" placeholder:"MODE"`

	// notes holds what the embedded core pack adds to definitions that were read, by ref.
	notes map[string]string
	// complete reports that all definitions of the database were read.
	complete bool
}

// A source says what is detected, and where.
type source struct {
	definitionFlags
	Host string `help:"Recorded host to detect on, instead of this machine." type:"path" placeholder:"FILE"`
}

// host is the recorded host, or nil for this machine.
func (s *source) host() (detect.Host, error) {
	if s.Host == "" {
		return nil, nil
	}
	recorded, err := host.Within(readTime, s.Host, func() (*host.RecordedHost, error) { return host.Open(s.Host) })
	if err != nil {
		return nil, err
	}
	return recorded, nil
}

// localHost returns this machine as the command line's environment shows it.
func localHost(env *cli.Env) *host.LocalHost {
	return host.Local(host.LocalConfig{Environ: env.Environ()})
}

// section returns the part of the config file for a role.
func section(env *cli.Env, role metadata.Role) *config.Service {
	if role == metadata.Sensor {
		return &env.File.Sensor
	}
	return &env.File.Worker
}

// A readResult is the result of definitions.
type readResult struct {
	defs []metadata.Definition
	from capability.Source
	// leftOut counts the rows that were not read.
	leftOut store.Omission
}

// definitions reads the rows of the database, or the core pack without one, and
// the packs of the command line, which win over a row of the same ref.
func (s *definitionFlags) definitions(ctx context.Context, env *cli.Env, db *cli.Database) (r readResult, err error) {
	r.from = capability.SourceDatabase
	if db == nil {
		r.from = capability.SourcePack
		r.defs = core.Definitions()
	} else if found, err := db.Definitions(ctx); err != nil {
		return readResult{}, fmt.Errorf("read definitions of %s: %w", db.Name, err)
	} else if r.defs, r.leftOut, s.notes = found.Definitions, found.LeftOut, found.Notes; len(r.defs) == 0 {
		env.Warn(fmt.Sprintf("no runtime is defined in %s; `attune packs load core` brings the usual ones", db.Name))
	}
	r.defs, err = s.withPacks(env, r.defs)
	return r, err
}

// withPacks returns defs and the definitions of the packs of the command line, which
// replace definitions with the same ref.
func (s *definitionFlags) withPacks(env *cli.Env, defs []metadata.Definition) ([]metadata.Definition, error) {
	for _, dir := range s.Pack {
		pack, err := loadPack(dir, packs.Config{Strict: env.Strict}, "pack "+dir, env.Warn)
		if err != nil {
			return nil, err
		}
		given := map[string]bool{}
		for i := range pack.Definitions {
			given[pack.Definitions[i].Ref] = true
		}
		defs = slices.DeleteFunc(slices.Clone(defs), func(d metadata.Definition) bool { return given[d.Ref] })
		defs = append(defs, pack.Definitions...)
	}
	return defs, nil
}

// readTime is how long a pack folder or a recorded host may take to be read.
const readTime = 5 * time.Second

// loadPack reads a pack folder. Its faults are the error, with the prefix about; its
// warnings are passed to warn.
func loadPack(dir string, cfg packs.Config, about string, warn func(string)) (*packs.Pack, error) {
	type loaded struct {
		pack   *packs.Pack
		faults packs.Faults
	}
	l, err := host.Within(readTime, dir, func() (loaded, error) {
		pack, faults := packs.LoadDir(dir, cfg)
		return loaded{pack, faults}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", about, err)
	}
	pack, faults := l.pack, l.faults
	for _, p := range faults.Only(packs.Warning) {
		warn(p.Unlabeled())
	}
	errs := faults.Only(packs.Error)
	if len(errs) == 1 && errs[0].File == filepath.ToSlash(dir) {
		return nil, fmt.Errorf("%s: %s", about, errs[0].Message)
	}
	if err := errs.Err(); err != nil {
		return nil, fmt.Errorf("%s:\n%w", about, err)
	}
	return pack, nil
}

// policy returns the policy of the config file and the flags. With --strict the error names
// the packs that are not trusted, and the policy is valid.
func (s *definitionFlags) policy(env *cli.Env, defs []metadata.Definition) (*host.Policy, error) {
	trusted, untrusted := s.trusted(env)
	p, err := host.NewPolicy(host.PolicyConfig{
		Mode:  host.Mode(cmp.Or(s.PolicyMode, env.File.Policy.Mode)),
		Allow: env.File.Policy.Allow, Deny: env.File.Policy.Deny, Programs: deniedPrograms(env.File.Policy.Deny, defs),
		Env: env.File.Policy.Env, Trusted: trusted,
	})
	if err != nil {
		if wrong := (*host.PolicyError)(nil); errors.As(err, &wrong) {
			err = env.Refused(wrong.Key, wrong.Err)
		}
		return nil, err
	}
	return p, untrusted
}

// deniedPrograms returns the programs of the runtimes that entries of policy.deny
// name: an entry shell denies bash. It uses all definitions with that name, and those
// of the embedded core pack, which a database cannot change.
func deniedPrograms(entries []string, defs []metadata.Definition) map[string][]string {
	denied := map[string][]string{}
	for _, index := range []*metadata.Index{metadata.NewIndex(core.Definitions()), metadata.NewIndex(defs)} {
		for _, entry := range entries {
			for _, def := range index.All(entry) {
				for _, c := range detect.Commands([]metadata.Definition{*def}) {
					denied[entry] = append(denied[entry], c.Binary)
				}
			}
		}
	}
	return denied
}

// detector makes the detector of a role. db is nil without a database.
func (s *definitionFlags) detector(
	ctx context.Context, env *cli.Env, role metadata.Role, db *cli.Database, cfg detect.Config,
) (*detect.Detector, error) {
	found, err := s.definitions(ctx, env, db)
	if err != nil {
		return nil, err
	}
	defs := found.defs
	text := found.leftOut.String()
	if s.complete = text == ""; !s.complete {
		cfg.Warnings = append(cfg.Warnings, text)
	}
	if cfg.Policy, err = s.policy(env, defs); cfg.Policy != nil {
		err = errors.Join(err, mindUnmatched(env, cfg.Policy, defs))
	}
	if err != nil {
		return nil, err
	}
	if cfg.Host == nil && host.Supported() == nil {
		cfg.Host = localHost(env)
	}
	if cfg.Getenv == nil {
		cfg.Getenv = env.Getenv
	}
	sec := section(env, role)
	cfg.Role, cfg.Source, cfg.Strict, cfg.VerifyDeclared = role, found.from, env.Strict, sec.VerifyDeclared
	cfg.Declared, cfg.DeclaredAt, cfg.Extra = sec.Capabilities.Runtimes, declaredAt(env, role), carried(sec)
	return generated(role, defs, cfg)
}

// declaredAt names the place of the declared runtimes in the config file.
func declaredAt(env *cli.Env, role metadata.Role) string {
	return env.Place(string(role) + ".capabilities.runtimes")
}

// carried returns the keys of the capability document that come from the config file.
func carried(sec *config.Service) map[string]json.RawMessage {
	extra := maps.Clone(sec.Capabilities.Extra)
	if extra == nil {
		extra = map[string]json.RawMessage{}
	}
	if sec.MaxConcurrentExecutions > 0 {
		extra[config.MaxConcurrentKey] = json.RawMessage(strconv.Itoa(sec.MaxConcurrentExecutions))
	}
	if sec.Labels != nil {
		extra[config.LabelsKey], _ = json.Marshal(sec.Labels) // text always has a JSON form
	}
	if sec.Taints != nil {
		extra[config.TaintsKey], _ = config.TaintsDocument(sec.Taints) // they were read before
	}
	return extra
}

// generated returns the generated detector of a role, for defs instead of the
// definitions that it was generated from.
func generated(role metadata.Role, defs []metadata.Definition, cfg detect.Config) (*detect.Detector, error) {
	if role == metadata.Sensor {
		return core.Sensor(defs, cfg)
	}
	return core.Worker(defs, cfg)
}

// openToWrite works like Env.OpenToWrite, and adds what to try if the lock beside a
// file cannot be taken.
func openToWrite(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	if err := mindOthers(env); err != nil {
		return nil, err
	}
	db, err := env.OpenToWrite(ctx)
	var file *fs.PathError
	if !errors.As(err, &file) || errors.Is(err, database.ErrReadOnly) || errors.Is(err, host.ErrHangs) {
		return db, err
	}
	const another = "or name another database with --database"
	folder := filepath.Dir(file.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; create the folder %s, %s", err, folder, another)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, fmt.Errorf("%w; the database's lock and journal need write access to the folder %s: grant it, %s", err, folder, another)
	}
	return nil, fmt.Errorf("%w; see what %s is, %s", err, folder, another)
}

// openToLook opens the database that is named, else the embedded file if it exists,
// for a command that writes nothing. It returns nil without a database. An embedded
// file that does not answer, or is not migrated, is left out with a warning.
func openToLook(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	if err := mindOthers(env); err != nil {
		return nil, err
	}
	db, err := env.OpenIfAny(ctx)
	if err == nil || env.URL() != "" {
		return db, err
	}
	pending := errors.Is(err, migrations.ErrNotMigrated)
	switch {
	case env.Strict && pending: // its error says what to type
		return nil, err
	case !env.Strict && errors.Is(err, host.ErrHangs):
		env.Warn(fmt.Sprintf("%v; the core pack counts instead", err))
		return nil, nil
	case pending:
		env.Warn(fmt.Sprintf("%v; the core pack counts until `attune migrate up`", err))
		return nil, nil
	}
	return nil, fmt.Errorf("%w; `--database %s` leaves it out and uses the core pack", err, database.Memory)
}

// mindOthers warns of a database that others can change: its definitions run
// commands here, as far as policy allows them.
func mindOthers(env *cli.Env) error {
	by := env.Others()
	if by == "" {
		return nil
	}
	text := fmt.Sprintf("others can change the database %s, and so what is run here as policy allows: %s", database.Redact(env.URL()), by)
	if env.Strict {
		return errors.New(text)
	}
	env.Warn(text)
	return nil
}

// guestName returns the default name in a guest, whose platform names its own workers.
func guestName(role metadata.Role, host string) string { return "attune-" + string(role) + "-" + host }

// workerName returns the name under which this host registers. usual reports that nobody
// chose it.
func workerName(env *cli.Env, role metadata.Role, flag *string) (name string, usual bool, err error) {
	name = section(env, role).Name
	if flag != nil {
		name = *flag
	}
	if flag != nil || name != "" {
		if err := cli.CheckName(name); err != nil {
			return "", false, env.Refused(string(role)+".name", err)
		}
	}
	if name != "" {
		return name, false, nil
	}
	if name, err = os.Hostname(); err != nil || name == "" {
		return "", false, errors.New("this host has no name: give --name, or worker.name in the config file")
	}
	return name, true, nil
}
