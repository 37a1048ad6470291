package hostcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type detectCmd struct {
	source
	memoryFlags
	Runtime  []string `arg:"" optional:"" help:"Runtimes to detect, by ref, alias or name (default: all)." placeholder:"REF|NAME"`
	Explain  bool     `help:"With --json: include every attempt with its evidence."`
	Diff     bool     `help:"Show how the result differs from the registered row of this ${role}."`
	ExitCode bool     `help:"With --diff: exit with 3 if anything differs."`
	Name     *string  `help:"Name of this ${role} (default: ${role}.name of the config file, else the host's)." env:"ATTUNE_${ROLE}_NAME" placeholder:"NAME"`
}

// Collections of the heap of a process that ends soon. With the usual growth of 100 percent a
// third of its time goes into them; beyond shortHeap, in bytes, they are as frequent as it takes.
const (
	shortGrowth = 400
	shortHeap   = 64 << 20
)

// endsSoon prepares the process for a command that ends soon, unless GOGC and GOMEMLIMIT say
// otherwise.
func endsSoon() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(shortGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(shortHeap)
	}
}

// Run detects the runtimes of this host, or of a recorded one.
func (c *detectCmd) Run(ctx context.Context, env *cli.Env, role metadata.Role) error {
	switch {
	case c.ExitCode && !c.Diff:
		return cli.Usagef("--exit-code goes with --diff")
	case c.Explain && (c.Diff || !env.JSON):
		return cli.Usagef("--explain goes with --json; `%s explain NAME` shows one runtime's attempts to people", role)
	}
	if c.Diff && len(c.Runtime) > 0 {
		return cli.Usagef("--diff compares everything that is registered; leave out %s", strings.Join(c.Runtime, " "))
	}
	endsSoon()
	db, err := c.open(ctx, env)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	recorded, err := c.host()
	if err != nil {
		return err
	}
	memory, err := c.memory(env, role)
	if err != nil {
		return err
	}
	progress := newProgress(env.Err)
	det, err := c.detector(ctx, env, role, db, detect.Config{Host: recorded, Memory: memory, Explain: c.Explain, Progress: progress.update})
	if err != nil {
		return err
	}
	if len(c.Runtime) > 0 {
		var unknown []error
		for _, name := range c.Runtime {
			if _, err := det.Only(name); errors.Is(err, detect.ErrUnknownName) {
				unknown = append(unknown, c.unknown(ctx, env, role, db, "detect", name))
			}
		}
		if len(unknown) > 0 {
			return errors.Join(unknown...)
		}
		if det, err = det.Only(c.Runtime...); err != nil {
			return err
		}
	}
	caps, err := det.Detect(ctx)
	progress.clear()
	if err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	if c.Diff {
		return c.diff(ctx, env, role, db, caps)
	}
	env.PrintWarnings(caps)
	if env.JSON {
		return cli.PrintJSON(env.Out, caps)
	}
	cli.PrintDetected(env.Out, caps)
	// The document is sorted by ref; people are shown names.
	slices.SortStableFunc(caps.Undetected, func(a, b capability.Absence) int { return strings.Compare(a.Name, b.Name) })
	cli.PrintAbsent(env.Out, caps, fmt.Sprintf("why? %s", env.Out.Paint(cli.Bold, cli.Command(string(role))+" explain NAME")))
	return nil
}

// open opens the database as commands do that write nothing. A diff needs one.
func (c *detectCmd) open(ctx context.Context, env *cli.Env) (*cli.Database, error) {
	db, err := openToLook(ctx, env)
	if err == nil && db == nil && c.Diff {
		return env.OpenNamed(ctx) // its error says that no database is named
	}
	return db, err
}

// diff prints what changed since this worker was registered.
func (c *detectCmd) diff(ctx context.Context, env *cli.Env, role metadata.Role, db *cli.Database, caps *capability.Document) error {
	name, usual, err := workerName(env, role, c.Name)
	if err != nil {
		return err
	}
	if usual && db.Guest() {
		name = guestName(role, name)
	}
	row, err := db.Store.Workers.ByIdentity(ctx, role, name)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no %s %q is registered in %s; `%s register` does it", role, name, db.Name, role)
	}
	if err != nil {
		return fmt.Errorf("read what is registered for %s %q: %w", role, name, err)
	}
	before := new(capability.Document)
	if len(row.Capabilities) > 0 {
		if err := json.Unmarshal(row.Capabilities, before); err != nil {
			return fmt.Errorf("read what is registered for %s %q: %w", role, name, err)
		}
	}
	diff := capability.Compare(before, caps)
	if env.JSON {
		err = cli.PrintJSON(env.Out, diff)
	} else {
		printDiff(env.Out, name, diff)
	}
	if err == nil && c.ExitCode && !diff.Empty() {
		return &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

func printDiff(out *cli.Terminal, name string, d capability.Diff) {
	if d.Empty() {
		out.Printf("%s: nothing differs from what is registered\n", cli.Clean(name))
		return
	}
	line := func(style cli.Style, sign, text string) {
		out.Printf("%s\n", out.Paint(style, sign+" "+cli.Clean(text)))
	}
	for _, n := range d.Gained {
		line(cli.Green, "+", n)
	}
	for _, n := range d.Lost {
		line(cli.Red, "-", n)
	}
	for _, c := range d.Changed {
		line(cli.Yellow, "~", fmt.Sprintf("%s: %s -> %s", c.Name, versions(c.Old), versions(c.New)))
	}
	for _, n := range d.Unconfirmed {
		line(cli.Yellow, "?", n+": could not be determined this time")
	}
}

func versions(list []string) string {
	if len(list) == 0 {
		return "no version"
	}
	text := list[0]
	for _, v := range list[1:] {
		text += ", " + v
	}
	return text
}
