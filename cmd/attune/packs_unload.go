package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type packsUnloadCmd struct {
	Ref    string `arg:"" help:"Ref of the pack, as packs list shows it." placeholder:"REF"`
	Force  bool   `help:"Also delete rows that were changed after the load."`
	DryRun bool   `help:"Show what would happen; delete nothing."`
}

// Help returns the longer text of --help.
func (c *packsUnloadCmd) Help() string {
	return "Deletes the runtimes that loads of the pack created, and then the pack's row. " +
		"A row stays, and is named, if it was changed after the load, if rows of other tables refer to it, " +
		"or if it existed before the load. Columns of other tables that the database clears are named with their rows. " +
		"Workers lose these runtimes at their next verification."
}

// Run unloads a pack.
func (c *packsUnloadCmd) Run(ctx context.Context, env *cli.Env) error {
	if strings.ContainsAny(c.Ref, `/\`) {
		return cli.Usagef("%q is a folder; a pack is unloaded by its ref, which `attune packs list` shows", c.Ref)
	}
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	report, err := install.Unload(ctx, db.DB, db.Config(), c.Ref, install.Options{Force: c.Force, DryRun: c.DryRun})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return c.unknown(ctx, db)
	case errors.Is(err, install.ErrNotLoaded):
		return fmt.Errorf("%s: %w, so its rows are not known; `attune runtimes delete` deletes them one by one", db.Name, err)
	case err != nil:
		return asOperator(db.Name, err)
	case env.JSON:
		return cli.PrintJSON(env.Out, report)
	}
	printUnloading(env.Out, report)
	return nil
}

func (c *packsUnloadCmd) unknown(ctx context.Context, db *cli.Database) error {
	rows, err := db.Store.Packs.List(ctx, store.Page{})
	if err != nil {
		return err
	}
	var refs []string
	for i := range rows {
		refs = append(refs, rows[i].Ref)
	}
	if near := metadata.Nearest(c.Ref, refs); near != "" {
		return fmt.Errorf("no pack %q in %s; did you mean %s?", c.Ref, db.Name, near)
	}
	return fmt.Errorf("no pack %q in %s; `attune packs list` shows all", c.Ref, db.Name)
}

func printUnloading(out *cli.Terminal, r *install.UnloadReport) {
	changed := false
	for i := range r.Runtimes {
		printUnloaded(out, &r.Runtimes[i], r.DryRun)
		changed = changed || r.Runtimes[i].Reason == install.ReasonChanged
	}
	printUnloaded(out, &r.Row, r.DryRun)
	deleted, kept := r.Count()
	text := fmt.Sprintf("%s deleted, %d kept", cli.Count(deleted, "runtime"), kept)
	if r.DryRun {
		text = fmt.Sprintf("would delete %s, and keep %d; nothing was deleted (--dry-run)", cli.Count(deleted, "runtime"), kept)
	}
	out.Printf("pack %s: %s\n", cli.Clean(r.Pack), text)
	if changed || r.Row.Reason == install.ReasonChanged {
		out.Printf("what was changed in the database is kept; --force deletes it\n")
	}
}

// printUnloaded prints what happened to one row, or would happen.
func printUnloaded(out *cli.Terminal, u *install.UnloadEntry, dryRun bool) {
	ref := cli.Clean(u.Ref)
	deleted, kept := "deleted   ", "kept      "
	if dryRun {
		deleted, kept = "delete    ", "keep      "
	}
	if u.Deleted {
		if len(u.References) == 0 {
			out.Printf("%s%s\n", deleted, ref)
		} else { // a dry run, which cannot tell
			out.PrintProse(cli.Plain, deleted+ref+"  ", 0, "unless referenced by "+inWords(u.References))
		}
		printCleared(out, u.Cleared)
		return
	}
	reasons := map[install.Reason]string{
		install.ReasonAdopted: "it was there before the pack was loaded",
		install.ReasonChanged: "changed since it was loaded",
	}[u.Reason]
	if u.Reason == install.ReasonReferenced {
		reasons = "referenced by " + inWords(u.References)
	}
	if u.Reason == install.ReasonNeeded {
		reasons = "the pack still has " + inWords(u.References)
	}
	out.PrintProse(cli.Plain, kept+ref+"  ", 0, reasons)
	if u.Reason != install.ReasonChanged {
		return
	}
	for _, at := range u.Changed {
		out.Printf("            changed here   %s\n", cli.Clean(cli.Or(at, "the row is malformed")))
	}
}
