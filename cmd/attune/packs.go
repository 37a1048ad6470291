package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

type packsCmd struct {
	Init     packsInitCmd     `cmd:"" help:"Write the skeleton of a new pack."`
	Validate packsValidateCmd `cmd:"" help:"Report every fault in packs, with file and line."`
	Load     packsLoadCmd     `cmd:"" help:"Load packs into the database; your changes there stay."`
	Unload   packsUnloadCmd   `cmd:"" help:"Undo the load of a pack; your changes there stay."`
	List     packsListCmd     `cmd:"" help:"List the packs in the database."`
}

type packsInitCmd struct {
	Ref string `arg:"" help:"Ref of the pack, in lower case, such as acme." placeholder:"REF"`
	Dir string `arg:"" optional:"" help:"Folder to write (default: ./REF)." placeholder:"DIR"`
}

// Run writes a skeleton.
func (c *packsInitCmd) Run(env *cli.Env) error {
	dir := cli.Or(c.Dir, c.Ref)
	written, err := packs.Init(dir, c.Ref)
	if err != nil {
		return err
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, written)
	}
	for _, file := range written {
		env.Out.Printf("wrote %s\n", cli.Clean(file))
	}
	env.Out.Printf("next: edit them, then `attune packs validate %[1]s` and `worker detect --pack %[1]s`\n", dir)
	return nil
}

type packsValidateCmd struct {
	Dirs []string `arg:"" name:"dir" help:"Folders of packs." placeholder:"DIR"`
}

// Run reports every fault of every pack.
func (c *packsValidateCmd) Run(env *cli.Env) error {
	all := packs.Faults{}
	for _, dir := range c.Dirs {
		pack, faults := packs.LoadDir(dir, packs.Config{Strict: env.Strict})
		all = append(all, faults...)
		if env.JSON {
			continue
		}
		for _, f := range faults {
			env.Out.Printf("%s\n", cli.Clean(f.String()))
		}
		if faults.Err() == nil {
			env.Out.Printf("%s: pack %s %s\n", cli.Clean(dir), cli.Clean(pack.Ref), validation(pack, faults))
		}
	}
	if env.JSON {
		if err := cli.PrintJSON(env.Out, all); err != nil {
			return err
		}
	}
	if n := len(all.Only(packs.Error)); n > 0 {
		return fmt.Errorf("validate: %s", cli.Count(n, "error"))
	}
	return nil
}

// validation sums up a pack without errors. Only a pack without warnings is valid.
func validation(pack *packs.Pack, faults packs.Faults) string {
	text := "is valid: " + cli.Count(len(pack.Definitions), "definition")
	if n := len(faults.Only(packs.Warning)); n > 0 {
		text = "can be loaded: " + cli.Count(len(pack.Definitions), "definition") + ", " + cli.Count(n, "warning")
	}
	if n := len(faults.Only(packs.Note)); n > 0 {
		text += ", " + cli.Count(n, "note")
	}
	return text
}

type packsLoadCmd struct {
	Packs  []string `arg:"" name:"pack" help:"Folders of packs; core is the embedded core pack." placeholder:"DIR|core"`
	Force  bool     `help:"Overwrite your changes with the pack's values."`
	DryRun bool     `help:"Show what would happen; write nothing. Exit as the load would."`
}

// Run loads packs. All are read before the first is written.
func (c *packsLoadCmd) Run(ctx context.Context, env *cli.Env) error {
	var list []*packs.Pack
	for _, dir := range c.Packs {
		pack, err := c.read(env, dir)
		if err != nil {
			return err
		}
		list = append(list, pack)
	}
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	reports := make([]*install.Report, 0, len(list))
	var refused error
	for _, pack := range list {
		report, err := install.Load(ctx, db.DB, db.Config(), pack,
			install.Options{Force: c.Force, DryRun: c.DryRun})
		if report == nil {
			return asOperator(db.Name, err)
		}
		reports = append(reports, report)
		if !env.JSON {
			printReport(env.Out, report)
		}
		if err != nil { // a dry run
			refused = fmt.Errorf("would be refused: %w", asOperator(db.Name, err))
			break
		}
	}
	if env.JSON {
		return errors.Join(cli.PrintJSON(env.Out, reports), refused)
	}
	return refused
}

