package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	request "github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// defaultPlaced is the default of --limit.
const defaultPlaced = 20

type placeCmd struct {
	cli.Output
	rows cli.Rows // of the output; nil for a table and for json

	Runtimes    []string `arg:"" optional:"" name:"runtime" help:"Runtimes by ref, alias or name, optionally with versions: python, 'python@>=3.11'." placeholder:"RUNTIME[@CONSTRAINT]"`
	Select      []string `sep:"none" help:"The worker has this label." placeholder:"KEY=VALUE"`
	Tolerate    []string `sep:"none" help:"Accept this taint; without =VALUE, with any value." placeholder:"KEY[=VALUE][:EFFECT]"`
	Prefer      []string `sep:"none" help:"Prefer workers with this label; the weight is from 1 to 100 (default: 50)." placeholder:"KEY=VALUE[:WEIGHT]"`
	Role        string   `help:"The worker has this role: worker, sensor or hybrid." placeholder:"ROLE"`
	Verified    bool     `help:"Leave out what is only declared."`
	Prereleases bool     `help:"Let pre-releases satisfy constraints."`
	Slots       *int     `help:"The worker has this many free slots (default: 1)." placeholder:"N"`
	Requirement *string  `help:"Read the requirement from this JSON file; - is standard input." placeholder:"FILE"`
	Action      *string  `help:"Place what this action needs." placeholder:"REF"`
	Sensor      *string  `help:"Place what this sensor needs." placeholder:"REF"`
	All         bool     `help:"Show how many workers fit each action and sensor, those without any first."`
	Pack        *string  `help:"With --all or --if: only actions and sensors of this pack." placeholder:"REF"`
	Kind        string   `help:"With --all: only actions, or only sensors." placeholder:"action|sensor"`
	If          []string `sep:"none" help:"Show which actions and sensors would lose workers by a change, without making it: 'python min 3.12', 'python without 3.8', 'without build-7 build-9', 'runtime core.python removed'. Several changes are made together." placeholder:"CHANGE"`
	Limit       int      `help:"Show at most N workers that fit; 0 shows all." default:"20" placeholder:"N"`
	Hosts       bool     `help:"Show each worker with every reason why it does not fit."`
	SQL         bool     `name:"sql" help:"Print the statement that selects the workers that fit, for psql or sqlite3."`
}

// Help returns the longer text of --help.
func (c *placeCmd) Help() string {
	return "Shows the workers that fit, the newest version of the first runtime first; or if none fits, the reasons, the worker that comes " +
		"nearest for each of them, and what would help. docs/placement.md describes requirements and reasons; `attune versions match --help` " +
		"describes constraints. Exit status: 0 it fits somewhere, 3 it fits nowhere; with --all 3 if " +
		"anything fits nowhere, with --if 3 if anything would lose its last worker. --select, --tolerate, --prefer and --if may be repeated. " +
		"Example: attune place 'python@>=3.11' node --select zone=a --tolerate gpu --prefer disk=ssd:20."
}

// Run places a requirement, or all.
func (c *placeCmd) Run(ctx context.Context, env *cli.Env) error {
	written, changes, err := c.read(env)
	if err != nil {
		return err
	}
	if c.rows, err = c.Lines(env, c.columns()...); err != nil {
		return err
	}
	src, err := sourceToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	index, _, err := indexOf(ctx, src)
	if err != nil {
		return fmt.Errorf("find runtimes in %s: %w", src.name(), err)
	}
	switch {
	case len(changes) > 0:
		return c.whatIf(ctx, env, src, index, changes)
	case c.All:
		return c.all(ctx, env, src, index)
	case c.Action != nil || c.Sensor != nil:
		written, err = c.subject(ctx, env, src, index)
	default:
		if *written, err = written.Resolve(index); err != nil {
			err = fmt.Errorf("find runtimes in %s: %w; `attune runtimes list` shows all", src.name(), err)
		}
	}
	if err != nil {
		return err
	}
	return c.place(ctx, env, src, index, written)
}

// columns returns the columns of CSV, which depend on the question.
func (c *placeCmd) columns() []string {
	switch {
	case len(c.If) > 0:
		return []string{"kind", "ref", "before", "after", "stranded"}
	case c.All:
		return []string{"kind", "ref", "fit", "requirement", "fault", "note"}
	case c.Hosts:
		return []string{"worker", "name", "fits", "reasons"}
	}
	return []string{"worker", "name", "role", "weight", "free", "runtimes"}
}

