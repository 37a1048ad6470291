package hostcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// A registerCmd holds the flags of the commands that write the row: register and run.
type registerCmd struct {
	definitionFlags
	memoryFlags
	Name          *string `help:"Name of this ${role} (default: ${role}.name of the config file, else the host's)." env:"ATTUNE_${ROLE}_NAME" placeholder:"NAME"`
	Type          string  `help:"Type of this ${role}: local, remote or container (default: ${role}.type, else local)." env:"ATTUNE_${ROLE}_TYPE" placeholder:"TYPE"`
	Advertise     string  `help:"Host name or address where the platform reaches it (default: ${role}.host)." env:"ATTUNE_${ROLE}_HOST" placeholder:"HOST"`
	Port          *int    `help:"Port where the platform reaches it, 1 to 65535 (default: ${role}.port)." env:"ATTUNE_${ROLE}_PORT" placeholder:"PORT"`
	ReportOnly    string  `help:"Keep executions of a platform away: auto, true or false (default: ${role}.report_only, else auto: where the platform has executions)." enum:",auto,true,false" default:"" env:"ATTUNE_${ROLE}_REPORT_ONLY" placeholder:"WHEN"`
	Labels        labels  `name:"label" help:"Label of this ${role}; commas separate several, and a comma of a value is written \\, (default: ${role}.labels)." env:"ATTUNE_${ROLE}_LABELS" placeholder:"KEY=VALUE"`
	Taints        taints  `name:"taint" help:"Taint of this ${role}, which keeps away work that does not tolerate it; commas separate several. EFFECT is no_schedule or prefer_no_schedule (default: ${role}.taints)." env:"ATTUNE_${ROLE}_TAINTS" placeholder:"KEY[=VALUE][:EFFECT]"`
	MaxConcurrent *int    `name:"max-concurrent-executions" help:"Most executions that this ${role} takes at a time, at least 1 (default: ${role}.max_concurrent_executions)." env:"ATTUNE_${ROLE}_MAX_CONCURRENT_EXECUTIONS" placeholder:"N"`
}

// labels are the labels of the command line, or nil if none were given.
type labels map[string]string

// Decode adds the labels of one flag, or of the variable.
func (l *labels) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("key=value", &text); err != nil {
		return err
	}
	more, err := config.ParseLabels(text)
	if err != nil {
		return err
	}
	if *l == nil {
		*l = labels{}
	}
	for key, value := range more {
		if _, twice := (*l)[key]; twice {
			return fmt.Errorf("duplicate label %q", key)
		}
		(*l)[key] = value
	}
	return requirement.CheckCount(len(*l))
}

// taints are the taints of the command line, or nil if none were given.
type taints []string

// Decode adds the taints of one flag, or of the variable.
func (t *taints) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("key[=value][:effect]", &text); err != nil {
		return err
	}
	more, err := config.ParseTaints(text)
	*t = append(*t, more...)
	if err == nil {
		err = config.CheckTaints(*t)
	}
	return err
}

// Run detects and registers.
func (c *registerCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	endsSoon()
	id, err := c.identity(env, role)
	if err != nil {
		return err
	}
	memory, err := c.memory(env, role)
	if err != nil {
		return err
	}
	db, err := openToWrite(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetReportOnly(c.reportOnly(env, role))
	state, err := db.DefinitionsState(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", db.Name, err)
	}
	progress := newProgress(env.Err)
	det, err := c.detector(ctx, env, role, db, detect.Config{Memory: memory, Explain: true, Progress: progress.update})
	if err != nil {
		return err
	}
	caps, err := det.Detect(ctx)
	progress.clear()
	if err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	env.PrintWarnings(caps)
	if c.complete {
		caps.Definitions = &state
	}
	row, err := service.Register(ctx, db.Store.Workers, id.Resolve(db.Guest()), caps)
	if errors.Is(err, store.ErrLive) {
		return fmt.Errorf("%s: %w", db.Name, liveHint(role, err))
	}
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("%s: %w", db.Name, takenHint(role, err))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", db.Name, ownHint(id, err))
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, cli.WorkerDocOf(row))
	}
	status := cli.StatusName(row)
	if status == string(schema.WorkerInactive) {
		status += fmt.Sprintf("; `%s run` makes it active", role)
	}
	env.Out.Printf("%s %s is registered in %s as row %d, %s\n", role, cli.Clean(row.Name), place(db), row.ID, status)
	env.Out.Printf("runtimes: %s\n", cli.Or(cli.Clean(strings.Join(caps.Runtimes, ", ")), "none"))
	return nil
}

