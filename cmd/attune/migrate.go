package main

import (
	"context"
	"fmt"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/store"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply the missing migrations: the first time in one transaction, later each in its own."`
	Down   migrateDownCmd   `cmd:"" help:"Undo the newest migration."`
	Status migrateStatusCmd `cmd:"" help:"Show which migrations are applied, and check the guards and tables."`
	Plan   migratePlanCmd   `cmd:"" help:"Show what up or down would do; write nothing."`
}

// A lockFlag is shared by the commands that wait for locks.
type lockFlag struct {
	LockTimeout time.Duration `help:"How long to wait for a lock (default: ${default})." default:"${lock_timeout}" env:"ATTUNE_LOCK_TIMEOUT" placeholder:"DURATION"`
}

func (f *lockFlag) valid(env *cli.Env) error {
	if f.LockTimeout <= 0 {
		return env.Refused("lock_timeout", fmt.Errorf("must be greater than 0, got %v", f.LockTimeout))
	}
	return nil
}

type migrateUpCmd struct {
	lockFlag
	guardsFlag
	NoCore bool `help:"Do not load the core pack into an empty database."`
}

// A guardsFlag is shared by up and plan.
type guardsFlag struct {
	Guards string `help:"What the database does with faulty metadata: refuse, warn or off; it is kept (default: what the database keeps, else refuse, and warn beside a platform)." enum:",refuse,warn,off" default:"" placeholder:"refuse|warn|off"`
}

// Run applies what is missing.
func (c *migrateUpCmd) Run(ctx context.Context, env *cli.Env) error {
	if err := c.valid(env); err != nil {
		return err
	}
	url := env.URL()
	if url == "" {
		var err error
		if url, err = env.CreateEmbedded(); err != nil {
			return err
		}
	}
	db, err := env.Create(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	m, err := env.Migrator(db, migrations.Config{LockTimeout: c.LockTimeout, Guards: migrations.Guarding(c.Guards)})
	if err != nil {
		return err
	}
	res, err := m.Up(ctx)
	if err != nil {
		if res != nil && len(res.Done) > 0 && !env.JSON {
			printResult(env.Out, db.Name, "applied", res)
		}
		return fmt.Errorf("migrate %s up: %w", db.Name, err)
	}
	var core *install.Report
	if !c.NoCore && res.Before == migrations.StateEmpty && len(res.Done) > 0 {
		if core, err = install.Load(ctx, db.DB, store.Config{Schema: res.Schema}, packs.Core(), install.Options{}); err != nil {
			return fmt.Errorf("%s is migrated, but the core pack is not loaded: %w; run `attune packs load core`", db.Name, err)
		}
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, struct {
			*migrations.Result
			Core *install.Report `json:"core,omitempty"`
		}{res, core})
	}
	printResult(env.Out, db.Name, "applied", res)
	switch {
	case core != nil:
		env.Out.Printf("core pack: %s\n", core.Summary())
	case len(res.Done) > 0 && c.inGuest(ctx, m):
		env.Out.Printf("next: `worker run` beside the platform's workers; core runtimes need no `attune packs load`, " +
			"and docs/upgrading.md describes the rest\n")
	case len(res.Done) > 0 && res.Before != migrations.StateEmpty:
		env.Out.Printf("next: `attune packs load core` (it keeps what you changed; --dry-run shows it first), " +
			"then restart workers and sensors\n")
	}
	return nil
}

// inGuest reports whether a platform owns the tables.
func (c *migrateUpCmd) inGuest(ctx context.Context, m *migrations.Migrator) bool {
	st, err := m.Status(ctx)
	return err == nil && st.Guest
}

type migrateDownCmd struct {
	lockFlag
	Force     bool   `help:"Discard data that cannot be restored; plan --down lists it."`
	Migration string `arg:"" optional:"" help:"Migration to undo; refused unless it is the newest. A baseline that holds rows must be named, with --force."`
}

// Run undoes one migration.
func (c *migrateDownCmd) Run(ctx context.Context, env *cli.Env) error {
	if err := c.valid(env); err != nil {
		return err
	}
	db, m, err := openExisting(ctx, env, migrations.Config{LockTimeout: c.LockTimeout, Force: c.Force, Undo: c.Migration})
	if err != nil {
		return err
	}
	defer db.Close()
	res, err := m.Down(ctx)
	if err != nil {
		return fmt.Errorf("migrate %s down: %w", db.Name, err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, res)
	}
	printResult(env.Out, db.Name, "undone", res)
	return nil
}

type migratePlanCmd struct {
	guardsFlag
	Down     bool `help:"Plan undoing the newest migration."`
	ExitCode bool `help:"Exit with 3 if up would change anything, including the guards alone. With --down always 3."`
}

// Run shows what up or down would do.
func (c *migratePlanCmd) Run(ctx context.Context, env *cli.Env) error {
	db, m, err := openExisting(ctx, env, migrations.Config{Guards: migrations.Guarding(c.Guards)})
	if err != nil {
		return err
	}
	defer db.Close()
	plan, pending, err := c.plan(ctx, m)
	if err != nil {
		return fmt.Errorf("plan for %s: %w", db.Name, err)
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, plan)
	} else {
		printPlan(env.Out, db.Name, plan)
	}
	if err == nil && c.ExitCode && pending {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

func (c *migratePlanCmd) plan(ctx context.Context, m *migrations.Migrator) (plan any, pending bool, err error) {
	if c.Down {
		p, err := m.PlanDown(ctx)
		return p, true, err
	}
	p, err := m.Plan(ctx)
	return p, p != nil && p.Due(), err
}

func openExisting(ctx context.Context, env *cli.Env, cfg migrations.Config) (*cli.Database, *migrations.Migrator, error) {
	url, err := env.ExistingURL()
	if err != nil {
		return nil, nil, err
	}
	db, err := env.OpenUnchecked(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	m, err := env.Migrator(db, cfg)
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, m, nil
}

func printResult(out *cli.Terminal, name, verb string, res *migrations.Result) {
	if len(res.Done) == 0 && !res.Guards && !res.Counted {
		out.Printf("%s, schema %s: nothing to do\n", cli.Clean(name), cli.Clean(res.Schema))
		return
	}
	out.Printf("%s, schema %s (was %s)\n", cli.Clean(name), cli.Clean(res.Schema), res.Before)
	if res.Guards && verb == "undone" {
		out.Printf("  %-9s the guards of metadata\n", "dropped")
	}
	for _, d := range res.Done {
		how := verb
		if d.Adopted {
			how = map[string]string{"applied": "adopted", "undone": "forgotten"}[verb]
		}
		out.Printf("  %-9s %s\n", how, d.ID)
	}
	if res.Counted {
		out.Printf("  %-9s changes of runtime_version\n", "counted")
	}
	if res.Guards && verb == "applied" {
		out.Printf("  %-9s the guards of metadata\n", "in place")
	}
	for _, d := range res.Dropped {
		out.Printf("  %-9s table %s with %s\n", "dropped", d.Table, cli.Count(int(d.Rows), "row"))
	}
	if r := res.Unify; r != nil && (r.Before > 0 || r.After > 0 || r.Rows() > 0) {
		printDetail(out, res.Unify)
	}
}