func (c *packsLoadCmd) read(env *cli.Env, dir string) (*packs.Pack, error) {
	if dir == metadata.CorePack {
		return packs.Core(), nil
	}
	pack, faults := packs.LoadDir(dir, packs.Config{Strict: env.Strict})
	for _, f := range faults {
		switch f.Severity {
		case packs.Warning:
			env.Warn(f.Unlabeled())
		case packs.Note:
			env.Note(f.Unlabeled())
		case packs.Error: // in the error below
		}
	}
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("pack %s, nothing was loaded:\n%w", dir, err)
	}
	return pack, nil
}

func printReport(out *cli.Terminal, r *install.Report) {
	if r.Foreign {
		out.Printf("pack %s belongs to the platform, so nothing was written; hosts verify its runtimes by the embedded "+
			"core definitions wherever the platform's rows do not say how\n", cli.Clean(r.Pack))
		return
	}
	for _, e := range r.Entries {
		switch e.Result {
		case install.Unchanged:
			continue
		case install.Foreign:
			out.Printf("%-9s %s  the row is the platform's; it stays as it is\n", e.Result, cli.Clean(e.Ref))
			continue
		case install.Orphaned:
			out.Printf("%-9s %s  no longer in the pack; the row stays\n", e.Result, cli.Clean(e.Ref))
			continue
		}
		out.Printf("%-9s %s\n", e.Result, cli.Clean(e.Ref))
		for _, at := range e.Changed {
			out.Printf("            from the pack  %s\n", cli.Clean(at))
		}
		for _, at := range e.Kept {
			out.Printf("            kept as it is  %s\n", cli.Clean(at))
		}
	}
	verb := ""
	if r.DryRun {
		verb = "; nothing was written (--dry-run)"
	}
	if r.Writes() == 0 && !r.Created {
		verb = "; nothing changed"
	}
	out.Printf("pack %s: %s%s\n", cli.Clean(r.Pack), r.Summary(), verb)
	if r.Count(install.Kept) > 0 {
		out.Printf("what was kept differs from the pack because it was changed in the database; --force overrides\n")
	}
}

type packsListCmd struct{ cli.Output }

type packDoc struct {
	Ref         string `json:"ref"`
	Label       string `json:"label"`
	Version     string `json:"version"`
	Description string `json:"description,omitempty"`
	Runtimes    int    `json:"runtimes"`
}

// Run lists the packs of the database.
func (c *packsListCmd) Run(ctx context.Context, env *cli.Env) error {
	list, err := c.Rows(env, "ref", "label", "version", "description", "runtimes")
	if err != nil {
		return err
	}
	db, err := env.OpenNamed(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Store.Packs.List(ctx, store.Page{})
	if err != nil {
		return fmt.Errorf("list packs of %s: %w", db.Name, err)
	}
	runtimes, err := db.Store.Runtimes.List(ctx, store.Page{})
	if err != nil {
		return fmt.Errorf("list runtimes of %s: %w", db.Name, err)
	}
	counts := map[string]int{}
	for i := range runtimes {
		counts[metadata.PackOf(runtimes[i].Ref)]++
	}
	docs := make([]packDoc, 0, len(rows))
	for i := range rows {
		p := &rows[i]
		d := packDoc{Ref: p.Ref, Label: p.Label, Version: p.Version, Runtimes: counts[p.Ref]}
		if p.Description != nil {
			d.Description = *p.Description
		}
		docs = append(docs, d)
	}
	if list != nil {
		return cli.PrintRows(list, docs)
	}
	if len(docs) == 0 {
		env.Out.Printf("no packs; `attune packs load core` brings the core pack\n")
		return nil
	}
	t := cli.NewTable("PACK", "VERSION", "RUNTIMES", "LABEL", "DESCRIPTION")
	t.Right, t.Wrap = map[int]bool{2: true}, true
	for _, d := range docs {
		t.Row(cli.Cell{Text: d.Ref, Style: cli.Cyan}, cli.Cell{Text: d.Version}, cli.Cell{Text: fmt.Sprint(d.Runtimes)},
			cli.Cell{Text: d.Label}, cli.Cell{Text: strings.TrimSpace(d.Description)})
	}
	t.Print(env.Out)
	env.Out.Printf("%s, %s\n", cli.Count(len(docs), "pack"), cli.Count(len(runtimes), "runtime"))
	return nil
}