// liveHint adds to an ErrLive what the operator can type.
func liveHint(role metadata.Role, err error) error {
	return fmt.Errorf("%w; stop it, choose another name with --name, or take the name over (`%s run --takeover`)", err, role)
}

// reportOnly returns whether executions of a platform are kept away, or nil if the database
// decides.
func (c *registerCmd) reportOnly(env *cli.Env, role metadata.Role) *bool {
	value, err := strconv.ParseBool(cmp.Or(c.ReportOnly, section(env, role).ReportOnly))
	if err != nil {
		return nil
	}
	return &value
}

// takenHint adds to an ErrTaken what the operator can type.
func takenHint(role metadata.Role, err error) error {
	var taken *store.TakenError
	if errors.As(err, &taken) && taken.Identity != "" {
		return fmt.Errorf("%w; choose another name with --name", err)
	}
	return fmt.Errorf("%w; choose another name with --name, or take the row over (`%s run --takeover`) "+
		"once its process has ended for good", err, role)
}

// ownHint adds to a store.OwnRowsError what the operator can type.
func ownHint(id service.Identity, err error) error {
	var own *store.OwnRowsError
	if !errors.As(err, &own) {
		return err
	}
	return fmt.Errorf("%w: %w: log in as %q, or give --name %s (docs/roles.sql)",
		database.ErrRefused, err, id.Name, host.CommandLine(own.User, nil))
}

func place(db *cli.Database) string {
	if db.IsEmbedded() {
		return cli.Clean(db.Name)
	}
	return fmt.Sprintf("%s, schema %s", cli.Clean(db.Name), cli.Clean(db.Schema))
}

// identity returns the identity of this worker. Flags win over the config file, and
// replace its values in the section.
func (c *registerCmd) identity(env *cli.Env, role metadata.Role) (service.Identity, error) {
	sec := section(env, role)
	name, usual, err := workerName(env, role, c.Name)
	if err != nil {
		return service.Identity{}, err
	}
	if c.Labels != nil {
		sec.Labels = c.Labels
	}
	if c.Taints != nil {
		sec.Taints = c.Taints
	}
	if sec.MaxConcurrentExecutions, err = positive(c.MaxConcurrent, sec.MaxConcurrentExecutions); err != nil {
		return service.Identity{}, env.Refused(string(role)+"."+config.MaxConcurrentKey, err)
	}
	id := service.Identity{
		Name: name, Role: role, Type: schema.WorkerType(cmp.Or(c.Type, sec.Type)),
		Host: cmp.Or(c.Advertise, sec.Host),
	}
	if usual {
		id.GuestName = guestName(role, name)
	}
	if id.Port = *cmp.Or(c.Port, &sec.Port); c.Port != nil || id.Port != 0 {
		if err := config.CheckPort(id.Port); err != nil {
			return id, env.Refused(string(role)+".port", err)
		}
	}
	if id.Type != "" {
		if err := config.CheckType(string(id.Type)); err != nil {
			return id, env.Refused(string(role)+".type", err)
		}
	}
	return id, nil
}

// positive returns the value of a flag, else of the config file, where zero means
// unset. A flag must be greater than zero.
func positive[T int | time.Duration](value *T, file T) (T, error) {
	switch {
	case value == nil:
		return file, nil
	case *value <= 0:
		return 0, fmt.Errorf("must be greater than 0, got %v", *value)
	}
	return *value, nil
}
