package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

type workersDeleteCmd struct {
	selector
	Force  bool `help:"Also delete workers that still run, and rows that attune did not register."`
	DryRun bool `help:"Show what would be deleted and what prevents it; delete nothing. Exit as the deletion would."`
}

// Help returns the longer text of --help.
func (c *workersDeleteCmd) Help() string {
	return selectorHelp + " Deletes the workers' rows and reports; the history stays under their names. It deletes all or none: " +
		"if one of them still runs, or rows of other tables refer to one, nothing is deleted, and they are named. " +
		"A worker that runs when it is deleted registers again with its next heartbeat."
}

// Run deletes the workers of a selection.
func (c *workersDeleteCmd) Run(ctx context.Context, env *cli.Env) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	if len(c.terms()) == 0 {
		return cli.Usagef("say which workers: a name, or a selector such as 'status:inactive' 'silent:30d'")
	}
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	selection, err := wanted.selection(ctx, inDatabase(db))
	if err != nil {
		return err
	}
	if err := allKnown(ctx, inDatabase(db), selection.Names, "nothing was deleted"); err != nil {
		return err
	}
	options := answer.DeleteOptions{DryRun: c.DryRun, Force: c.Force}
	report, err := answer.DeleteWorkers(ctx, db, db.Config(), selection, options)
	if report == nil {
		return asOperator(db.Name, err)
	}
	if len(report.Workers) == 0 {
		return noneFit(ctx, env, inDatabase(db), selection, report)
	}
	refused, hindered := "", report.Hindered(c.Force)
	unseen := errors.Is(err, answer.ErrHindered) && !hindered // only the database saw the references
	if hindered || unseen {
		refused = c.refusal(report, unseen)
	}
	if env.JSON {
		err = cli.PrintJSON(env.Out, report)
	} else {
		printWorkersDeletion(env.Out, report, refused, unseen)
		err = nil
	}
	if err != nil || refused == "" {
		return err
	}
	if c.DryRun {
		return errors.New("would be refused: " + refused)
	}
	return errors.New("nothing was deleted: " + refused)
}

// allKnown returns an error if no worker has one of several names, because a command does the whole
// selection or nothing. For a single name, the answer says that no worker fits.
func allKnown(ctx context.Context, src source, names []string, nothing string) error {
	if len(names) < 2 {
		return nil
	}
	unknown, err := unknownNames(ctx, src, names)
	if err == nil && unknown != "" {
		err = errors.New(nothing + ": " + unknown)
	}
	return err
}

// refusal returns why workers are not deleted. unseen also counts references that the
// login may not read.
func (c *workersDeleteCmd) refusal(r *answer.WorkersDeletion, unseen bool) string {
	var reasons []string
	runs, strange := hindered(r)
	if c.Force {
		runs, strange = 0, 0
	}
	if runs > 0 {
		text := "%s still run: stop them, or use --force, after which they register again"
		if runs == 1 {
			text = "%s still runs: stop it, or use --force, after which it registers again"
		}
		reasons = append(reasons, fmt.Sprintf(text, ofWorkers(runs, r)))
	}
	if strange > 0 {
		reasons = append(reasons, fmt.Sprintf("%s not registered by attune: --force deletes them all the same", ofWorkers(strange, r)))
	}
	if refs := hindering(r.References, unseen); refs != "" {
		reasons = append(reasons, "still referenced by "+refs)
	}
	return strings.Join(reasons, "; ")
}

func ofWorkers(n int, r *answer.WorkersDeletion) string {
	return fmt.Sprintf("%d of %s", n, cli.Count(len(r.Workers), "worker"))
}

// hindered returns how many workers still run, and how many attune did not register.
func hindered(r *answer.WorkersDeletion) (runs, strange int) {
	for _, w := range r.Workers {
		switch w.Hindrance {
		case answer.StillRuns:
			runs++
		case answer.NotRegistered:
			strange++
		}
	}
	return runs, strange
}

// hindering returns, in words, the references that keep a row from being deleted, and
// how to see which rows they are. unseen also counts references that the login may
// not read.
func hindering(refs []store.Reference, unseen bool) string {
	var hinder []store.Reference
	hint := ""
	for i := range refs {
		if !refs[i].Hinders() && !(unseen && refs[i].Unseen()) {
			continue
		}
		hinder = append(hinder, refs[i])
		if refs[i].Rows < 0 {
			hint = "; a login that has SELECT on the table sees which"
		}
	}
	return inWords(hinder) + hint
}

func inWords(refs []store.Reference) string {
	var list []string
	for i := range refs {
		list = append(list, cli.Clean(refs[i].String()))
	}
	return strings.Join(list, ", ")
}

func printWorkersDeletion(out *cli.Terminal, r *answer.WorkersDeletion, refused string, unseen bool) {
	t := cli.NewTable("ID", "NAME", "ROLE", "STATUS", "HEARTBEAT", "NOTE")
	t.Right, t.Wrap = map[int]bool{0: true}, true
	for i := range r.Workers {
		w := &r.Workers[i]
		note := cli.Cell{Text: "-", Style: cli.Dim}
		switch w.Hindrance {
		case answer.StillRuns:
			note = cli.Cell{Text: "still runs, and registers anew", Style: cli.Red}
		case answer.NotRegistered:
			note = cli.Cell{Text: "not registered by attune", Style: cli.Yellow}
		}
		t.Row(cli.Cell{Text: fmt.Sprint(w.ID)}, cli.Cell{Text: w.Name}, cli.Cell{Text: w.Role},
			standing(w.Status, w.Stale), cli.Cell{Text: silent(w.SilentSeconds)}, note)
	}
	t.Print(out)
	printReferences(out, r.References, r.DryRun, unseen)
	switch {
	case r.Deleted:
		out.Printf("%s deleted\n", cli.Count(len(r.Workers), "worker"))
	case r.DryRun && refused == "":
		out.Printf("would delete %s; nothing was deleted (--dry-run)\n", cli.Count(len(r.Workers), "worker"))
	}
}