// place prints the answer about a requirement.
func (c *placeCmd) place(ctx context.Context, env *cli.Env, src source, index *metadata.Index, r *placement.Requirement) error {
	if c.SQL {
		db, ok := src.(databaseSource)
		if !ok {
			return cli.Usagef("--sql prints a statement for a database; leave out --server")
		}
		text, err := db.db.Store.Workers.PlaceStatement(r, c.Limit)
		if err == nil {
			_, err = io.WriteString(env.Out, text)
		}
		return err
	}
	a, err := src.place(ctx, r, c.Limit, c.Hosts)
	if err != nil {
		return fmt.Errorf("place in %s: %w", src.name(), err)
	}
	switch {
	case c.rows != nil && c.Hosts:
		err = cli.PrintRows(c.rows, a.Hosts)
	case c.rows != nil:
		if err = cli.PrintRows(c.rows, a.Placed); err == nil && a.Fit > len(a.Placed) {
			env.Note(fmt.Sprintf("%d more workers fit; --limit 0 shows all", a.Fit-len(a.Placed)))
		}
	case env.JSON:
		err = cli.PrintJSON(env.Out, a)
	default:
		p := placePrinter{env, index}
		p.print(a)
	}
	if err == nil && a.Fit == 0 {
		err = &cli.Silent{Status: cli.ExitPending}
	}
	return err
}

// read returns what is asked, with names in place of refs.
func (c *placeCmd) read(env *cli.Env) (r *placement.Requirement, changes []placement.Change, err error) {
	if err := c.usage(env); err != nil {
		return nil, nil, err
	}
	for _, text := range c.If {
		change, err := placement.ParseChange(text)
		if err != nil {
			return nil, nil, cli.Usagef("--if: %v", err)
		}
		changes = append(changes, change)
	}
	written, err := c.written(env)
	return &written, changes, err
}

// usage returns an error for flags that cannot be used together.
func (c *placeCmd) usage(env *cli.Env) error {
	var sources []string
	for _, source := range []struct {
		given bool
		name  string
	}{
		{c.hasTerms(), "a requirement in arguments and flags"}, {c.Requirement != nil, "--requirement"}, {c.Action != nil, "--action"},
		{c.Sensor != nil, "--sensor"}, {c.All, "--all"}, {len(c.If) > 0, "--if"},
	} {
		if source.given {
			sources = append(sources, source.name)
		}
	}
	for _, flag := range []struct {
		value *string
		name  string
	}{{c.Requirement, "--requirement"}, {c.Action, "--action"}, {c.Sensor, "--sensor"}, {c.Pack, "--pack"}} {
		if flag.value != nil && *flag.value == "" {
			return cli.Usagef("%s must not be empty: is the variable unset? leave the flag out, or write its value", flag.name)
		}
	}
	many := c.All || len(c.If) > 0
	switch {
	case c.Limit < 0:
		return cli.Usagef("--limit must be at least 0, got %d", c.Limit)
	case c.Slots != nil && *c.Slots < 1:
		return cli.Usagef("--slots must be at least 1, got %d", *c.Slots)
	case len(sources) > 1:
		return cli.Usagef("%s and %s are different questions; ask one", sources[0], sources[1])
	case many && c.Limit != defaultPlaced:
		return cli.Usagef("--limit is about one requirement")
	case c.Pack != nil && !many:
		return cli.Usagef("--pack goes with --all or --if")
	case c.Kind != "" && c.Kind != string(store.ActionSubject) && c.Kind != string(store.SensorSubject):
		return cli.Usagef("--kind must be action or sensor, got %q", c.Kind)
	case c.Kind != "" && !c.All:
		return cli.Usagef("--kind goes with --all")
	case many && (c.Hosts || c.SQL):
		return cli.Usagef("--hosts and --sql are about one requirement")
	case c.SQL && (env.JSON || c.Hosts || c.Output.Output != "table"):
		return cli.Usagef("--sql prints a statement only; leave out --json and --hosts")
	}
	return nil
}

// hasTerms reports whether arguments or flags describe a requirement.
func (c *placeCmd) hasTerms() bool {
	return len(c.Runtimes)+len(c.Select)+len(c.Tolerate)+len(c.Prefer) > 0 || c.Role != "" || c.Verified || c.Prereleases || c.Slots != nil
}

// written returns the requirement as it was written, without refs.
func (c *placeCmd) written(env *cli.Env) (placement.Requirement, error) {
	if c.Requirement != nil {
		return readRequirement(env, *c.Requirement)
	}
	terms := request.Terms{
		Runtimes: c.Runtimes, Select: c.Select, Tolerate: c.Tolerate, Prefer: c.Prefer, Role: c.Role,
		Prereleases: c.Prereleases, Verified: c.Verified,
	}
	if c.Slots != nil {
		terms.Slots = *c.Slots
	}
	r, err := terms.Requirement()
	if err != nil {
		err = cli.Usagef("%v", err)
	}
	return r, err
}

// readRequirement reads a requirement from a file, or from standard input if the path is "-".
func readRequirement(env *cli.Env, path string) (r placement.Requirement, err error) {
	from, name := env.In, "standard input"
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return r, fmt.Errorf("read a requirement: %w", err)
		}
		defer file.Close()
		from, name = file, path
	}
	text, err := io.ReadAll(io.LimitReader(from, request.MaxSize+1))
	switch {
	case err != nil:
	case len(text) > request.MaxSize:
		err = fmt.Errorf("must have at most %d bytes", request.MaxSize)
	case len(text) == 0:
		err = errors.New("must be a JSON object, got nothing")
	default:
		r, err = request.Parse(text)
	}
	if err != nil {
		err = fmt.Errorf("read a requirement from %s: %w", name, err)
	}
	return r, err
}
