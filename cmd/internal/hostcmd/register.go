package hostcmd

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
)

type registerCmd struct {
	definitionFlags
	Name      *string `help:"Name of this ${role} (default: ${role}.name of the config file, else the host's)." env:"ATTUNE_${ROLE}_NAME" placeholder:"NAME"`
	Type      string  `help:"Where it runs: local, remote or container (default: ${role}.type, else local)." env:"ATTUNE_${ROLE}_TYPE" placeholder:"TYPE"`
	Advertise string  `help:"Host name or address by which the platform reaches it (default: ${role}.host)." env:"ATTUNE_${ROLE}_HOST" placeholder:"HOST"`
	Port      *int    `help:"Port by which the platform reaches it (default: ${role}.port)." env:"ATTUNE_${ROLE}_PORT" placeholder:"PORT"`
}

// Run detects and registers.
func (c *registerCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	id, err := c.identity(env, role)
	if err != nil {
		return err
	}
	db, err := env.OpenToWrite(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	progress := newProgress(env.Err)
	det, err := c.detector(ctx, env, role, db, detect.Config{Explain: true, Progress: progress.update})
	if err != nil {
		return err
	}
	caps, err := det.Detect(ctx)
	progress.clear()
	if err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	env.PrintWarnings(caps)
	row, err := service.Register(ctx, db.Store.Workers, id, caps)
	if err != nil {
		return fmt.Errorf("%s: %w", db.Name, notOwn(id, err))
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, cli.WorkerDocOf(row))
	}
	env.Out.Printf("%s %s is registered in %s as row %d, %s\n", role, cli.Clean(row.Name), place(db), row.ID, cli.StatusName(row))
	env.Out.Printf("runtimes: %s\n", cli.Or(cli.Clean(strings.Join(caps.Runtimes, ", ")), "none"))
	return nil
}

// ownPolicy keeps a login of docs/roles.sql to the rows of the worker of its name.
const ownPolicy = `"attune_own"`

// notOwn says what to try where a login may not write the rows of this worker.
func notOwn(id service.Identity, err error) error {
	if err == nil || !strings.Contains(err.Error(), ownPolicy) {
		return err
	}
	return fmt.Errorf("%w: %w; this login may only write the rows of the %s of its own name: log in as %q, or give --name the name of the login (docs/roles.sql)",
		database.ErrRefused, err, id.Role, id.Name)
}

func place(db *cli.Database) string {
	if db.IsEmbedded() {
		return cli.Clean(db.Name)
	}
	return fmt.Sprintf("%s, schema %s", cli.Clean(db.Name), cli.Clean(db.Schema))
}

// identity is who registers; flags win over the config file.
func (c *registerCmd) identity(env *cli.Env, role metadata.Role) (service.Identity, error) {
	sec := section(env, role)
	name, err := workerName(c.Name, sec)
	if err != nil {
		return service.Identity{}, err
	}
	id := service.Identity{
		Name: name, Role: role, Type: schema.WorkerType(cmp.Or(c.Type, sec.Type)),
		Host: cmp.Or(c.Advertise, sec.Host), Port: sec.Port,
	}
	if c.Port != nil {
		if id.Port = *c.Port; id.Port == 0 { // not "unset"
			return id, cli.Usagef("port: 0 is not between 1 and 65535")
		}
	}
	switch id.Type {
	case "", schema.WorkerLocal, schema.WorkerRemote, schema.WorkerContainer:
	default:
		return id, cli.Usagef("type: %q is not local, remote or container", id.Type)
	}
	if id.Port < 0 || id.Port > 65535 {
		return id, cli.Usagef("port: %d is not between 1 and 65535", id.Port)
	}
	return id, nil
}