// printReferences prints the references to deleted rows. References that the login may
// not read are in the way if the database refused, and perhaps in a dry run.
func printReferences(out *cli.Terminal, refs []store.Reference, dryRun, unseen bool) {
	for i := range refs {
		text := cli.Clean(refs[i].String())
		switch {
		case refs[i].Hinders(), unseen && refs[i].Unseen():
			out.PrintProse(cli.Red, "in the way:", 12, text)
		case dryRun && refs[i].Unseen():
			out.PrintProse(cli.Yellow, "perhaps in the way:", 20, text)
		case refs[i].OnDelete == store.OnDeleteSetNull:
			printCleared(out, refs[i:i+1])
		}
	}
}

// printCleared prints the columns that the database clears.
func printCleared(out *cli.Terminal, refs []store.Reference) {
	for i := range refs {
		out.PrintProse(cli.Yellow, "cleared:", 12, cli.Clean(refs[i].Clearing()))
	}
}

// asOperator adds the role to use to an error about missing privileges.
func asOperator(name string, err error) error {
	if errors.Is(database.Classify(err), database.ErrRefused) {
		err = fmt.Errorf("%w; members of the role attune_operator may do it (docs/roles.sql)", err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// noneFit prints that no worker fits a selection, with --json as the empty document. It
// returns an error if no worker has one of the names, or the ids or hosts.
func noneFit(ctx context.Context, env *cli.Env, src source, s store.Selection, document any) error {
	missing, err := answer.Missing(ctx, src, s)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		if pattern := strings.ContainsAny(strings.Join(s.Names, ""), "*?"); missing[0].Key == "name" && (len(s.Names) > 1 || pattern) {
			return fmt.Errorf("%s: %s", src.name(), inOneSentence(missing))
		}
		return unknownWorker(src, missing[0])
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, document)
	}
	env.Out.Printf("no workers that fit\n")
	return nil
}

type runtimesDeleteCmd struct {
	Ref    string `arg:"" help:"Ref of the runtime; aliases and names are refused." placeholder:"REF"`
	DryRun bool   `help:"Show what would be deleted and what prevents it; delete nothing. Exit as the deletion would."`
}

// Help returns the longer text of --help.
func (c *runtimesDeleteCmd) Help() string {
	return "Its versions are deleted too. " +
		"If actions, sensors or rows of other tables refer to it, nothing is deleted, and they are named. " +
		"Workers that have the runtime lose it at their next verification. `attune packs unload` undoes the load of a whole pack."
}

// Run deletes a runtime.
func (c *runtimesDeleteCmd) Run(ctx context.Context, env *cli.Env) error {
	db, err := openToAsk(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	report, err := answer.DeleteRuntime(ctx, db, db.Config(), c.Ref, answer.DeleteOptions{DryRun: c.DryRun})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c.notARef(ctx, db)
	case report == nil:
		return asOperator(db.Name, err)
	case env.JSON:
		err = cli.PrintJSON(env.Out, report)
	default:
		printRuntimeDeletion(env.Out, report)
		err = nil
	}
	if err != nil || report.Deleted {
		return err
	}
	if refs := hindering(report.References, !c.DryRun); refs != "" && c.DryRun {
		return fmt.Errorf("would be refused: %s is still referenced by %s", c.Ref, refs)
	} else if !c.DryRun {
		return fmt.Errorf("%s was not deleted: still referenced by %s", c.Ref, refs)
	}
	return nil
}

// notARef returns the error for an argument that is not a ref. It names the ref if
// the argument is another name of a runtime.
func (c *runtimesDeleteCmd) notARef(ctx context.Context, db *cli.Database) error {
	index, _, err := db.Index(ctx)
	if err != nil {
		return err
	}
	if def, ok := index.Resolve(c.Ref); ok {
		return cli.Usagef("must be a ref, got %q, a name of %s; to delete that: `attune runtimes delete %[2]s`", c.Ref, def.Ref)
	}
	return noRuntime(ctx, inDatabase(db), c.Ref)
}

func printRuntimeDeletion(out *cli.Terminal, r *answer.RuntimeDeletion) {
	unseen := !r.Deleted && !r.DryRun && hindering(r.References, false) == ""
	printReferences(out, r.References, r.DryRun, unseen)
	what := cli.Clean(r.Ref)
	if len(r.Versions) > 0 {
		what += " with its versions " + cli.Clean(strings.Join(r.Versions, ", "))
	}
	switch {
	case r.Deleted:
		out.Printf("deleted %s\n", what)
	case r.DryRun && hindering(r.References, false) == "":
		out.Printf("would delete %s; nothing was deleted (--dry-run)\n", what)
	}
	if !r.Deleted && hindering(r.References, !r.DryRun) != "" {
		return
	}
	if r.Workers > 0 {
		lose := map[bool]string{true: "loses", false: "lose"}[r.Workers == 1]
		out.Printf("%s %s it at the next verification\n", cli.Count(r.Workers, "worker"), lose)
	}
	if r.Pack != "" {
		out.Printf("loading the pack %s again brings it back\n", cli.Clean(r.Pack))
	}
}
